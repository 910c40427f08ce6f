"""What does a checkpoint that somebody has seen say of a ledger?"""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from calward.domain.notes import Checkpoint
from calward.domain.quarantine import Cause, Quarantine, Standing, judge

ROOTS = {size: bytes([size]) * 32 for size in range(1, 11)}
STANDING = Standing(10, ROOTS[10])
THEN = datetime(2026, 3, 1, tzinfo=UTC)
SECONDS = int(THEN.timestamp())


def seen(size: int, root: bytes | None = None, at: datetime | None = THEN) -> Checkpoint:
    return Checkpoint("ls1/calward", size, root or ROOTS.get(size, b"?" * 32), at)


@pytest.mark.parametrize("size", ROOTS)
def test_what_this_ledger_has_said_of_itself_fits(size):
    assert judge(seen(size), STANDING, ROOTS.get) is None


def test_a_larger_ledger_shows_that_this_one_is_older():
    assert judge(seen(11), STANDING, ROOTS.get) is Cause.OLDER


@pytest.mark.parametrize("size", ROOTS)
def test_another_root_shows_that_another_history_was_seen(size):
    assert judge(seen(size, b"x" * 32), STANDING, ROOTS.get) is Cause.OTHER


def test_a_root_that_is_not_known_yet_says_nothing():
    assert judge(seen(5, b"x" * 32), STANDING, lambda _size: None) is None


@pytest.mark.parametrize("size", [5, 10, 99])
def test_what_was_signed_before_the_recovery_is_given_up(size):
    given_up = replace(STANDING, recovered_at=SECONDS)
    assert judge(seen(size, b"x" * 32), given_up, ROOTS.get) is None
    assert judge(seen(size, b"x" * 32, None), given_up, ROOTS.get) is None


@pytest.mark.parametrize(("size", "cause"), [(5, Cause.OTHER), (10, Cause.OTHER), (99, Cause.OLDER)])
def test_what_was_signed_after_the_recovery_counts(size, cause):
    given_up = replace(STANDING, recovered_at=SECONDS - 1)
    assert judge(seen(size, b"x" * 32), given_up, ROOTS.get) is cause


RESTORED = Quarantine(Cause.RESTORED, 100, 10)
OLDER = Quarantine(Cause.OLDER, 200, 11, 50, 90, "host:SH1")


@pytest.mark.parametrize(
    ("first", "then", "cause", "largest"),
    [
        (RESTORED, OLDER, Cause.OLDER, 50),
        (OLDER, RESTORED, Cause.OLDER, 50),
        (OLDER, replace(OLDER, seen=60), Cause.OLDER, 60),
        (OLDER, replace(OLDER, seen=40), Cause.OLDER, 50),
        (OLDER, replace(OLDER, cause=Cause.OTHER, seen=60), Cause.OTHER, 60),
    ],
)
def test_a_quarantine_keeps_its_beginning_and_the_worst_that_was_found_out(first, then, cause, largest):
    found = first.worse(then)
    assert (found.since, found.cause, found.seen) == (first.since, cause, largest)


@pytest.mark.parametrize("one", [RESTORED, OLDER])
def test_a_quarantine_is_read_back_as_it_was_written(one):
    assert Quarantine.decode(one.encode()) == one
