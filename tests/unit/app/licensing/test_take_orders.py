"""Is each thing of a bundle taken by itself, once, in an order that is safe, and said to people?"""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from calward.adapters.signing import seal
from calward.app.licensing.deactivate import request_deactivation
from calward.app.licensing.plan_change import ChangePlan
from calward.app.licensing.request_packs import ask, ask_change, open_asks, to_install, to_move
from calward.app.licensing.signed_things import CONTACT_NONCE
from calward.app.licensing.take_orders import Desk, Taken, done_orders, take
from calward.app.licensing.transfers import release_of
from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.domain.bundle import join
from calward.domain.errors import LicensingError
from calward.domain.key_packs import PackId
from calward.domain.pack_orders import TransferOutcome
from calward.domain.pack_requests import ChangeKind, MoveReason, SourceState
from calward.domain.statements import Activation, Channel, PayloadType, Program
from tests.support.builders import ladder
from tests.support.clocks import CountedEntropy, SetClock
from tests.support.house import House
from tests.support.moving import (
    PACK_ID,
    SOURCE,
    TARGET,
    a_change,
    a_statement,
    an_end,
    an_order,
    released,
    signatures_of,
    signed_pack,
)
from tests.support.signed import (
    ACTIVATION,
    NOW,
    ORDER_ID,
    PACK,
    STATEMENTS,
    STRANGER,
    TRANSFER_ID,
    a_keyring,
    sealed,
)


def a_house(server: str, version: str = "2025") -> House:
    clock = SetClock()
    return House(MemoryLedger(CountedEntropy(), clock), server, clock, version)


@pytest.fixture
def source() -> House:
    """A server with five CALs, one of them held by PC1."""
    house = a_house(SOURCE)
    house.receive()
    house.full("PC1")
    return house


@pytest.fixture
def target() -> House:
    return a_house(TARGET)


def taken(house: House, *envelopes: bytes) -> list[Taken]:
    desk = Desk(house.signatures, ladder(), house.entropy)
    return list(take(join(envelopes), house.ledger, desk))


def outcomes(house: House, *envelopes: bytes) -> list[tuple[str, str]]:
    return [(one.kind, one.outcome) for one in taken(house, *envelopes)]


def done(house: House) -> tuple[str, ...]:
    return house.look(done_orders)


ORDER = sealed(an_order())
COMPLETED = sealed(an_end())
CANCELLED = sealed(an_end(TransferOutcome.CANCELLED))


def an_activation(house: House, nonce: str, days: int = 30) -> bytes:
    right = Activation(
        house.server,
        "LS",
        signatures_of(house.server).public_key,
        "Example CALs",
        Channel.ONLINE,
        nonce,
        NOW,
        NOW + timedelta(days=days),
    )
    return seal(PayloadType.ACTIVATION, right.to_payload(), ACTIVATION)


def test_an_empty_answer_is_nothing_to_take(source):
    assert take(b"", source.ledger, Desk(source.signatures, ladder(), source.entropy)) == ()


def test_what_is_no_bundle_is_an_error(source):
    with pytest.raises(LicensingError, match="empty line"):
        take(b"\n\n", source.ledger, Desk(source.signatures, ladder(), source.entropy))


def test_an_order_is_carried_out_and_remembered_as_done(source):
    [one] = taken(source, ORDER)
    assert (one.kind, one.outcome, one.facts["licenses"]) == ("transfer-order", "released", 1)
    assert done(source) == (TRANSFER_ID,)
    assert outcomes(source, COMPLETED) == [("transfer-end", "moved")]
    assert done(source) == (TRANSFER_ID, ORDER_ID)
    assert source.pack() is None


def test_repeated_orders_change_nothing_more_in_any_number(source):
    first = taken(source, ORDER, ORDER)[1]
    bundle = source.look(lambda book: release_of(book, TRANSFER_ID))
    assert first.accepted
    taken(source, ORDER)
    assert source.look(lambda book: release_of(book, TRANSFER_ID)) == bundle
    assert outcomes(source, COMPLETED, COMPLETED, ORDER)[1:] == [("transfer-end", "ended"), ("transfer-order", "ended")]
    assert done(source) == (ORDER_ID, TRANSFER_ID)


def test_the_end_before_the_order_keeps_the_order_from_freezing_anything(source):
    assert outcomes(source, CANCELLED, ORDER) == [("transfer-end", "ended"), ("transfer-order", "ended")]
    assert source.pack().transfer is None


def test_a_completed_transfer_is_not_undone_by_a_late_cancellation(source):
    other = sealed(an_end(TransferOutcome.CANCELLED, order_id="0c" * 16))
    assert outcomes(source, ORDER, COMPLETED, other)[-1] == ("transfer-end", "ended")
    assert source.pack() is None


def test_a_pack_and_its_list_are_taken_together_wherever_the_list_stands(source, target):
    taken(source, ORDER)
    out = released(source.ledger)
    pack = signed_pack(TARGET, 2, handover=out.release.handover)
    [one] = taken(target, out.handover, pack)
    assert (one.kind, one.outcome, one.facts["adopted"], one.facts["pack"]) == ("key-pack", "installed", 1, PACK_ID)


def test_a_list_that_is_not_the_one_that_was_released_counts_as_missing(source, target):
    taken(source, ORDER)
    out = released(source.ledger)
    changed = out.handover.replace(b"payload", b"payloae", 1)
    [one] = [
        x for x in taken(target, changed, signed_pack(TARGET, 2, handover=out.release.handover)) if x.kind == "key-pack"
    ]
    assert one.reasons == ("handover-missing",)
    assert target.pack() is None


