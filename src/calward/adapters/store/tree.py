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
from sqlalchemy import Engine, select

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

    def frontier(self) -> Frontier:
        """The tree as it is folded so far; on PostgreSQL nobody else folds until the transaction ends."""
        if self._sql.dialect == "postgresql":
            self._cursor.execute(f"SELECT pg_advisory_xact_lock({_LOCK})")
        self._cursor.execute("SELECT frontier FROM tree")
        found = self._cursor.fetchone()
        return Frontier.from_bytes(bytes(found[0])) if found else Frontier()

    def place(self, size: int) -> Sequence[tuple[int, str]]:
        """Place and body of the next events after ``size``, which get their places now if they have none."""
        if self._sql.dialect == "sqlite":
            self._cursor.execute(_PLACED, (size, _AT_ONCE))
            return sorted(_placed(self._cursor.fetchone()[0]))
        self._cursor.execute(_PLACE, (_AT_ONCE, size))
        return sorted(self._cursor.fetchall())

    def keep(self, frontier: Frontier) -> None:
        """Store the tree's new state."""
        self._replace("tree", {"k": 1, "frontier": frontier.to_bytes()}, "k")

    def keep_checkpoint(self, stored: Stored) -> None:
        """Store a checkpoint; the one that is stored of this size stays."""
        text = self._sql.insert("checkpoint", Stored._fields, "ON CONFLICT (size) DO NOTHING")
        self._cursor.execute(text, stored)

    def _replace(self, table: str, values: dict[str, Any], key: str) -> None:
        changes = ", ".join(f"{x} = excluded.{x}" for x in values if x != key)
        text = self._sql.insert(table, tuple(values), f"ON CONFLICT ({key}) DO UPDATE SET {changes}")
        self._cursor.execute(text, tuple(values.values()))


_PLACED = (
    "SELECT json_group_array(json_array(position, body)) "
    "FROM (SELECT position, body FROM event WHERE position > ? ORDER BY position LIMIT ?)"
)
"""One row: SQLite's driver lets other threads run at each, and the ledger's writer would wait for all of them."""
_placed = msgspec.json.Decoder(list[tuple[int, str]]).decode

_PLACE = (
    "WITH waiting AS (SELECT id FROM event WHERE position IS NULL ORDER BY id LIMIT %s), "
    "fresh AS (SELECT id, row_number() OVER (ORDER BY id) AS n FROM waiting) "
    "UPDATE event SET position = %s + fresh.n FROM fresh WHERE event.id = fresh.id RETURNING event.position, event.body"
)


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
            while self._waiting():
                self._ledger.write(_fold)
        return self.frontier().size

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

    def _waiting(self) -> bool:
        """Whether an event is not in the tree yet."""
        event = tables.event.c
        with self._reader.connect() as connection:
            if self._reader.dialect.name == "postgresql":
                query = select(event.id).where(event.position.is_(None)).limit(1)
            else:
                query = select(event.id).where(event.position > self.frontier().size).limit(1)
            return connection.scalar(query) is not None

    def _last_stored_at(self) -> int:
        with self._reader.connect() as connection:
            found = connection.scalar(select(tables.checkpoint.c.at).order_by(tables.checkpoint.c.size.desc()).limit(1))
        return int(found or 0)

    def _checkpoint(self) -> Stored:
        frontier, latest = self.frontier(), self._latest
        if latest is not None and latest.size == frontier.size:
            return latest
        now = self._clock.now()
        text = checkpoint_text(self.origin, frontier.size, frontier.root(), datetime.fromtimestamp(now, UTC))
        note = sign_note(text, self.origin, self._key.public_key, self._key.sign).encode()
        self._latest = Stored(frontier.size, now, note)
        return self._latest


def _fold(book: Any) -> None:  # noqa: ANN401 - a SqlBook; the port's Book knows no tree
    """One step of folding."""
    frontier = book.tree.frontier()
    placed = book.tree.place(frontier.size)
    for expected, (position, _) in enumerate(placed, frontier.size + 1):
        if position != expected:
            detail = f"the event at place {expected} of the log is missing: see calward audit verify"
            raise LicensingError(Problem.CORRUPT, detail)
    if placed:
        book.tree.keep(frontier.extend(leaf_hash(body.encode()) for _, body in placed))
