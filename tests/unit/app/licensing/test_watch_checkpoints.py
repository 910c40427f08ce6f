"""What happens to a checkpoint that a host shows, without a server around it?"""

import base64
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest

from calward.adapters.signing import verify
from calward.app.licensing.change_server import make_server
from calward.app.licensing.quarantine import enter_quarantine, quarantine_of
from calward.app.licensing.watch_checkpoints import CheckpointWatch, WatchedKey
from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.domain.errors import LicensingError, Problem
from calward.domain.notes import checkpoint_text, sign_note
from calward.domain.quarantine import Cause, Quarantine, Standing
from tests.support.builders import a_host, a_server
from tests.support.clocks import NOW, CountedEntropy, SetClock
from tests.support.signed import SERVER, STRANGER

ORIGIN = "5e/calward"
ROOTS = {size: bytes([size]) * 32 for size in range(1, 11)}
FIRST, SECOND = a_host("2016", number=1), replace(a_host("2016", number=2), name="SH2")


@dataclass
class FakeTree:
    """A tree of ten events; ``looked``: at which sizes somebody had to look at the events."""

    now: Standing = field(default_factory=lambda: Standing(10, ROOTS[10]))
    hosts: frozenset[int] = frozenset({1, 2})
    looked: list[set[int]] = field(default_factory=list)

    def standing(self) -> Standing:
        return self.now

    def roots_at(self, sizes: Collection[int]) -> Mapping[int, bytes]:
        self.looked.append(set(sizes))
        return {size: ROOTS[size] for size in sizes}

    def enrolled(self) -> Collection[int]:
        return self.hosts


@dataclass
class Room:
    tree: FakeTree = field(default_factory=FakeTree)
    clock: SetClock = field(default_factory=SetClock)

    def __post_init__(self) -> None:
        self.ledger = MemoryLedger(CountedEntropy(), self.clock)
        make_server(a_server(), self.ledger, now=NOW, by="tests")
        self.watch = CheckpointWatch(self.ledger, self.tree, WatchedKey(ORIGIN, SERVER.public_key, verify))

    @property
    def cause(self) -> Cause | None:
        found = quarantine_of(self.ledger)
        return found.cause if found else None

    def restored(self) -> None:
        self.clock.pass_days(1)
        now = self.clock.now()
        enter_quarantine(Quarantine(Cause.RESTORED, now, 10), self.ledger, now=now, by="tests")


@pytest.fixture
def room() -> Room:
    return Room()


def header(size: int, root: bytes | None = None, *, key=SERVER, origin: str = ORIGIN, at: int = NOW) -> bytes:
    text = checkpoint_text(origin, size, root or ROOTS.get(size, b"?" * 32), datetime.fromtimestamp(at, UTC))
    return base64.b64encode(sign_note(text, origin, key.public_key, key.sign).encode().encode())


def test_what_was_published_is_known_at_a_glance(room):
    room.watch.publish(header(10), 10, ROOTS[10])
    assert not room.watch.is_news(1, header(10))


def test_what_a_host_has_shown_before_is_known_at_a_glance(room):
    assert room.watch.is_news(1, header(9))
    room.watch.compare(FIRST, header(9))
    assert not room.watch.is_news(1, header(9))
    assert room.watch.is_news(2, header(9))


@pytest.mark.parametrize(("size", "root", "cause"), [(11, None, Cause.OLDER), (10, b"x" * 32, Cause.OTHER)])
def test_more_or_other_events_put_the_server_into_quarantine_at_once(room, size, root, cause):
    room.watch.compare(FIRST, header(size, root))
    assert room.cause is cause
    assert room.tree.looked == []


def test_a_smaller_ledger_of_another_history_is_found_in_the_background(room):
    room.watch.compare(FIRST, header(5, b"x" * 32))
    room.watch.compare(SECOND, header(6))
    assert room.cause is None
    room.watch.settle()
    assert room.cause is Cause.OTHER
    assert room.tree.looked == [{5, 6}]


def test_a_root_that_is_known_is_not_looked_for_again(room):
    for size in (5, 5, 6):
        room.watch.compare(FIRST, header(size))
        room.watch.settle()
    assert room.tree.looked == [{5}, {6}]


FOREIGN = {
    "another key": header(11, key=STRANGER),
    "another ledger": header(11, origin="07/calward"),
    "no base64": b"*",
    "no note": base64.b64encode(b"hello"),
    "no text": base64.b64encode(b"\xff\xfe"),
    "too long": header(11) + b"A" * 3000,
    "nothing": b"",
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_this_server_has_not_signed_says_nothing_and_is_not_read_twice(room, what):
    room.watch.compare(FIRST, FOREIGN[what])
    room.watch.settle()
    assert room.cause is None
    assert not room.watch.is_news(1, FOREIGN[what])


def test_a_restored_ledger_is_confirmed_by_every_host_and_not_by_some(room):
    room.restored()
    room.watch.compare(FIRST, header(10))
    room.watch.settle()
    assert room.cause is Cause.RESTORED
    room.watch.compare(SECOND, header(7))
    room.watch.settle()
    room.watch.settle()
    assert room.cause is None


def test_what_a_host_heard_after_the_restore_confirms_nothing(room):
    room.restored()
    for host in (FIRST, SECOND):
        room.watch.compare(host, header(10, at=room.clock.now()))
    room.watch.settle()
    assert room.cause is Cause.RESTORED


def test_without_a_host_nothing_confirms_it(room):
    room.tree.hosts = frozenset()
    room.restored()
    room.watch.compare(FIRST, header(10))
    room.watch.settle()
    assert room.cause is Cause.RESTORED


def test_what_confirmed_it_before_a_restart_still_counts(room):
    room.restored()
    room.watch.compare(FIRST, header(10))
    again = CheckpointWatch(room.ledger, room.tree, WatchedKey(ORIGIN, SERVER.public_key, verify))
    again.compare(SECOND, header(10))
    again.settle()
    assert room.cause is None


def test_who_has_seen_more_outweighs_all_who_have_not(room):
    room.restored()
    room.watch.compare(FIRST, header(10))
    room.watch.compare(SECOND, header(12))
    room.watch.settle()
    assert room.cause is Cause.OLDER
    room.watch.compare(SECOND, header(10))
    room.watch.settle()
    assert room.cause is Cause.OLDER


def test_what_could_not_be_looked_up_is_looked_up_the_next_time(room, monkeypatch):
    def broken(_sizes: Collection[int]) -> Mapping[int, bytes]:
        raise LicensingError(Problem.UNAVAILABLE, "the database is away")

    room.watch.compare(FIRST, header(5, b"x" * 32))
    with monkeypatch.context() as patched:
        patched.setattr(room.tree, "roots_at", broken)
        with pytest.raises(LicensingError):
            room.watch.settle()
    assert room.cause is None
    room.watch.settle()
    assert room.cause is Cause.OTHER


def test_a_database_that_goes_back_under_a_running_server_makes_it_forget_what_it_has_published(room):
    room.watch.publish(header(12), 12, b"c" * 32)
    assert not room.watch.is_news(1, header(12))
    room.watch.publish(header(10), 10, ROOTS[10])
    assert room.watch.is_news(1, header(12))
    room.watch.compare(FIRST, header(12))
    assert room.cause is Cause.OLDER
