"""What if administrators and hosts act at once, through several connections? Real threads on real databases.

Which of them is first is up to the machine; what must come out is not. (Who gets the last CALs: ``tests/integration/test_races.py``.)
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.change_server import change_settings
from calward.app.licensing.free_license import FreeLicense, revoke_license
from calward.app.licensing.install_key_pack import InstallKeyPack, RemoveKeyPack, install_key_pack, remove_key_pack
from calward.app.licensing.issue_license import issue_license
from calward.app.licensing.requests import Confirmation, ConfirmLicense, Request
from calward.app.ports import Ledger
from calward.domain.cals import CalType
from calward.domain.events import encode_event
from calward.domain.key_packs import PackId
from calward.domain.licenses import NEVER
from tests.support.builders import DEVICE, USER, a_host, a_question, a_server, ladder
from tests.support.clocks import NOW, CountedEntropy, SetClock
from tests.support.ledgers import LEDGERS

WORKERS = 16
USERS, DEVICES = a_host("2016", USER), a_host("2016", DEVICE, number=2)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


class Arena:
    """Several ledgers on one database (on SQLite one, which its threads share), and workers that start together."""

    def __init__(self, ledgers: list[Ledger]) -> None:
        self.ledgers = ledgers
        self._pool = ThreadPoolExecutor(WORKERS)
        self.write(lambda book: book.set_server(a_server()))

    def write(self, act: Callable[[Any], Any]) -> Any:
        return self.ledgers[0].write(act)

    def install(self, pack: str, total: int, type_: CalType = USER, ledger: Ledger | None = None) -> Done | RefusedAct:
        command = InstallKeyPack(PackId(pack), "2016", type_, total, NEVER, by="root")
        return (ledger or self.ledgers[0]).write(lambda book: install_key_pack(command, book, ladder(), now=NOW))

    def at_once(self, works: list[Callable[[Ledger], Any]]) -> list[Any]:
        """Let each work run in a thread of its own, on the ledgers in turn, all from the same moment."""
        start = Barrier(len(works))

        def run(number: int) -> Any:
            start.wait()
            return works[number](self.ledgers[number % len(self.ledgers)])

        return list(self._pool.map(run, range(len(works))))

    def ask(self, host: Any, who: str, request_id: str) -> Callable[[Ledger], Any]:
        request = Request(a_question(host, who, request_id), CountedEntropy())
        return lambda ledger: ledger.write(request)

    def held(self, pack: str) -> int:
        return self.write(lambda book: book.held(book.shelf().by_id[PackId(pack)], NOW))

    def full_device(self, who: str) -> Any:
        first = self.ask(DEVICES, who, f"{who} 1")(self.ledgers[0])
        self.write(Confirmation(ConfirmLicense(DEVICES, first["license"])))
        return self.ask(DEVICES, who, f"{who} 2")(self.ledgers[0])

    def close(self) -> None:
        self._pool.shutdown()


POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])


@pytest.fixture(params=["sqlite", POSTGRESQL])
def arena(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Arena]:
    place = request.getfixturevalue("postgresql_database") if request.param == "postgresql" else tmp_path
    with ExitStack() as stack:
        count = 8 if request.param == "postgresql" else 1
        arena = Arena([stack.enter_context(LEDGERS[request.param](place, SetClock())) for _ in range(count)])
        stack.callback(arena.close)
        yield arena


@pytest.mark.parametrize("turn", range(3))
def test_the_same_request_id_through_many_connections_gets_one_cal_and_the_same_bytes(arena, turn):
    arena.install("K1", 10)
    answers = arena.at_once([arena.ask(USERS, "ann", "r1") for _ in range(16)])
    assert len({encode_event(event) for event in answers}) == 1
    assert arena.held("K1") == 1


def test_a_pack_is_installed_once(arena):
    for turn in range(5):
        done = arena.at_once([lambda ledger, turn=turn: arena.install(f"K{turn}", 3, ledger=ledger)] * 8)
        assert sum(isinstance(one, Done) for one in done) == 1
        assert sum(isinstance(one, RefusedAct) for one in done) == 7


def test_a_pack_is_never_removed_under_a_license(arena):
    for turn in range(5):
        pack = f"K{turn}"
        arena.install(pack, 4)
        remove = RemoveKeyPack(PackId(pack), by="root")
        works = [arena.ask(USERS, f"user{turn}.{n}", f"r{turn}.{n}") for n in range(8)]
        works.insert(4, lambda ledger, remove=remove: ledger.write(lambda book: remove_key_pack(remove, book, now=NOW)))
        answers = arena.at_once(works)
        done = answers.pop(4)
        full = sum(event.get("pack") == pack for event in answers)
        assert (full == 0) if isinstance(done, Done) else (1 <= full <= 4)


def test_no_more_licenses_are_revoked_than_the_limit_however_many_administrators_try(arena):
    for turn in range(3):
        arena.install(f"K{turn}", 5, DEVICE)
    licenses = [arena.full_device(f"PC{n}")["license"] for n in range(12)]
    works = [
        lambda ledger, n=n: ledger.write(lambda book: revoke_license(FreeLicense(n, "root"), book, now=NOW))
        for n in licenses
    ]
    done = arena.at_once(works)
    assert sum(isinstance(one, Done) for one in done) == 3


def test_settings_changed_at_once_are_all_kept(arena):
    for turn in range(1, 6):
        changes = [{key: turn} for key in ("temporary_days", "user_days", "grace_days", "renew_within_days")]
        arena.at_once(
            [
                lambda ledger, one=one: ledger.write(lambda book: change_settings(one, book, now=NOW, by="root"))
                for one in changes
            ]
        )
        settings = arena.write(lambda book: book.server()).settings
        assert {getattr(settings, key) for one in changes for key in one} == {turn}


def test_a_device_that_comes_for_the_first_time_through_many_doors_is_one_holder(arena):
    answers = arena.at_once([arena.ask(a_host("2016", number=n), "PC1", f"r{n}") for n in range(16)])
    assert len({event["holder"] for event in answers}) == 1
    assert len({event["license"] for event in answers}) == 1


def test_an_act_that_breaks_leaves_nothing_and_the_others_stand(arena):
    arena.install("K1", 3)

    def broken(book: Any) -> None:
        issue_license(a_question(USERS, "ann", "r1"), book, now=NOW, entropy=CountedEntropy())
        raise RuntimeError("a bug")

    others = [Request(a_question(USERS, who, who), CountedEntropy()) for who in ("bob", "cid")]
    first, error, second = arena.ledgers[0].write_all([others[0], broken, others[1]])
    assert isinstance(error, RuntimeError)
    assert [first["holder"] == second["holder"], arena.held("K1")] == [False, 2]
    assert arena.write(lambda book: book.remembered(USERS.id, "r1")) is None


def test_a_pack_may_come_in_the_middle_of_a_group(arena):
    command = InstallKeyPack(PackId("K1"), "2016", USER, 1, NEVER, by="root")
    ask = [Request(a_question(USERS, who, who), CountedEntropy()) for who in ("ann", "bob")]
    before, done, after = arena.ledgers[0].write_all(
        [ask[0], lambda book: install_key_pack(command, book, ladder(), now=NOW), ask[1]]
    )
    assert isinstance(done, Done)
    assert (before["status"], after["status"]) == ("over-used", "active")
    assert len({before["id"], done.event, after["id"]}) == 3
