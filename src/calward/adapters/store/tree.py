"""Which place does a committed event get in the Merkle tree, and what is the tree's state?

The sequencer runs beside issuing, once a second and on demand, so that the tree is never a hot row. On SQLite an event gets its place
as it is written; on PostgreSQL, where commits overtake each other, places are given afterwards, under a lock that replicas take in
turn. Events of one holder keep their order: they were committed in it.
"""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, Protocol

import msgspec
from sqlalchemy import Engine, select, text

from calward.adapters.store import tables
from calward.adapters.store.statements import Statements
from calward.app.ports import Clock
from calward.domain.errors import LicensingError, Problem
from calward.domain.merkle import Frontier, leaf_hash
from calward.domain.notes import checkpoint_text, sign_note
from calward.domain.parties import Server
from calward.domain.settings import SECONDS_PER_DAY

__all__ = ["AuditLog", "SignsLog", "TreeRows", "log_origin"]

_AT_ONCE = 5_000
"""Events in one step, so that nobody waits long for the writer."""

_LOCK = 7_310_418
"""PostgreSQL's advisory lock of the sequencer."""


class SignsLog(Protocol):
    """The license server's own key."""

    @property
    def public_key(self) -> bytes: ...  # noqa: D102
    def sign(self, message: bytes) -> bytes: ...  # noqa: D102


class _Writes(Protocol):
    """A ``SqlLedger``: its books lead to the tree."""

    def write(self, act: Any, /) -> Any: ...  # noqa: ANN401 - as the port's, for acts on SqlBook


def log_origin(server: Server) -> str:
    """The name of a license server's log in its checkpoints; it never changes, unlike the server's name."""
    return f"{server.id}/calward"


class Stored(NamedTuple):
    """A stored checkpoint."""

    size: int
    at: int
    note: str


class TreeRows:
    """The tree within one transaction of the ledger (``SqlBook.tree``)."""

    def __init__(self, cursor: Any, sql: Statements) -> None:  # noqa: ANN401 - a driver's cursor
        self._cursor = cursor
        self._sql = sql

    def place(self) -> None:
        """Give the next events that have none their places (PostgreSQL; nobody else does until the transaction ends)."""
        self._cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        self._cursor.execute(_PLACE, (_AT_ONCE,))

    def grow(self, old: Frontier, new: Frontier) -> bool:
        """Store the tree's new state, where it still is the old one; False: another replica was faster."""
        self._cursor.execute(
            self._sql.insert(
                "tree",
                ("k", "frontier"),
                f"ON CONFLICT (k) DO UPDATE SET frontier = excluded.frontier WHERE tree.frontier = {self._sql.mark}",
            ),
            (1, new.to_bytes(), old.to_bytes()),
        )
        return bool(self._cursor.rowcount)

    def keep_checkpoint(self, stored: Stored) -> None:
        """Store a checkpoint; the one that is stored of this size stays."""
        self._cursor.execute(self._sql.insert("checkpoint", Stored._fields, "ON CONFLICT (size) DO NOTHING"), stored)


_PLACE = (
    "WITH waiting AS (SELECT id FROM event WHERE position IS NULL ORDER BY id LIMIT %s), "
    "fresh AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM waiting), "
    "placed AS (SELECT coalesce(max(position), 0) AS last FROM event) "
    "UPDATE event SET position = placed.last + fresh.n FROM fresh, placed WHERE event.id = fresh.id"
)
_PLACED = "SELECT position, body FROM event WHERE position > :size ORDER BY position LIMIT :most"
_IN_ONE_ROW = f"SELECT json_group_array(json_array(position, body)) FROM ({_PLACED})"  # noqa: S608 - our own text
"""SQLite's driver lets other threads run at each row, and this one would wait for all of them."""
_rows = msgspec.json.Decoder(list[tuple[int, str]]).decode


