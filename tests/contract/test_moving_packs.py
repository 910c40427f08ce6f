"""Does a pack go from one license server to another with all its licenses, on every ledger, and never twice?"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from calward.app.licensing.acts import RefusedAct
from calward.app.licensing.change_server import make_server
from calward.app.licensing.confirm_license import ConfirmLicense, confirm_license
from calward.app.licensing.end_transfer import end_transfer
from calward.app.licensing.free_license import FreeLicense, revoke_license
from calward.app.licensing.install_key_pack import RemoveKeyPack, remove_key_pack
from calward.app.licensing.receive_pack import receive_signed_pack
from calward.app.licensing.release_pack import release_pack
from calward.app.licensing.requests import Request
from calward.app.licensing.transfers import release_of
from calward.app.ports import Ledger
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.cals import HolderKind
from calward.domain.events import Event
from calward.domain.key_packs import PackId
from calward.domain.licenses import Ending
from calward.domain.pack_orders import TransferOutcome
from calward.domain.reasons import Reason
from tests.support.builders import a_host, a_question, a_server, ladder
from tests.support.clocks import CountedEntropy, SetClock
from tests.support.ledgers import LEDGERS
from tests.support.moving import (
    PACK_ID,
    SOURCE,
    TARGET,
    an_end,
    an_order,
    know_clearinghouse,
    released,
    signatures_of,
    signed_pack,
)

POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])
HOST = a_host("2016")


class House:
    """A license server on some ledger."""

    def __init__(self, ledger: Ledger, server: str, clock: SetClock) -> None:
        self.ledger, self.server, self.clock = ledger, server, clock
        self.entropy, self.signatures, self.asked = CountedEntropy(), signatures_of(server), 0
        ledger.write(lambda book: make_server(replace(a_server(), id=server), book, now=book.now(), by="set-up"))
        know_clearinghouse(ledger)

    def act(self, do: Any, *args: Any, **options: Any) -> Any:
        return self.ledger.write(lambda book: do(*args, book, now=book.now(), **options))

    def receive(self, generation: int = 1, handover: bytes | None = None, **changes: Any) -> Any:
        text = signed_pack(self.server, generation, **changes)
        rest = (self.signatures, ladder())
        return self.ledger.write(
            lambda book: receive_signed_pack(text, handover, book, *rest, now=book.now(), by="clearinghouse")
        )

    def release(self, **changes: Any) -> Any:
        order = an_order(self.server, **changes)
        rest = (self.signatures, self.entropy)
        return self.ledger.write(lambda book: release_pack(order, book, *rest, now=book.now(), by="clearinghouse"))

    def end(self, outcome: TransferOutcome = TransferOutcome.COMPLETED, **changes: Any) -> Any:
        return self.act(end_transfer, an_end(outcome, self.server, **changes), by="clearinghouse")

    def ask(self, who: str, host: Any = HOST) -> Event:
        self.asked += 1
        return self.ledger.write(Request(a_question(host, who, f"r{self.asked}"), self.entropy))

    def full(self, who: str, host: Any = HOST) -> Event:
        """A device logs on, and asks once more."""
        self.act(confirm_license, ConfirmLicense(host, self.ask(who, host)["license"]))
        return self.ask(who, host)

    def look(self, what: Any) -> Any:
        return self.ledger.write(what)

    def license(self, number: int) -> Any:
        return self.look(lambda book: book.license(number))

    def free(self) -> int:
        return self.look(lambda book: book.free((book.shelf().by_id[PackId(PACK_ID)],), book.now(), 99))


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def houses(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[House, House]]:
    """A source with the pack of five CALs, of which PC1 and PC2 hold one each, and a target."""
    with ExitStack() as stack:
        clock, made = SetClock(), []
        for server in (SOURCE, TARGET):
            place: Any = tmp_path / server
            if request.param == "postgresql":
                made_by = request.getfixturevalue("postgresql_server")
                place = made_by.url(made_by.new_database())
            else:
                place.mkdir()
            ledger = stack.enter_context(LEDGERS[request.param](place, clock))
            made.append(House(ledger, server, clock))
        made[0].receive()
        for who in ("PC1", "PC2"):
            assert made[0].full(who)["status"] == "active"
        yield made[0], made[1]


@pytest.fixture
def source(houses: tuple[House, House]) -> House:
    return houses[0]


@pytest.fixture
def target(houses: tuple[House, House]) -> House:
    return houses[1]


def test_a_frozen_pack_issues_and_renews_nothing_and_its_licenses_run_on(source):
    done = source.release()
    assert (done.outcome, done.facts["licenses"]) == ("released", 2)
    assert source.full("PC3")["status"] == "temporary"
    source.clock.pass_days(50)
    kept = source.ask("PC1")
    assert (kept["status"], kept["change"]) == ("active", "kept")
    first = source.license(kept["license"])
    assert first.expires_at == kept["expires"]


def test_the_release_lists_who_holds_a_cal_and_repeated_it_is_the_same_bytes(source):
    source.release()
    first = released(source.ledger)
    assert source.release().event == 0
    assert released(source.ledger).bundle == first.bundle
    assert first.release.licenses == 2


def test_nothing_of_a_frozen_pack_is_revoked_or_removed(source):
    number = source.ask("PC1")["license"]
    source.release()
    for refused in (
        source.act(revoke_license, FreeLicense(number, "root")),
        source.act(remove_key_pack, RemoveKeyPack(PackId(PACK_ID), "root")),
    ):
        assert isinstance(refused, RefusedAct)
        assert refused.reasons == (Reason.PACK_MOVING,)


def move(source: House, target: House) -> Any:
    source.release()
    out = released(source.ledger)
    return target.receive(2, out.handover, handover=out.release.handover) if False else _received(target, out)


def _received(target: House, out: Any) -> Any:
    text = signed_pack(target.server, 2, handover=out.release.handover)
    rest = (target.signatures, ladder())
    return target.ledger.write(
        lambda book: receive_signed_pack(text, out.handover, book, *rest, now=book.now(), by="clearinghouse")
    )


def test_licenses_go_on_at_the_target_on_the_same_cals_and_the_source_ends_them(source, target):
    here = source.license(source.ask("PC1")["license"])
    assert move(source, target).facts == {"adopted": 2, "left": 0}
    there = target.ask("PC1")
    found = target.license(there["license"])
    assert (there["change"], found.seat, found.expires_at) == ("kept", here.seat, here.expires_at)
    assert found.issued_at == here.issued_at
    done = source.end()
    assert (done.outcome, done.facts["licenses"]) == ("moved", 2)
    assert source.license(here.id).ending is Ending.MOVED
    assert PACK_ID not in source.look(lambda book: book.shelf().by_id)
    assert source.end().outcome == "ended"


def test_a_device_that_was_proven_at_the_source_is_so_at_the_target(source, target):
    move(source, target)
    assert target.look(lambda book: book.find_holder(HolderKind.DEVICE, "PC2").proven_at) is not None


def test_a_pack_is_never_received_twice_and_never_again_in_an_old_generation(source, target):
    move(source, target)
    out = released(source.ledger)
    assert _received(target, out).reasons == (Reason.PACK_ALREADY_INSTALLED,)
    source.end()
    assert source.receive(1).reasons == (Reason.PACK_ALREADY_INSTALLED,)
    assert source.receive(3).outcome == "installed"


def test_a_holder_with_a_license_of_its_own_keeps_it_and_the_cal_stays_free(source, target):
    target.receive(1, pack_id="0b" * 16)
    own = target.full("PC1")
    assert move(source, target).facts == {"adopted": 1, "left": 1}
    assert target.ask("PC1")["license"] == own["license"]
    assert target.free() == 4


def test_an_adopted_license_ends_what_it_replaces(source, target):
    temporary = target.ask("PC1")
    move(source, target)
    assert target.license(temporary["license"]).ending is Ending.UPGRADED


def test_a_pack_without_its_list_of_licenses_is_not_taken(source, target):
    source.release()
    refused = target.receive(2, handover=None) if False else None
    text = signed_pack(TARGET, 2, handover=released(source.ledger).release.handover)
    rest = (target.signatures, ladder())
    refused = target.ledger.write(
        lambda book: receive_signed_pack(text, None, book, *rest, now=book.now(), by="clearinghouse")
    )
    assert isinstance(refused, NotAccepted)
    assert refused.reason is AcceptanceRefusal.HANDOVER_MISSING


def test_a_cancelled_move_lets_the_source_use_the_pack_again(source):
    source.release()
    assert source.end(TransferOutcome.CANCELLED).outcome == "unfrozen"
    assert source.full("PC3")["status"] == "active"
    assert source.look(lambda book: release_of(book, an_order().order_id)) is None
    assert source.release().outcome == "ended"  # The order comes late: it must not freeze the pack again.
    assert source.full("PC4")["status"] == "active"


def test_a_pack_that_is_not_here_is_released_empty_and_cannot_be_installed_afterwards(target):
    done = target.release()
    assert (done.outcome, done.facts["licenses"]) == ("released", 0)
    assert target.receive(1).reasons == (Reason.PACK_ALREADY_INSTALLED,)
    target.end(TransferOutcome.CANCELLED)
    assert target.receive(1).outcome == "installed"


def test_a_source_that_could_not_be_asked_hears_of_the_move_afterwards(source):
    number = source.ask("PC1")["license"]
    assert source.end().outcome == "moved"
    assert source.license(number).ending is Ending.MOVED
    assert source.receive(1).reasons == (Reason.PACK_ALREADY_INSTALLED,)
