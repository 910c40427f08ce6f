"""Does verify pass on whatever the use cases write, and stay within its bounds?"""

import pytest

from calward.domain.cals import HolderKind
from calward.domain.events import Kind
from calward.domain.merkle import Frontier, leaf_hash
from tests.support.audits import DEVICES_HOST, USERS_HOST, a_long_history


@pytest.fixture
def lived(office):
    a_long_history(office)
    office.log.fold()
    return office


def test_an_empty_ledger_holds(office):
    found = office.verify()
    assert (found.holds, found.events, found.size) == (True, 0, 0)


def test_a_long_history_holds(lived):
    found = lived.verify()
    assert found.findings == []
    assert found.events == found.size > 50


def test_the_history_has_every_kind_of_ending(lived):
    with lived.reader.connect() as connection:
        endings = set(connection.exec_driver_sql("SELECT DISTINCT ending FROM license").scalars())
    assert endings == {None, "expired", "upgraded", "revoked", "released"}


@pytest.mark.parametrize("per_pass", [1, 7, 50])
def test_it_makes_no_difference_in_how_many_passes_it_is_verified(lived, per_pass):
    assert lived.verify(per_pass=per_pass).findings == []


def test_it_says_how_far_it_is(lived):
    told = []
    lived.verify(progress=lambda done, total: told.append((done, total)), per_pass=20)
    assert told[-1][0] == told[-1][1]
    assert told == sorted(told)


def test_the_root_is_that_of_the_events_in_order(lived):
    found = lived.verify()
    with lived.reader.connect() as connection:
        bodies = connection.exec_driver_sql("SELECT body FROM event ORDER BY position").scalars()
        assert found.root == Frontier().extend(leaf_hash(body.encode()) for body in bodies).root()
    assert lived.log.frontier().root() == found.root


def test_an_erased_holder_still_verifies(lived):
    def erase(book):
        holder = book.find_holder(HolderKind.USER, "user1")
        book.erase(holder)
        event = {"id": book.new_id(), "at": book.now(), "kind": Kind.HOLDER_ERASED.value, "holder": holder.token}
        book.append(event)

    lived.ledger.write(erase)
    assert lived.verify().findings == []
    lived.ask("user1", "again")
    assert lived.verify().findings == []


def test_questions_that_are_recorded_nowhere_leave_nothing_to_find(lived):
    from calward.app.licensing.requests import Request
    from tests.support.builders import a_question

    lived.ledger.write(Request(a_question(DEVICES_HOST, "never seen", "x", full_only=True), lived.entropy))
    lived.ask("user1", "again and again", USERS_HOST)
    assert lived.verify().findings == []
