"""Does a ledger that went back become what the clearinghouse's register says, on every ledger, and is no CAL lost or doubled?"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from calward.adapters.signing import seal
from calward.app.licensing.plan_change import ChangePlan
from calward.app.licensing.quarantine import enter_quarantine, quarantine_of
from calward.app.licensing.recover import missing_packs
from calward.app.licensing.request_packs import ask, ask_change, forget_ask, open_asks, to_move, to_recover
from calward.app.licensing.take_orders import Desk, Taken, take
from calward.app.licensing.transfers import open_transfers, releases
from calward.domain.bundle import join
from calward.domain.cals import CalType
from calward.domain.envelope import decode_envelope
from calward.domain.errors import LicensingError, Problem
from calward.domain.key_packs import PackId
from calward.domain.licenses import Ending
from calward.domain.pack_orders import PackRef, Register
from calward.domain.pack_requests import ChangeKind, MoveReason, RecoverReason, RecoverRequest, SourceState
from calward.domain.quarantine import Cause, Quarantine
from calward.domain.statements import PayloadType
from tests.support.builders import ladder
from tests.support.clocks import SetClock
from tests.support.house import House
from tests.support.ledgers import LEDGERS
from tests.support.moving import PACK_ID, SOURCE, signed_pack
from tests.support.signed import PACK

POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])
PART_ID, ORDER = "0b" * 16, "0e" * 16


class Recovering(House):
    """The house, with the answer to its recover request; ``keys``: how often the license key was exchanged."""

    keys = 0

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def new_key(self) -> str:
        self.keys += 1
        return f"{self.keys:016x}"

    def quarantine(self) -> None:
        found = Quarantine(Cause.OLDER, self.clock.now(), 7, 9, 5, "host:SH1")
        self.act(enter_quarantine, found, by="host:SH1")

    @property
    def quarantined(self) -> bool:
        return self.look(quarantine_of) is not None

    def request(self, reason: RecoverReason = RecoverReason.RESTORED) -> bytes:
        rest = (self.signatures, self.entropy)
        return self.look(lambda book: ask(to_recover(reason), book, *rest, now=book.now()))

    def register(self, *refs: PackRef, **changes: Any) -> bytes:
        asked = self.look(lambda book: [x.question for x in open_asks(book)])
        nonce = next((x.head.nonce for x in asked if isinstance(x, RecoverRequest)), "00" * 16)
        register = replace(Register(ORDER, SOURCE, nonce, refs, self.moment), **changes)
        return seal(PayloadType.REGISTER, register.to_payload(), PACK)

    def again(self, generation: int = 2, **changes: Any) -> bytes:
        return signed_pack(SOURCE, generation, **{"issued_at": self.moment} | changes)

    def take(self, *envelopes: bytes) -> list[Taken]:
        desk = Desk(self.signatures, ladder(), self.entropy, new_license_key=self.new_key)
        return list(take(join(envelopes), self.ledger, desk))


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def house(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Recovering]:
    """A server in quarantine with a pack of five CALs of 2016, three of them held by PC1, PC2 and PC3; it has asked."""
    place: Any = request.getfixturevalue("postgresql_database") if request.param == "postgresql" else tmp_path
    clock = SetClock()
    with LEDGERS[request.param](place, clock) as ledger:
        made = Recovering(ledger, SOURCE, clock)
        made.receive()
        for who in ("PC1", "PC2", "PC3"):
            made.full(who)
        clock.pass_days(1)
        made.quarantine()
        made.request()
        clock.pass_days(1)
        yield made
        assert not made.audit()


def outcomes(taken: list[Taken]) -> list[str]:
    return [one.outcome for one in taken]


def test_a_pack_that_is_still_here_goes_on_with_its_licenses_in_the_next_generation(house):
    before = house.seats()
    assert outcomes(house.take(house.register(PackRef(PACK_ID, 2)), house.again())) == ["recovered", "renewed"]
    assert house.seats() == before
    assert house.pack().generation == 2
    assert (house.quarantined, house.keys) == (False, 1)
    assert house.full("PC4")["status"] == "active"


def test_quarantine_lasts_until_every_pack_has_come(house):
    house.take(house.register(PackRef(PACK_ID, 2), PackRef(PART_ID, 3)), house.again())
    assert house.quarantined
    assert house.look(missing_packs) == (PackRef(PART_ID, 3),)
    assert house.full("PC4")["status"] == "temporary"
    house.take(house.again(3, pack_id=PART_ID))
    assert not house.quarantined
    assert house.full("PC4")["status"] == "active"


def test_a_request_that_was_refused_and_heard_after_all_is_followed_once(house):
    register, pack = house.register(PackRef(PACK_ID, 2)), house.again()
    house.look(lambda book: [forget_ask(book, one.name) for one in list(open_asks(book))])
    assert outcomes(house.take(register, pack)) == ["recovered", "renewed"]
    later = house.register(order_id="0f" * 16, nonce=Register.from_payload(decode_envelope(register).payload).nonce)
    assert outcomes(house.take(later)) == ["not-accepted"], "an older word of the same request takes no pack away"
    assert (house.pack().generation, house.keys) == (2, 1)


def test_a_pack_that_is_not_in_the_register_goes_with_its_licenses(house):
    number = house.ask("PC1")["license"]
    [taken] = house.take(house.register())
    assert taken.facts["removed"] == [PACK_ID]
    assert house.pack() is None
    assert house.license(number).ending is Ending.MOVED
    assert not house.quarantined


@pytest.mark.parametrize("total", [3, 4, 9])
def test_a_pack_of_another_size_keeps_the_licenses_that_fit_it(house, total):
    house.take(house.register(PackRef(PACK_ID, 2)), house.again(total=total))
    assert set(house.seats()) == {"PC1", "PC2", "PC3"}
    assert max(house.seats().values()) <= total
    assert house.free() == total - 3


@pytest.mark.parametrize("changes", [{"total": 2}, {"cal_type": CalType.PER_USER}])
def test_a_pack_that_its_licenses_do_not_fit_comes_without_them(house, changes):
    house.take(house.register(PackRef(PACK_ID, 2)), house.again(**changes))
    assert house.seats() == {}
    assert (house.pack().generation, house.free()) == (2, changes.get("total", 5))
    assert not house.quarantined


def test_a_pack_that_was_downgraded_in_the_lost_time_takes_its_licenses_along(house):
    house.take(house.register(PackRef(PACK_ID, 2)), house.again(version="2012", bought_as="2016"))
    assert (house.pack().version, house.pack().bought_as) == ("2012", "2016")
    assert set(house.seats()) == {"PC1", "PC2", "PC3"}


def test_a_move_that_had_not_ended_is_given_up_and_its_pack_is_used_again(house):
    house.release()
    assert house.pack().transfer is not None
    house.take(house.register(PackRef(PACK_ID, 2)), house.again())
    assert house.pack().transfer is None
    assert house.look(open_transfers) == ()
    assert house.look(releases) == ()
    assert house.full("PC4")["status"] == "active"


def test_a_move_that_had_ended_elsewhere_takes_its_pack_away(house):
    house.release()
    house.take(house.register())
    assert house.pack() is None
    assert house.look(open_transfers) == ()


def test_what_was_set_aside_and_asked_before_is_forgotten(house):
    plan = ChangePlan(PackId(PACK_ID), ChangeKind.CONVERT, "per-user", 2, "anna")
    rest = (ladder(), house.signatures, house.entropy)
    house.look(lambda book: ask_change(plan, book, *rest, now=book.now()))
    move = to_move("07" * 16, SourceState.CONNECTED, MoveReason.REPLACED)
    house.look(lambda book: ask(move, book, house.signatures, house.entropy, now=book.now()))
    assert house.pack().aside == 2
    house.take(house.register(PackRef(PACK_ID, 2)), house.again())
    assert house.pack().aside == 0
    assert house.free() == 2
    assert house.look(lambda book: list(open_asks(book))) == []


def test_a_pack_that_came_in_the_lost_time_is_installed(house):
    answer = (house.register(PackRef(PACK_ID, 2), PackRef(PART_ID, 4)), house.again(), house.again(4, pack_id=PART_ID))
    assert outcomes(house.take(*answer)) == ["recovered", "renewed", "installed"]
    assert (house.pack(PART_ID).generation, house.free(PART_ID)) == (4, 5)


def test_what_was_signed_before_the_register_is_never_installed_again(house):
    before = house.again(7, pack_id=PART_ID)
    house.clock.pass_days(1)
    house.take(house.register(PackRef(PACK_ID, 2)), house.again())
    [refused] = house.take(before)
    assert refused.reasons == ("replayed",)
    house.clock.pass_days(1)
    assert outcomes(house.take(house.again(8, pack_id=PART_ID))) == ["installed"]


def test_the_same_answer_twice_changes_nothing_more(house):
    answer = (house.register(PackRef(PACK_ID, 2)), house.again())
    house.take(*answer)
    before = (house.seats(), house.pack(), house.keys)
    register, pack = house.take(*answer)
    assert (register.outcome, register.accepted) == ("recovered", True)
    assert pack.reasons == ("pack-already-installed",)
    assert (house.seats(), house.pack(), house.keys) == before


@pytest.mark.parametrize("changes", [{"nonce": "11" * 16}, {"server_id": "07" * 16}])
def test_a_register_that_answers_somebody_else_changes_nothing(house, changes):
    [refused] = house.take(house.register(**changes))
    assert not refused.accepted
    assert house.pack() is not None
    assert (house.quarantined, house.keys) == (True, 0)


def test_a_key_that_cannot_be_exchanged_leaves_everything_as_it_was(house):
    def broken() -> str:
        raise LicensingError(Problem.UNAVAILABLE, "no room")

    house.new_key = broken
    with pytest.raises(LicensingError):
        house.take(house.register())
    assert house.pack() is not None
    assert house.quarantined


def test_a_new_ledger_gets_all_its_packs_from_the_register(tmp_path):
    clock = SetClock()
    with LEDGERS["sqlite"](tmp_path, clock) as ledger:
        made = Recovering(ledger, SOURCE, clock)
        made.act(enter_quarantine, Quarantine(Cause.ANEW, clock.now(), 0), by="first start")
        made.request(RecoverReason.REBUILD)
        clock.pass_days(1)
        answer = (made.register(PackRef(PACK_ID, 2), PackRef(PART_ID, 4)), made.again(), made.again(4, pack_id=PART_ID))
        assert outcomes(made.take(*answer)) == ["recovered", "installed", "installed"]
        assert not made.quarantined
        assert made.full("PC1")["status"] == "active"
        assert not made.audit()