@pytest.mark.parametrize("kind", sorted(STATEMENTS))
def test_nothing_that_a_stranger_signed_is_taken(source, kind):
    before = len(source.ledger.events())
    results = taken(source, seal(kind, STATEMENTS[kind]().to_payload(), STRANGER))
    assert not [one for one in results if one.accepted]
    assert len(source.ledger.events()) == before


def test_what_is_for_another_server_is_not_taken(target):
    [one] = taken(target, ORDER)
    assert (one.outcome, one.reasons) == ("not-accepted", ("for-another-server",))
    assert done(target) == ()


def test_a_request_or_rubbish_is_told_apart_from_an_answer(source):
    request = seal(PayloadType.CONTACT, STATEMENTS[PayloadType.CONTACT]().to_payload(), PACK)
    found = taken(source, request, b"rubbish")
    assert [one.kind for one in found] == ["contact", "unknown"]
    assert [one.reasons for one in found] == [("wrong-payload-type",), ("malformed",)]


def test_one_bad_envelope_does_not_keep_the_others_from_being_taken(source):
    assert [one.accepted for one in taken(source, b"rubbish", ORDER)] == [False, True]


def test_a_keyring_is_kept(source):
    assert outcomes(source, sealed(a_keyring(version=2))) == [("keyring", "kept")]


def test_the_right_to_issue_is_taken_after_the_word_that_a_pack_has_gone(source):
    source.look(lambda book: book.keep_document(CONTACT_NONCE, b"4e" * 16))
    right = an_activation(source, "4e" * 16)
    assert outcomes(source, right, COMPLETED) == [("transfer-end", "moved"), ("activation", "activated")]
    [again] = taken(source, right)
    assert "event" not in again.facts  # It is the same right: nothing is written.


def test_no_answer_from_before_a_deactivation_gives_the_right_back(source):
    source.look(lambda book: book.keep_document(CONTACT_NONCE, b"4e" * 16))
    rest = (source.signatures, source.entropy)
    source.look(lambda book: request_deactivation(book, *rest, now=book.now(), by="anna"))
    [one] = taken(source, an_activation(source, "4e" * 16))
    assert one.reasons == ("answers-another-request",)
    assert source.look(lambda book: book.server().issue_until) is None


def asked(house: House, wanted: Any) -> Any:
    rest = (house.signatures, house.entropy)
    house.look(lambda book: ask(wanted, book, *rest, now=book.now()))
    return house.look(lambda book: next(x for x in open_asks(book) if x.name == wanted.name))


def test_an_offer_says_whether_this_server_could_hold_the_pack():
    house = a_house(TARGET, "2016")
    one = asked(house, to_install(Program.OPEN, ("12345678",), preview=True))
    offer = replace(
        STATEMENTS[PayloadType.INSTALL_OFFER](), server_id=TARGET, nonce=one.question.head.nonce, version="2022"
    )
    [found] = taken(house, sealed(offer))
    assert (found.outcome, found.facts["fits"], found.facts["would_do"]) == ("offered", False, ["2022", "2025"])
    assert house.look(lambda book: list(open_asks(book))) == []
    [again] = taken(house, sealed(offer))
    assert again.reasons == ("answers-another-request",)


def test_an_offer_of_another_ladder_fits_nowhere_here(target):
    one = asked(target, to_install(Program.OPEN, ("12345678",), preview=True))
    offer = replace(
        STATEMENTS[PayloadType.INSTALL_OFFER](), server_id=TARGET, nonce=one.question.head.nonce, ladder="harbor"
    )
    assert taken(target, sealed(offer))[0].facts["fits"] is False


def test_an_installed_pack_answers_the_question_about_it_and_no_other(target):
    for quantity in (5, 7):
        asked(target, to_install(Program.RETAIL, ("AAAAA",), quantity))
    asked(target, to_install(Program.OPEN, ("AAAAA",)))
    taken(target, signed_pack(TARGET))
    left = target.look(lambda book: [x.question for x in open_asks(book)])
    assert {(x.program, x.quantity) for x in left} == {(Program.RETAIL, 7), (Program.OPEN, None)}


def test_a_pack_that_was_moved_here_answers_the_move(source, target):
    asked(target, to_move(SOURCE, SourceState.CONNECTED, MoveReason.REPLACED, (PACK_ID,)))
    taken(source, ORDER)
    out = released(source.ledger)
    taken(target, signed_pack(TARGET, 2, handover=out.release.handover), out.handover)
    assert target.look(lambda book: list(open_asks(book))) == []


def test_a_change_that_was_carried_out_answers_the_question_about_it(source):
    plan = ChangePlan(PackId(PACK_ID), ChangeKind.DOWNGRADE, "2012", None, "anna")
    rest = (source.signatures, source.entropy)
    source.look(lambda book: ask_change(plan, book, ladder(), *rest, now=book.now()))
    [one] = taken(source, sealed(a_change(SOURCE, a_statement(generation=2, version="2012"))))
    assert (one.outcome, one.facts["licenses"]) == ("changed", 1)
    assert source.look(lambda book: list(open_asks(book))) == []


def test_an_order_that_could_not_be_carried_out_is_not_reported_as_done(source):
    taken(source, ORDER)
    [one] = taken(source, sealed(a_change(SOURCE, a_statement(generation=2, version="2012"))))
    assert (one.outcome, one.reasons) == ("refused", ("pack-moving",))
    assert done(source) == (TRANSFER_ID,)
