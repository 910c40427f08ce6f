"""Does a pack go from one license server to another with all its licenses, on every ledger, and never twice?"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from calward.app.licensing.acts import RefusedAct
from calward.app.licensing.free_license import FreeLicense, revoke_license
from calward.app.licensing.freeze_pack import FreezePack, freeze_pack
from calward.app.licensing.install_key_pack import InstallKeyPack, RemoveKeyPack, remove_key_pack
from calward.app.licensing.receive_pack import receive_pack
from calward.app.licensing.transfers import release_of
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.cals import CalType, HolderKind
from calward.domain.envelope import decode_envelope
from calward.domain.errors import LicensingError
from calward.domain.handover import HandedLicense
from calward.domain.key_packs import PackId
from calward.domain.licenses import NEVER, Ending
from calward.domain.pack_orders import TransferOutcome
from calward.domain.reasons import Reason
from tests.support.builders import ladder
from tests.support.clocks import DAY, NOW, SetClock
from tests.support.house import House
from tests.support.ledgers import LEDGERS
from tests.support.moving import (
    PACK_ID,
    SOURCE,
    TARGET,
    an_order,
    released,
)

POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])


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
        for house in made:
            assert not house.audit()


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
    return target.take_over(released(source.ledger))


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
    assert target.take_over(released(source.ledger)).reasons == (Reason.PACK_ALREADY_INSTALLED,)
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
    refused = target.receive(2, handover_digest=released(source.ledger).release.handover)
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


def test_a_pack_that_left_in_a_form_that_never_came_is_not_taken_when_that_comes_late(source):
    assert source.end(generation=2).outcome == "moved"
    late = source.receive(generation=2)
    assert isinstance(late, RefusedAct)
    assert late.reasons == (Reason.PACK_ALREADY_INSTALLED,)
    assert source.pack() is None
    assert source.receive(generation=3).outcome == "installed"


def test_a_list_that_would_be_too_long_leaves_behind_what_people_call_their_holders(source, monkeypatch):
    source.ask("PC1")
    source.release()
    whole = len(released(source.ledger).handover)
    source.end(TransferOutcome.CANCELLED)
    monkeypatch.setattr("calward.app.licensing.release_pack.MAX_HANDOVER_SIZE", whole - 1)
    source.look(lambda book: book.holder(HolderKind.DEVICE, "PC5", "a name for people"))
    source.full("PC5")
    source.release(order_id="7e" * 16)
    out = released(source.ledger, "7e" * 16)
    assert b"a name for people" not in decode_envelope(out.handover).payload
    assert out.release.licenses == 3


def test_a_pack_that_is_frozen_for_one_transfer_is_not_released_for_another(source):
    source.release()
    assert source.release(order_id="7e" * 16).reasons == (Reason.PACK_MOVING,)
    assert source.look(lambda book: release_of(book, "7e" * 16)) is None


def test_an_order_about_another_generation_freezes_nothing(source):
    assert source.release(generation=2).reasons == (Reason.NOTHING_TO_DO,)
    assert source.pack().transfer is None


def test_a_pack_that_came_back_is_not_taken_away_by_the_late_end_of_an_earlier_move(source):
    source.release()
    source.end()
    assert source.receive(3).outcome == "installed"
    assert source.end(transfer_id="7e" * 16, order_id="0e" * 16).outcome == "ended"
    assert source.pack().generation == 3


def test_freezing_for_people_says_which_packs_there_are(source):
    with pytest.raises(LicensingError, match=f"installed: {PACK_ID}"):
        source.act(freeze_pack, FreezePack(PackId("P7"), "T1", "LS2", "anna"))


def test_freezing_twice_for_one_transfer_writes_nothing_more(source):
    command = FreezePack(PackId(PACK_ID), "T1", "LS2", "anna")
    assert source.act(freeze_pack, command).event
    assert not source.act(freeze_pack, command).event


def test_a_pack_that_somebody_else_signed_or_a_list_that_does_not_fit_is_not_taken(source, target):
    assert isinstance(target.receive(2, server_id=SOURCE), NotAccepted)
    source.release()
    out = released(source.ledger)
    assert isinstance(target.receive(2, b"{}", handover_digest=out.release.handover), NotAccepted)
    assert target.pack() is None


def test_what_does_not_belong_to_the_pack_is_not_adopted(source, target):
    move_out = [
        HandedLicense(HolderKind.USER, "ann", "", 1, NOW, NOW + DAY),
        HandedLicense(HolderKind.DEVICE, "PC1", "", 6, NOW, NOW + DAY),
        HandedLicense(HolderKind.DEVICE, "PC2", "", 2, NOW - DAY, NOW),
        HandedLicense(HolderKind.DEVICE, "PC3", "", 3, NOW, NOW + DAY),
    ]
    command = InstallKeyPack(PackId(PACK_ID), "2016", CalType.PER_DEVICE, 5, NEVER, "clearinghouse", generation=2)
    done = target.look(lambda book: receive_pack(command, move_out, book, ladder(), now=book.now()))
    assert done.facts == {"adopted": 1, "left": 3}
    assert target.seats() == {"PC3": 3}


def test_a_late_order_about_an_older_generation_lets_no_newer_one_in(target):
    target.release(generation=3)
    target.release(generation=1, order_id="7e" * 16)
    assert target.receive(2).reasons == target.receive(3).reasons == (Reason.PACK_ALREADY_INSTALLED,)
    target.end(TransferOutcome.CANCELLED, generation=1, transfer_id="7e" * 16)
    assert target.receive(1).reasons == (Reason.PACK_ALREADY_INSTALLED,)
    target.end(TransferOutcome.CANCELLED, generation=3)
    assert target.receive(2).reasons == (Reason.PACK_ALREADY_INSTALLED,)
    assert target.receive(3).outcome == "installed"
