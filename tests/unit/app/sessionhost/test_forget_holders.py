"""What a host forgets: holders that change no answer any more, and where there are too many, those that matter least."""

from datetime import datetime, timedelta

import pytest

from calward.app.sessionhost.forget_holders import KEPT_AFTER_END, forget_holders
from calward.app.sessionhost.ports import BoundSession, Memory
from tests.support.session_host import NOW, a_held_license

HERE = BoundSession(":10", NOW, "L1")
GONE = BoundSession(":99", NOW, "L1")


class Shelf:
    def __init__(self, **holders: Memory):
        self.kept = holders

    def count(self) -> int:
        return len(self.kept)

    def holders(self):
        return iter(list(self.kept.items()))

    def forget(self, judged):
        for name, memory in judged:
            assert self.kept.pop(name) == memory
        return len(judged)


def holding(ends: datetime, status: str = "temporary", **changes) -> Memory:
    return Memory(last=a_held_license(expires_at=ends, status=status), **changes)


def forget(shelf: Shelf, most: int = 100) -> int:
    return forget_holders(shelf, NOW, most=most, is_gone=lambda session: session == GONE)


@pytest.mark.parametrize(("memory", "stays"), [
    (holding(NOW + timedelta(days=1)), True),
    (holding(NOW - KEPT_AFTER_END + timedelta(seconds=1)), True),
    (holding(NOW - KEPT_AFTER_END), False),
    (holding(NOW - timedelta(days=400), "active", proven=True), False),
    (Memory(), False),
    (Memory(proven=True), False),
    (Memory(sessions=(HERE,)), True),
    (Memory(sessions=(GONE,)), False),
    (Memory(sessions=(GONE, HERE)), True),
    (holding(NOW - timedelta(days=400), sessions=(HERE,)), True),
])  # fmt: skip
def test_whoever_can_change_an_answer_stays(memory, stays):
    shelf = Shelf(someone=memory)
    assert forget(shelf) == (not stays)
    assert bool(shelf.kept) is stays


def test_of_too_many_strangers_go_before_all_that_are_proven_whatever_their_ends():
    proven = {f"p{number}": holding(NOW + timedelta(days=1), "active") for number in range(10)}
    logged_on = {f"l{number}": holding(NOW + timedelta(days=1), proven=True) for number in range(10)}
    in_session = {"s": holding(NOW - timedelta(days=1), sessions=(HERE,))}
    strangers = {f"x{number}": holding(NOW + timedelta(days=90 + number)) for number in range(1000)}
    shelf = Shelf(**strangers, **proven, **logged_on, **in_session)
    assert forget(shelf, most=30) == 1021 - 27
    assert shelf.kept.keys() > {*proven, *logged_on, *in_session}
    assert {name for name in shelf.kept if name.startswith("x")} == {f"x{number}" for number in range(994, 1000)}


def test_no_more_are_forgotten_than_needed_where_useless_ones_make_the_room():
    useless = {f"u{number}": Memory() for number in range(50)}
    shelf = Shelf(**useless, p=holding(NOW + timedelta(days=1)))
    assert forget(shelf, most=10) == 50
    assert set(shelf.kept) == {"p"}
