"""Does a question stay the same bytes until its answer was taken, and is it a new one afterwards?"""

from typing import Any

import pytest

from calward.adapters.signing import verify
from calward.app.licensing.change_server import activate_server, deactivate_server
from calward.app.licensing.deactivate import request_deactivation
from calward.app.licensing.request_packs import (
    ASKS_KEPT_FOR,
    ask,
    forget_ask,
    open_asks,
    to_cancel,
    to_install,
    to_move,
    to_recover,
)
from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.domain.licenses import NEVER
from calward.domain.pack_acceptance import ServerKey, accept_server_request, payload_type_of
from calward.domain.pack_requests import MoveReason, RecoverReason, SourceState
from calward.domain.statements import Program
from tests.support.clocks import CountedEntropy, SetClock
from tests.support.house import House
from tests.support.moving import SOURCE, TARGET, signatures_of

INSTALL = to_install(Program.OPEN, ("12345678", "AUTH"), 5)
EVERY_ASK = [
    INSTALL,
    to_install(Program.OPEN, ("12345678", "AUTH"), 5, preview=True),
    to_move(SOURCE, SourceState.CONNECTED, MoveReason.REPLACED, ("9a" * 16,)),
    to_move(SOURCE, SourceState.DEAD, MoveReason.NO_LONGER_WORKING, proof="12345678"),
    to_cancel("7f" * 16),
    to_recover(RecoverReason.REBUILD),
]


@pytest.fixture
def house() -> House:
    clock = SetClock()
    return House(MemoryLedger(CountedEntropy(), clock), TARGET, clock)


def asked(house: House, wanted: Any) -> bytes:
    rest = (house.signatures, house.entropy)
    return house.look(lambda book: ask(wanted, book, *rest, now=book.now()))


@pytest.mark.parametrize("wanted", EVERY_ASK)
def test_a_question_is_signed_so_that_the_clearinghouse_takes_it(house, wanted):
    text = asked(house, wanted)
    key = ServerKey(TARGET, signatures_of(TARGET).public_key)
    found = accept_server_request(text, payload_type_of(text), key_of=lambda _: key, verify=verify)
    assert (found.head.server_id, found.head.server_version) == (TARGET, "2025")


@pytest.mark.parametrize("wanted", EVERY_ASK)
def test_asked_again_it_is_the_same_bytes_until_it_is_answered(house, wanted):
    first = asked(house, wanted)
    house.clock.pass_days(3)
    assert asked(house, wanted) == first
    [one] = house.look(lambda book: list(open_asks(book)))
    assert one.envelope == first
    house.look(lambda book: forget_ask(book, one.name))
    assert asked(house, wanted) != first


def test_other_questions_are_other_requests(house):
    assert len({asked(house, wanted) for wanted in EVERY_ASK}) == len(EVERY_ASK)
    assert len(house.look(lambda book: list(open_asks(book)))) == len(EVERY_ASK)


def test_the_order_in_which_packs_are_named_makes_no_other_question(house):
    packs = ("9a" * 16, "0b" * 16)
    both = [to_move(SOURCE, SourceState.DEAD, MoveReason.REPLACED, x) for x in (packs, packs[::-1])]
    assert asked(house, both[0]) == asked(house, both[1])


def test_a_question_that_was_never_answered_is_asked_anew_after_a_month(house):
    first = asked(house, INSTALL)
    house.clock.pass_days(ASKS_KEPT_FOR // 86400)
    assert asked(house, INSTALL) != first


def test_a_deactivation_is_written_down_before_it_is_said_and_said_in_the_same_words(house):
    rest = (house.signatures, house.entropy)
    said = house.look(lambda book: request_deactivation(book, *rest, now=book.now(), by="anna"))
    assert house.look(lambda book: book.server().issue_until) is None
    assert house.look(lambda book: request_deactivation(book, *rest, now=book.now(), by="anna")) == said
    house.act(activate_server, NEVER, by="anna")
    assert house.look(lambda book: request_deactivation(book, *rest, now=book.now(), by="anna")) != said


def test_a_server_that_was_deactivated_here_may_still_say_so(house):
    house.act(deactivate_server, by="anna")
    rest = (house.signatures, house.entropy)
    assert house.look(lambda book: request_deactivation(book, *rest, now=book.now(), by="anna"))