class AuditLog:
    """The log of one license server: its tree, kept up to date, and its signed checkpoints. Safe to use from several threads.

    ``reader``: a reading engine on the same database; ``clock``: what time checkpoints bear.
    """

    def __init__(self, ledger: _Writes, reader: Engine, origin: str, key: SignsLog, clock: Clock) -> None:
        self._ledger = ledger
        self._reader = reader
        self.origin = origin
        self._key = key
        self._clock = clock
        self._turn = threading.Lock()
        self._latest: Stored | None = None

    def fold(self) -> int:
        """Give committed events their places and fold them into the tree; returns its size. Cheap when nothing is new."""
        with self._turn:
            while self._step():
                pass
        return self.frontier().size

    def _step(self) -> bool:
        """Some events more; says whether there may be others still.

        They are read and hashed outside of the ledger's turns, so that nobody who asks for a license waits.
        """
        if self._reader.dialect.name == "postgresql" and self._without_place():
            self._ledger.write(lambda book: book.tree.place())
        frontier = self.frontier()
        placed = self._placed(frontier.size)
        for expected, (position, _) in enumerate(placed, frontier.size + 1):
            if position != expected:
                detail = f"the event at place {expected} of the log is missing: see calward audit verify"
                raise LicensingError(Problem.CORRUPT, detail)
        if not placed:
            return False
        grown = frontier.extend(leaf_hash(body.encode()) for _, body in placed)
        return not self._ledger.write(lambda book: book.tree.grow(frontier, grown)) or len(placed) == _AT_ONCE

    def _without_place(self) -> bool:
        """Whether an event has no place yet."""
        event = tables.event.c
        with self._reader.connect() as connection:
            return connection.scalar(select(event.id).where(event.position.is_(None)).limit(1)) is not None

    def _placed(self, size: int) -> Sequence[tuple[int, str]]:
        """Place and body of the events after the first ``size``, in order."""
        which = {"size": size, "most": _AT_ONCE}
        with self._reader.connect() as connection:
            if self._reader.dialect.name == "postgresql":
                return [(position, body) for position, body in connection.execute(text(_PLACED), which)]
            return sorted(_rows(connection.scalar(text(_IN_ONE_ROW), which)))

    def frontier(self) -> Frontier:
        """The tree as it is folded so far."""
        with self._reader.connect() as connection:
            found = connection.scalar(select(tables.tree.c.frontier))
        return Frontier() if found is None else Frontier.from_bytes(bytes(found))

    def latest_checkpoint(self) -> str:
        """The tree as it is folded so far, signed: a note for whoever wants to keep it."""
        return self._checkpoint().note

    def store_checkpoint(self) -> str:
        """Fold, sign and store the tree's state; returns the note."""
        self.fold()
        stored = self._checkpoint()
        self._ledger.write(lambda book: book.tree.keep_checkpoint(stored))
        with (
            self._reader.connect() as connection
        ):  # Another replica, or an earlier call, may have stored one of this size.
            kept = select(tables.checkpoint.c.note).where(tables.checkpoint.c.size == stored.size)
            return str(connection.scalar(kept))

    def tend(self) -> int:
        """What is to be done each second: fold, and store a checkpoint once a day. Returns the tree's size."""
        size = self.fold()
        if size and self._last_stored_at() <= self._clock.now() - SECONDS_PER_DAY:
            self.store_checkpoint()
        return size

    def _last_stored_at(self) -> int:
        with self._reader.connect() as connection:
            found = connection.scalar(select(tables.checkpoint.c.at).order_by(tables.checkpoint.c.size.desc()).limit(1))
        return int(found or 0)

    def _checkpoint(self) -> Stored:
        frontier, latest = self.frontier(), self._latest
        if latest is not None and latest.size == frontier.size:
            return latest
        now = self._clock.now()
        said = checkpoint_text(self.origin, frontier.size, frontier.root(), datetime.fromtimestamp(now, UTC))
        note = sign_note(said, self.origin, self._key.public_key, self._key.sign).encode()
        self._latest = Stored(frontier.size, now, note)
        return self._latest
