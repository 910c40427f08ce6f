"""What if packs freeze, arrive and split while hosts ask, through several connections? Real threads on real databases."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.change_pack import change_pack
from calward.app.licensing.freeze_pack import FreezePack, freeze_pack, handed_over
from calward.app.licensing.install_key_pack import InstallKeyPack
from calward.app.licensing.receive_pack import receive_pack
from calward.app.licensing.release_pack import release_pack
from calward.app.licensing.transfers import release_of
from calward.app.ports import Ledger
from calward.domain.handover import HandedLicense
from calward.domain.key_packs import PackId
from calward.domain.licenses import NEVER
from calward.domain.pack_orders import PackChange, PackRef
from calward.domain.pack_requests import ChangeKind
from calward.domain.statements import KeyPackStatement, Program
from tests.contract.test_ledger_races import USERS, Arena, arena  # noqa: F401 - a fixture
from tests.support.builders import USER, ladder
from tests.support.clocks import NOW, CountedEntropy
from tests.support.moving import PACK_ID, SOURCE, an_order, signatures_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

Work = Callable[[Ledger], Any]


def freeze(pack: str) -> Work:
    """Freeze a pack and list its licenses, in one transaction."""

    def act(book: Any) -> tuple[HandedLicense, ...]:
        freeze_pack(FreezePack(PackId(pack), "7f" * 16, "LS2", "clearinghouse"), book, now=NOW)
        return handed_over(book.shelf().by_id[PackId(pack)], book, now=NOW)

    return lambda ledger: ledger.write(act)


def on_pack(answers: list[Any], pack: str) -> list[Any]:
    return [event for event in answers if event.get("pack") == pack]


def test_what_was_issued_before_a_pack_froze_is_listed_and_nothing_is_issued_afterwards(arena: Arena) -> None:  # noqa: F811
    for turn in range(6):
        pack = f"K{turn}"
        arena.install(pack, 20)
        works = [arena.ask(USERS, f"user{turn}.{n}", f"r{turn}.{n}") for n in range(15)]
        works.insert(turn, freeze(pack))
        answers = arena.at_once(works)
        listed = answers.pop(turn)
        assert {one.key for one in listed} == {f"user{turn}.{n}" for n in range(15)} - {
            f"user{turn}.{n}" for n, event in enumerate(answers) if event.get("pack") != pack
        }
        assert arena.held(pack) == len(listed)


def test_a_license_ends_where_it_was_listed_whoever_logs_on_meanwhile(arena: Arena) -> None:  # noqa: F811
    for turn in range(4):
        pack = f"K{turn}"
        arena.install(pack, 20)
        names = [f"user{turn}.{n}" for n in range(12)]
        for who in names:
            arena.ask(USERS, who, f"first {who}")(arena.ledgers[0])
        for ledger in arena.ledgers:  # Time passes, so that the logons move ends.
            ledger._clock.set(NOW + 3600 * turn + 60)
        works = [arena.ask(USERS, who, f"again {who}") for who in names]
        works.insert(turn * 3, freeze(pack))
        listed = arena.at_once(works).pop(turn * 3)
        ends = arena.write(
            lambda book, pack=pack: {x.key: x.expires_at for x in book.holdings(book.shelf().by_id[PackId(pack)], NOW)}
        )
        assert {one.key: one.expires_at for one in listed} == ends


def test_an_order_that_comes_through_many_doors_is_carried_out_once(arena: Arena) -> None:  # noqa: F811
    arena.install(PACK_ID, 5)
    signatures = signatures_of(SOURCE)

    def release(ledger: Ledger) -> Any:
        return ledger.write(
            lambda book: release_pack(an_order(), book, signatures, CountedEntropy(), now=NOW, by="clearinghouse")
        )

    done = arena.at_once([release] * 8)
    assert sum(bool(one.event) for one in done) == 1
    assert arena.write(lambda book: release_of(book, an_order().order_id))


def test_a_moved_pack_is_received_once(arena: Arena) -> None:  # noqa: F811
    licenses = [HandedLicense(USERS.mode.holder_kind, f"user{n}", "", n + 1, NOW - 9, NOW + 9) for n in range(40)]
    command = InstallKeyPack(PackId(PACK_ID), "2016", USER, 50, NEVER, "clearinghouse", generation=2)

    def receive(ledger: Ledger) -> Any:
        return ledger.write(lambda book: receive_pack(command, licenses, book, ladder(), now=NOW))

    works = [receive] * 6 + [arena.ask(USERS, f"user{n}", f"r{n}") for n in range(8)]
    done = arena.at_once(works)
    assert sum(isinstance(one, Done) for one in done[:6]) == 1
    assert sum(isinstance(one, RefusedAct) for one in done[:6]) == 5
    assert 40 <= arena.held(PACK_ID) <= 48


def split(pack: str, number: int, total: int, part: int) -> Work:
    """Split a part off a pack."""
    end, at = datetime(2099, 1, 1, tzinfo=UTC), datetime.fromtimestamp(NOW, UTC)

    def statement(name: str, generation: int, count: int) -> KeyPackStatement:
        return KeyPackStatement(
            name, generation, "LS", "windows-server", "2016", USER, count, Program.OPEN, at, end, "2016"
        )

    packs = (statement(pack, number + 1, total - part), statement(f"{pack}.{number}", 1, part))
    order = PackChange(f"O{number}", "LS", ChangeKind.DOWNGRADE, PackRef(pack, number), packs, at)
    return lambda ledger: ledger.write(lambda book: change_pack(order, book, ladder(), now=NOW, by="clearinghouse"))


def test_a_pack_splits_under_its_users_and_no_cal_is_lost_or_doubled(arena: Arena) -> None:  # noqa: F811
    for turn in range(5):
        pack = f"K{turn}"
        arena.install(pack, 12)
        for n in range(4):
            arena.ask(USERS, f"early{turn}.{n}", f"early{turn}.{n}")(arena.ledgers[0])
        works = [arena.ask(USERS, f"user{turn}.{n}", f"r{turn}.{n}") for n in range(14)]
        works.insert(turn * 2, split(pack, 1, 12, 9))
        answers = arena.at_once(works)
        done = answers.pop(turn * 2)
        assert isinstance(done, Done)
        assert (arena.held(pack), arena.held(f"{pack}.1")) == (3, 9)
        seats = arena.write(
            lambda book, pack=pack: [
                (name, x.seat, x.license)
                for name in (pack, f"{pack}.1")
                for x in book.holdings(book.shelf().by_id[PackId(name)], NOW)
            ]
        )
        assert len({x[:2] for x in seats}) == len({x[2] for x in seats}) == 12
