"""Where does a clearinghouse keep what it signed and for whom?

One SQLite file. It is written a few times a day, so safety goes before speed: a rollback journal (no WAL), ``synchronous=EXTRA``, one
connection, one writer at a time also between processes. Triggers refuse to remove or change what is stored.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2 as sqlite

from calward.app.clearinghouse.ports import Intent, RegisteredServer
from calward.domain.errors import LicensingError, Problem
from calward.domain.statements import PayloadType

__all__ = ["SqliteClearinghouseStore"]

_SCHEMA_VERSION = 1
_BUSY_SECONDS = 10
_SCHEMA = """
CREATE TABLE servers (
    server_id TEXT PRIMARY KEY, name TEXT NOT NULL, public_key BLOB NOT NULL, registered_at INTEGER NOT NULL
) STRICT;
CREATE TABLE intents (
    n INTEGER PRIMARY KEY, payload_type TEXT NOT NULL, intent_order TEXT NOT NULL, asked TEXT NOT NULL,
    payload BLOB NOT NULL, planned_at INTEGER NOT NULL, envelope BLOB, UNIQUE (payload_type, intent_order)
) STRICT;
CREATE TABLE operators (
    token_hash BLOB PRIMARY KEY, name TEXT NOT NULL UNIQUE, named_at INTEGER NOT NULL
) STRICT;
CREATE TRIGGER servers_stay BEFORE DELETE ON servers BEGIN SELECT RAISE(ABORT, 'servers stay'); END;
CREATE TRIGGER servers_keep_their_key BEFORE UPDATE OF server_id, public_key, registered_at ON servers
    BEGIN SELECT RAISE(ABORT, 'a server keeps its key'); END;
CREATE TRIGGER intents_stay BEFORE DELETE ON intents BEGIN SELECT RAISE(ABORT, 'intents stay'); END;
CREATE TRIGGER intents_keep_their_content BEFORE UPDATE OF n, payload_type, intent_order, asked, payload, planned_at ON intents
    BEGIN SELECT RAISE(ABORT, 'an intent keeps its content'); END;
CREATE TRIGGER intents_are_signed_once BEFORE UPDATE OF envelope ON intents WHEN OLD.envelope IS NOT NULL
    BEGIN SELECT RAISE(ABORT, 'an intent is signed once'); END;
