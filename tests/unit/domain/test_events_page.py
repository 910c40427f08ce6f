"""Does the page of the event format know every kind and key, and are its examples true?"""

import re
from pathlib import Path

import pytest

from calward.app.licensing.change_server import activate_server, change_settings, deactivate_server, make_server
from calward.app.licensing.plan_change import ChangePlan
from calward.app.licensing.quarantine import enter_quarantine
from calward.app.licensing.recover import take_register
from calward.app.licensing.request_packs import ask, ask_change, open_asks, to_recover
from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.domain.events import NUMBERS, Kind, encode_event, read_event
from calward.domain.key_packs import PackId
from calward.domain.pack_orders import PackRef, Register, TransferOutcome
from calward.domain.pack_requests import ChangeKind, RecoverReason, RecoverRequest
from calward.domain.quarantine import Cause, Quarantine
from calward.domain.reasons import Reason
from calward.domain.trace import Rule, Verdict
from tests.support.builders import USER, a_host, a_server, ladder
from tests.support.clocks import CountedEntropy, SetClock
from tests.support.house import House
from tests.support.moving import PACK_ID, SOURCE, a_statement, released
from tests.support.office import Office
from tests.support.signed import NOW

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "events.md").read_text(encoding="utf-8")
KINDS, EVERYWHERE = PAGE[PAGE.index("\n## Kinds") : PAGE.index("\n## Numbers")], {"id", "at", "kind"}
SECTIONS = dict(zip(*[iter(re.split(r"\n### ([a-z-]+)\n", KINDS)[1:])] * 2, strict=True))
USERS = a_host("2016", USER, number=2)


def keys_of(kind: str, *, always: bool = False) -> set[str]:
    """The keys in a kind's table; ``always``: those that are never missing."""
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \|", SECTIONS[kind], re.MULTILINE)
    return EVERYWHERE | {
        key for names, when in rows if not always or when == "yes" for key in re.findall(r"`(\w+)`", names)
    }


def examples(kind: str) -> list[str]:
    return re.findall(r"^\{.*\}$", SECTIONS[kind], re.MULTILINE)


def assert_documented(event: dict) -> None:
    assert keys_of(event["kind"], always=True) <= set(event) <= keys_of(event["kind"])


def test_every_kind_has_its_section_in_the_order_of_the_code():
    assert list(SECTIONS) == [kind.value for kind in Kind]


@pytest.mark.parametrize("kind", Kind)
def test_the_examples_are_canonical_and_have_the_keys_of_their_table(kind):
    assert examples(kind)
    for line in examples(kind):
        event = read_event(line)
        assert encode_event(event) == line
        assert event["kind"] == kind
        assert_documented(event)


@pytest.mark.parametrize("kind", [Kind.LICENSE, Kind.REFUSAL])
def test_the_traces_and_reasons_of_the_examples_are_real_ones(kind):
    for line in examples(kind):
        event = read_event(line)
        assert {Rule(numbers[0]) for numbers in event["trace"]} <= set(Rule)
        assert {Verdict(numbers[1]) for numbers in event["trace"]} <= set(Verdict)
        assert {Reason(reason) for reason in event.get("reasons", ())} <= set(Reason)


def test_the_old_systems_numbers_are_those_of_the_code():
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \|", PAGE[PAGE.index("## Numbers") :], re.MULTILINE)
    assert {int(number): words for number, words in rows} == dict(NUMBERS)


def a_full_history() -> Office:
    """An office in which nearly everything has happened."""
    office = Office()
    make_server(a_server(), office.book, now=office.now, by="set-up")
    office.remove(office.install("2003", total=1).id)
    pack = office.install(total=2)
    office.install(type_=USER, total=1)
    first, second = office.full(who="PC1"), office.full(who="PC2")
    office.ask(who="PC3")
    for license_ in (first, second):
        office.revoke(license_["license"])
    office.release(office.ask(USERS, "ann")["license"])
    office.remove(pack.id)
    change_settings({"per_user": "enforce"}, office.book, now=office.now, by="root")
    for user in ("ann", "bob"):
        office.ask(USERS, user)
    for _ in range(2):
        deactivate_server(office.book, now=office.now, by="root")
    office.ask(USERS, "cid")
    activate_server(office.now + 1, office.book, now=office.now, by="root", clearinghouse="Example CALs")
    office.pass_days(100)
    office.sweep()
    return office


def packs_that_move_and_change() -> House:
    """A server of which packs were frozen, left, came and became others."""
    clock = SetClock()
    house = House(MemoryLedger(CountedEntropy(), clock), SOURCE, clock)
    house.receive()
    for who in ("PC1", "PC2", "PC3"):
        house.full(who)
    plan = ChangePlan(PackId(PACK_ID), ChangeKind.CONVERT, "per-user", 1, "anna")
    house.look(lambda book: ask_change(plan, book, ladder(), house.signatures, house.entropy, now=book.now()))
    part = a_statement(pack_id="0b" * 16, total=4, version="2012")
    house.change(a_statement(generation=2, total=1), part)
    house.release(generation=2)
    house.end(TransferOutcome.CANCELLED, generation=2)
    house.release(generation=2, order_id="7e" * 16)
    house.ask("PC4")
    out = released(house.ledger, "7e" * 16)
    house.end(generation=2, transfer_id="7e" * 16)
    house.ask("PC9")
    house.release(generation=1, order_id="7d" * 16, pack=PackRef("0c" * 16, 1))
    house.take_over(out, 3, total=1)
    recover(house)
    return house


def recover(house: House) -> None:
    """The ledger is found to be an old one, and the clearinghouse's register helps it out."""
    house.act(
        enter_quarantine, Quarantine(Cause.OLDER, house.clock.now(), 7, 9, 5, "clearinghouse"), by="clearinghouse"
    )
    rest = (house.signatures, house.entropy)
    house.look(lambda book: ask(to_recover(RecoverReason.RESTORED), book, *rest, now=book.now()))
    one = house.look(lambda book: next(x for x in open_asks(book) if isinstance(x.question, RecoverRequest)))
    register = Register("0e" * 16, SOURCE, one.question.head.nonce, (), NOW)
    house.act(take_register, register, new_license_key=lambda: "0f" * 8, by="clearinghouse")


def test_every_event_that_the_use_cases_write_has_the_keys_of_its_table():
    events = a_full_history().events() + packs_that_move_and_change().ledger.events()
    for event in events:
        assert_documented(event)
    not_licensing = {kind for kind in Kind if kind.startswith(("host-", "token-", "policy", "holder-"))}
    assert {event["kind"] for event in events} == set(Kind) - not_licensing
