"""Does a license server keep in touch until nothing new comes, and is whatever got lost on the way made up for?"""

from collections.abc import Callable
from typing import Any

import pytest

from calward.adapters.signing import verify
from calward.app.licensing.contact import ask_online, contact_online, make_contact
from calward.app.licensing.install_key_pack import InstallKeyPack, install_key_pack
from calward.app.licensing.plan_change import ChangePlan
from calward.app.licensing.request_packs import ask, ask_change, open_asks, to_cancel, to_install
from calward.app.licensing.take_orders import Desk
from calward.app.licensing.transfers import releases
from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.bundle import split
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.handover import MAX_HANDOVER_SIZE
from calward.domain.key_packs import PackId
from calward.domain.licenses import NEVER
from calward.domain.pack_acceptance import ServerKey, accept_server_request, payload_type_of
from calward.domain.pack_requests import ChangeKind, PackState
from calward.domain.statements import PayloadType, Program
from tests.support.builders import ladder
from tests.support.clocks import CountedEntropy, SetClock
from tests.support.house import House
from tests.support.moving import PACK_ID, SOURCE, a_change, a_statement, an_end, an_order, signatures_of, signed_pack
from tests.support.signed import ORDER_ID, TRANSFER_ID, sealed

KEY = ServerKey(SOURCE, signatures_of(SOURCE).public_key)


class Scripted:
    """A clearinghouse that answers what the test says, by the kind of request, and remembers what it was sent."""

    def __init__(self, **answers: Callable[[Any], Any]) -> None:
        self.answers, self.heard = answers, []
        self.down = False

    def ask(self, bundle: bytes) -> bytes | NotAccepted:
        if self.down:
            raise LicensingError(Problem.UNREACHABLE, "the clearinghouse does not answer")
        first = split(bundle, max_size=MAX_HANDOVER_SIZE)[0]
        kind = payload_type_of(first)
        assert kind is not None
        said = accept_server_request(first, kind, key_of=lambda _: KEY, verify=verify)
        assert not isinstance(said, NotAccepted)
        self.heard.append(said)
        answer = self.answers.get(type(said).__name__, lambda _: b"")
        return answer(said)

    def kinds(self) -> list[str]:
        return [type(one).__name__ for one in self.heard]


@pytest.fixture
def house() -> House:
    clock = SetClock()
    found = House(MemoryLedger(CountedEntropy(), clock), SOURCE, clock)
    found.receive()
    found.full("PC1")
    return found


def desk(house: House) -> Desk:
    return Desk(house.signatures, ladder(), house.entropy)


def contact(house: House, counter: Scripted) -> Any:
    return contact_online(house.ledger, counter, desk(house), lambda: "a note")


def test_a_contact_says_what_is_held_and_what_was_done(house):
    house.release()
    rest = (house.signatures, house.entropy)
    text = house.look(lambda book: make_contact(book, "a note", *rest, now=book.now()))
    said = accept_server_request(text, PayloadType.CONTACT, key_of=lambda _: KEY, verify=verify)
    assert said.checkpoint == "a note"
    assert [(one.pack_id, one.generation, one.state) for one in said.packs] == [(PACK_ID, 1, PackState.FROZEN)]


def test_packs_that_no_clearinghouse_signed_are_not_reported(house):
    house.receive(1, pack_id="0b" * 16)
    rest = (house.signatures, house.entropy)
    made_up = InstallKeyPack(PackId("P1"), "2016", CalType.PER_USER, 1, NEVER, "root")
    house.look(lambda book: install_key_pack(made_up, book, ladder(), now=book.now()))
    text = house.look(lambda book: make_contact(book, "", *rest, now=book.now()))
    said = accept_server_request(text, PayloadType.CONTACT, key_of=lambda _: KEY, verify=verify)
    assert [one.pack_id for one in said.packs] == ["0b" * 16, PACK_ID]


def test_what_is_ordered_is_carried_out_sent_and_reported_in_one_go(house):
    released = []
    counter = Scripted(
        Contact=lambda said: sealed(an_order()) if TRANSFER_ID not in said.done else b"",
        Release=lambda said: (released.append(said), sealed(an_end()))[1],
    )
    said = contact(house, counter)
    assert [(one.kind, one.outcome) for one in said.taken] == [
        ("transfer-order", "released"),
        ("transfer-end", "moved"),
    ]
    assert counter.kinds() == ["Contact", "Release", "Contact"]
    assert counter.heard[-1].done == (TRANSFER_ID, ORDER_ID)
    assert house.pack() is None
    assert released[0].licenses == 1


