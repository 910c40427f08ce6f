"""See whether a host has heard of more than this ledger holds, before the host is answered.

Hosts send back the newest checkpoint that they heard. What this process has published itself, or what a host has shown before, is
known at a glance; anything else is read, and compared with the ledger. INVARIANT: a checkpoint is published only after the tree it
tells of was committed, so that one which was received before the tree is read can never be larger by itself.
"""

import base64
import binascii
from collections import OrderedDict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Final, Protocol, TypeVar

from calward.app.licensing.quarantine import (
    confirm,
    confirmed,
    enter_quarantine,
    leave_quarantine,
    quarantine_of,
    shown,
)
from calward.app.ports import Book, Ledger
from calward.domain.errors import LicensingError
from calward.domain.notes import Checkpoint, parse_checkpoint, parse_note, verify_note
from calward.domain.parties import Host
from calward.domain.quarantine import Cause, Standing, judge
from calward.domain.trust import Verify

__all__ = ["CheckpointWatch", "Tree", "WatchedKey"]

Key = TypeVar("Key")
Value = TypeVar("Value")

MAX_SHOWN: Final = 2048
"""Letters of a header; one takes about 400."""
_KEPT: Final = 4096
"""Checkpoints of this process, and roots, that are remembered."""


class Tree(Protocol):
    """The ledger's tree as it is committed."""

    def standing(self) -> Standing:
        """How the ledger stands now."""

    def roots_at(self, sizes: Collection[int]) -> Mapping[int, bytes]:
        """What the root was at these smaller sizes; takes a while."""

    def enrolled(self) -> Collection[int]:
        """The numbers of all hosts that are enrolled and were ever seen."""


@dataclass(frozen=True, slots=True)
class WatchedKey:
    """Whose checkpoints count: the log's name in them and the license server's own key."""

    origin: str
    public_key: bytes
    verify: Verify


@dataclass(frozen=True, slots=True)
class _Shown:
    host: Host
    checkpoint: Checkpoint


class CheckpointWatch:
    """Used by several threads; ``is_news`` by the event loop at every request."""

    def __init__(self, ledger: Ledger, tree: Tree, key: WatchedKey) -> None:
        self._ledger, self._tree, self._key = ledger, tree, key
        self._lock = Lock()
        self._published: OrderedDict[bytes, None] = OrderedDict()
        self._roots: OrderedDict[int, bytes] = OrderedDict()
        self._last: dict[int, bytes] = {}
        self._largest = 0
        self._open: list[_Shown] = []
        self._news_of_hosts = True

    def publish(self, header: bytes, size: int, root: bytes) -> None:
        """Take note of a checkpoint that goes out with answers from now on.

        One that is smaller than the last shows that the database itself went back under us (a failover): nothing is known then.
        """
        with self._lock:
            if size < self._largest:
                for known in (self._published, self._roots, self._last):
                    known.clear()
            self._largest = size
            _remember(self._published, header, None)
            _remember(self._roots, size, root)

    def is_news(self, host: int, header: bytes) -> bool:
        """Whether what a host shows has to be compared; cheap."""
        if self._last.get(host) == header:
            return False
        if header in self._published:
            self._last[host] = header
            return False
        return True

    def compare(self, host: Host, header: bytes) -> None:
        """Compare it, and go into quarantine if the host has seen more; what is no checkpoint of ours says nothing.

        Raises: LicensingError(UNAVAILABLE): the ledger cannot be read or written, so nothing may be issued.
        """
        checkpoint = self._read(header)
        if checkpoint is not None:
            self._judge(_Shown(host, checkpoint), self._tree.standing())
        self._last[host.id] = header

    def settle(self) -> None:
        """Look at what could not be judged at once, and whether a restored ledger is confirmed by all hosts. For the background."""
        with self._lock:
            waiting, self._open = self._open, []
        try:
            self._judge_all(waiting)
        except Exception:
            with self._lock:  # The next time is another chance; nobody shows them again by himself.
                self._open = waiting + self._open
            raise
        if self._news_of_hosts:
            self._news_of_hosts = False
            self._end_if_confirmed()

    def _judge_all(self, waiting: list[_Shown]) -> None:
        if not waiting:
            return
        roots = self._tree.roots_at({one.checkpoint.size for one in waiting})
        with self._lock:
            for size, root in roots.items():
                _remember(self._roots, size, root)
        standing = self._tree.standing()
        for one in waiting:
            self._judge(one, standing)

    def _read(self, header: bytes) -> Checkpoint | None:
        """The checkpoint, if this server's own key has signed it."""
        if len(header) > MAX_SHOWN:
            return None
        try:
            note = parse_note(base64.b64decode(header, validate=True).decode())
            found = parse_checkpoint(note.text)
        except (LicensingError, binascii.Error, ValueError):
            return None
        key = self._key
        ours = found.origin == key.origin and verify_note(note, key.origin, key.public_key, key.verify)
        return found if ours else None

    def _judge(self, one: _Shown, standing: Standing) -> None:
        seen, unknown = one.checkpoint, False

        def root_of(size: int) -> bytes | None:
            nonlocal unknown
            root = self._roots.get(size)
            unknown = root is None and size > 0
            return root

        cause = judge(seen, standing, root_of)
        if unknown:
            with self._lock:
                self._open.append(one)
        elif cause is not None:
            self._quarantine(cause, one, standing.size)
        else:
            self._confirm(one)

    def _quarantine(self, cause: Cause, one: _Shown, own: int) -> None:
        by = f"host:{one.host.name}"

        def act(book: Book) -> None:
            now = book.now()
            enter_quarantine(shown(cause, one.checkpoint, own, now=now, by=by), book, now=now, by=by)

        self._ledger.write(act)

    def _confirm(self, one: _Shown) -> None:
        """What a host heard before the ledger was restored, and fits, speaks for the ledger; what it heard since says nothing."""
        at = one.checkpoint.at

        def act(book: Book) -> bool:
            since = book.server().quarantined_at
            if since is None or at is None or at.timestamp() >= since:
                return False
            confirm(one.host.id, book)
            return True

        if self._ledger.write(act):
            self._news_of_hosts = True

    def _end_if_confirmed(self) -> None:
        enrolled = set(self._tree.enrolled())

        def act(book: Book) -> None:
            found = quarantine_of(book)
            if found is None or found.cause is not Cause.RESTORED or not enrolled:
                return
            if enrolled <= confirmed(book):
                leave_quarantine(book, now=book.now(), by="hosts", how="confirmed")

        self._ledger.write(act)


def _remember(kept: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    kept[key] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)
