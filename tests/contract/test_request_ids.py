"""What becomes of request ids that were used before, when many requests are written together?

A group takes it that who is new comes with a new request id (docs/decisions/0005); here that is wrong.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calward.app.licensing.requests import Request
from calward.app.ports import Ledger
from calward.domain.errors import LicensingError, Problem
from tests.support.builders import USER, a_host, a_key_pack, a_question, a_server
from tests.support.clocks import CountedEntropy, SetClock
from tests.support.ledgers import LEDGERS

HOST = a_host(mode=USER)
CALS = 10
POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])


@pytest.fixture(params=["memory", "sqlite", POSTGRESQL])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    """A ledger with CALs for ten users."""
    place = request.getfixturevalue("postgresql_database") if request.param == "postgresql" else tmp_path
    with LEDGERS[request.param](place, SetClock()) as ledger:
        ledger.write(lambda book: book.set_server(a_server()))
        ledger.write(lambda book: book.add_pack(a_key_pack(type_=USER, total=CALS), b""))
        yield ledger


def ask(ledger: Ledger, *questions: tuple[str, str], **changes: Any) -> list[Any]:
    """Ask for (user, request id) in one group; the numbers of the licenses, and errors as their problems."""
    acts = [Request(a_question(HOST, who, id_, **changes), CountedEntropy()) for who, id_ in questions]
    return [x.problem if isinstance(x, LicensingError) else x["license"] for x in ledger.write_all(acts)]


def left(ledger: Ledger) -> int:
    return ledger.write(lambda book: book.free(book.shelf().packs, book.now(), CALS))


def test_a_newcomer_with_a_used_id_is_refused_and_the_others_are_served(ledger):
    [first] = ask(ledger, ("alice", "r1"))
    second, refused, third = ask(ledger, ("bob", "r2"), ("mallory", "r1"), ("cid", "r3"))
    assert refused is Problem.CONFLICT
    assert len({first, second, third}) == 3
    assert left(ledger) == CALS - 3


def test_who_asks_again_among_newcomers_gets_the_same_license(ledger):
    [first] = ask(ledger, ("alice", "r1"))
    again, other = ask(ledger, ("alice", "r1"), ("bob", "r2"))
    assert again == first != other
    assert left(ledger) == CALS - 2


def test_one_id_for_two_newcomers_of_a_group_serves_the_first(ledger):
    first, refused, other = ask(ledger, ("alice", "r1"), ("bob", "r1"), ("cid", "r3"))
    assert refused is Problem.CONFLICT
    assert first != other
    assert left(ledger) == CALS - 2


def test_one_question_twice_in_a_group_is_one_license(ledger):
    first, again = ask(ledger, ("alice", "r1"), ("alice", "r1"))
    assert first == again
    assert left(ledger) == CALS - 1


def test_a_newcomer_who_would_leave_no_trace_is_refused_too(ledger):
    ask(ledger, *((f"user{n}", f"r{n}") for n in range(CALS)))
    assert ask(ledger, ("mallory", "r1"), ("eve", "r2"), full_only=True) == [Problem.CONFLICT] * 2