"""
_INTENT = "SELECT payload_type, intent_order, asked, payload, planned_at, envelope FROM intents"
_SERVER = "SELECT server_id, name, public_key, registered_at FROM servers"


class SqliteClearinghouseStore:
    """The port ``calward.app.clearinghouse.ports.Store`` on one file; safe to share between threads.

    Raises: LicensingError: CORRUPT: the file is no such store, or one of a newer Calward; UNAVAILABLE: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        with self._translated():
            # Transactions are begun and committed by hand: nothing is left to the driver's idea of when one is needed.
            self._db = sqlite.connect(str(path), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA synchronous = EXTRA")
            self._db.execute("PRAGMA trusted_schema = OFF")
        self._prepare()

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def register(self, server: RegisteredServer) -> None:
        """Remember a license server or its new name."""
        with self._transaction():
            known = self._server(server.server_id)
            if known is not None and known.public_key != server.public_key:
                detail = f"license server {server.server_id} is registered with another key: make a new server id, or use its old key"
                raise LicensingError(Problem.CONFLICT, detail)
            self._db.execute(
                "INSERT INTO servers VALUES (?, ?, ?, ?) ON CONFLICT (server_id) DO UPDATE SET name = excluded.name",
                (server.server_id, server.name, server.public_key, _seconds(server.registered_at)),
            )

    def server(self, server_id: str) -> RegisteredServer | None:
        """A license server by its id."""
        with self._reading():
            return self._server(server_id)

    def servers(self) -> Sequence[RegisteredServer]:
        """All license servers, the oldest first."""
        with self._reading():
            rows = self._db.execute(f"{_SERVER} ORDER BY registered_at, rowid").fetchall()
        return [_to_server(row) for row in rows]

    def plan(self, intent: Intent) -> Intent:
        """Store an intent, or find what is stored under its order."""
        with self._transaction():
            known = self._intent(intent)
            if known is None:
                self._db.execute(
                    "INSERT INTO intents (payload_type, intent_order, asked, payload, planned_at) VALUES (?, ?, ?, ?, ?)",
                    (
                        intent.payload_type.value,
                        intent.order,
                        intent.asked,
                        intent.payload,
                        _seconds(intent.planned_at),
                    ),
                )
                return intent
        if known.asked != intent.asked:
            detail = f"the order {intent.order} was used for something else: give each sale an order of its own"
            raise LicensingError(Problem.CONFLICT, detail, field="order")
        return known

    def complete(self, intent: Intent) -> bytes:
        """Store an envelope; the first one stays."""
        key = (intent.payload_type.value, intent.order)
        with self._transaction():
            self._db.execute(
                "UPDATE intents SET envelope = ? WHERE payload_type = ? AND intent_order = ? AND envelope IS NULL",
                (intent.envelope, *key),
            )
            known = self._intent(intent)
        if known is None or known.envelope is None:
            raise LicensingError(Problem.CORRUPT, f"the plan of order {intent.order} is gone from {self._path}")
        return known.envelope

    def intents(self, payload_type: PayloadType) -> Sequence[Intent]:
        """All intents of a type, the oldest first."""
        with self._reading():
            rows = self._db.execute(f"{_INTENT} WHERE payload_type = ? ORDER BY n", (payload_type.value,)).fetchall()
        return [_to_intent(row) for row in rows]

    def add_operator(self, name: str, token_hash: bytes, at: datetime) -> None:
        """Remember an operator."""
        with self._transaction():
            if self._db.execute("SELECT 1 FROM operators WHERE name = ?", (name,)).fetchone():
                raise LicensingError(Problem.CONFLICT, f"there is an operator {name} already: choose another name")
            self._db.execute("INSERT INTO operators VALUES (?, ?, ?)", (token_hash, name, _seconds(at)))

    def operator(self, token_hash: bytes) -> str | None:
        """Whose token it is."""
        with self._reading():
            row = self._db.execute("SELECT name FROM operators WHERE token_hash = ?", (token_hash,)).fetchone()
        return None if row is None else str(row[0])

    def _server(self, server_id: str) -> RegisteredServer | None:
        row = self._db.execute(f"{_SERVER} WHERE server_id = ?", (server_id,)).fetchone()
        return None if row is None else _to_server(row)

    def _intent(self, intent: Intent) -> Intent | None:
        key = (intent.payload_type.value, intent.order)
        row = self._db.execute(f"{_INTENT} WHERE payload_type = ? AND intent_order = ?", key).fetchone()
        return None if row is None else _to_intent(row)

    def _prepare(self) -> None:
        with self._transaction():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > _SCHEMA_VERSION:
                raise LicensingError(Problem.CORRUPT, f"{self._path} was written by a newer Calward: use that one")
            if version == 0:
                for statement in _statements(_SCHEMA):
                    self._db.execute(statement)
                self._db.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._lock, self._translated():
            yield

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """IMMEDIATE: who writes has the lock from the first look on, so nothing changes between look and write."""
        with self._lock, self._translated():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # A commit that failed may have rolled back already.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite.OperationalError as error:
            detail = (
                f"the clearinghouse's store {self._path} cannot be used now: {error}; ask again with the same order"
            )
            raise LicensingError(Problem.UNAVAILABLE, detail) from error
        except sqlite.DatabaseError as error:
            raise LicensingError(
                Problem.CORRUPT, f"the clearinghouse's store {self._path} is damaged: {error}"
            ) from error


def _statements(script: str) -> Iterator[str]:
    """The statements of a script one by one: ``executescript`` would commit before it begins."""
    collected = ""
    for line in script.splitlines(keepends=True):
        collected += line
        if sqlite.complete_statement(collected):
            yield collected
            collected = ""


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())


def _to_server(row: Sequence[Any]) -> RegisteredServer:
    server_id, name, public_key, registered_at = row
    return RegisteredServer(server_id, name, public_key, datetime.fromtimestamp(registered_at, UTC))


def _to_intent(row: Sequence[Any]) -> Intent:
    payload_type, order, asked, payload, planned_at, envelope = row
    return Intent(PayloadType(payload_type), order, asked, payload, datetime.fromtimestamp(planned_at, UTC), envelope)