def test_a_release_whose_answer_was_lost_is_sent_again_byte_for_byte(house):
    house.release()
    kept = house.look(releases)
    counter = Scripted()
    contact(house, counter)
    contact(house, counter)
    assert counter.kinds() == ["Release", "Contact"] * 2
    assert counter.heard[0] == counter.heard[2]
    assert house.look(releases) == kept


def test_nothing_is_said_for_ever(house):
    counter = Scripted(Contact=lambda _said: sealed(an_order()))
    contact(house, counter)
    assert counter.kinds().count("Contact") == 4


def test_a_no_to_a_contact_is_told_and_ends_it(house):
    no = NotAccepted(AcceptanceRefusal.REPLAYED, "no")
    assert contact(house, Scripted(Contact=lambda _: no)).refused == no


def test_a_clearinghouse_that_has_seen_more_of_the_ledger_puts_the_server_into_quarantine(house):
    no = NotAccepted(AcceptanceRefusal.LEDGER_ROLLED_BACK, "older than before")
    contact(house, Scripted(Contact=lambda _: no))
    assert house.look(lambda book: book.server().quarantined_at) is not None


def a_question(house: House, wanted: Any) -> bytes:
    rest = (house.signatures, house.entropy)
    return house.look(lambda book: ask(wanted, book, *rest, now=book.now()))


def asks(house: House) -> list[Any]:
    return house.look(lambda book: list(open_asks(book)))


def online(house: House, request: bytes, counter: Scripted) -> Any:
    return ask_online(request, house.ledger, counter, desk(house), lambda: "")


def test_an_answer_is_taken_and_the_question_closed(house):
    request = a_question(house, to_install(Program.RETAIL, ("AAAAA",), 5))
    counter = Scripted(InstallRequest=lambda _: signed_pack(SOURCE, 1, pack_id="0b" * 16))
    said = online(house, request, counter)
    assert [one.outcome for one in said.taken] == ["installed"]
    assert asks(house) == []


def test_a_question_stays_open_while_nobody_answers(house):
    request, counter = a_question(house, to_install(Program.RETAIL, ("AAAAA",), 5)), Scripted()
    counter.down = True
    with pytest.raises(LicensingError, match="does not answer"):
        online(house, request, counter)
    assert [one.envelope for one in asks(house)] == [request]
    assert a_question(house, to_install(Program.RETAIL, ("AAAAA",), 5)) == request


def test_a_no_closes_the_question(house):
    no = NotAccepted(AcceptanceRefusal.NUMBER_UNKNOWN, "no such number")
    request = a_question(house, to_install(Program.RETAIL, ("AAAAA",), 5))
    assert online(house, request, Scripted(InstallRequest=lambda _: no)).refused == no
    assert asks(house) == []


def test_a_cancellation_needs_no_answer_of_its_own(house):
    online(house, a_question(house, to_cancel("7f" * 16)), Scripted())
    assert asks(house) == []


def a_conversion(house: House) -> bytes:
    plan = ChangePlan(PackId(PACK_ID), ChangeKind.CONVERT, "per-user", 2, "anna")
    rest = (house.signatures, house.entropy)
    return house.look(lambda book: ask_change(plan, book, ladder(), *rest, now=book.now()))


def test_cals_that_were_set_aside_for_a_no_are_given_back(house):
    request = a_conversion(house)
    assert house.free() == 2
    no = NotAccepted(AcceptanceRefusal.NOT_CONVERTIBLE, "the agreement does not let them")
    online(house, request, Scripted(ChangeRequest=lambda _: no))
    assert (house.free(), house.pack().aside) == (4, 0)


def test_a_no_to_a_downgrade_has_nothing_to_give_back(house):
    plan = ChangePlan(PackId(PACK_ID), ChangeKind.DOWNGRADE, "2012", None, "anna")
    rest = (house.signatures, house.entropy)
    request = house.look(lambda book: ask_change(plan, book, ladder(), *rest, now=book.now()))
    no = NotAccepted(AcceptanceRefusal.PACK_MOVING, "it is on its way")
    online(house, request, Scripted(ChangeRequest=lambda _: no))
    assert (asks(house), house.free()) == ([], 4)


def test_cals_set_aside_wait_while_nobody_answers(house):
    counter = Scripted()
    counter.down = True
    with pytest.raises(LicensingError):
        online(house, a_conversion(house), counter)
    assert house.free() == 2
    counter.down = False
    change = a_change(SOURCE, a_statement(generation=2, total=5, version="2012"))
    counter.answers["ChangeRequest"] = lambda _: sealed(change)
    online(house, a_conversion(house), counter)
    assert (house.pack().version, house.pack().aside) == ("2012", 0)
