"""Where does a clearinghouse keep what it signed, for whom, and where each pack is?

One SQLite file. It is written a few times a day, so safety goes before speed: a rollback journal (no WAL), ``synchronous=EXTRA``, one
connection, one writer at a time also between processes. Triggers refuse to remove or change what is stored.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pysqlite3 import dbapi2 as sqlite

from calward.adapters.clearinghouse.log import SqliteLog
from calward.adapters.clearinghouse.migrating import carry_over
from calward.adapters.clearinghouse.papers import SqliteOutbox, SqlitePapers
from calward.adapters.clearinghouse.parties import SqliteParties
from calward.adapters.clearinghouse.register import SqlitePurchases, SqliteRegister
from calward.adapters.clearinghouse.schema import REGISTER_SINCE, SCHEMA, SCHEMA_VERSION, statements
from calward.app.clearinghouse.ports import Book
from calward.domain.errors import LicensingError, Problem

__all__ = ["SqliteBook", "SqliteClearinghouseStore"]

T = TypeVar("T")
_BUSY_SECONDS = 10


class SqliteBook:
    """The port ``Book`` on a connection within a transaction."""

    def __init__(self, db: Any) -> None:  # noqa: ANN401 - the driver has no types
        self.parties = SqliteParties(db)
        self.purchases = SqlitePurchases(db)
        self.register = SqliteRegister(db)
        self.outbox = SqliteOutbox(db)
        self.papers = SqlitePapers(db)
        self.log = SqliteLog(db)


class SqliteClearinghouseStore:
    """The port ``calward.app.clearinghouse.ports.Store`` on one file; safe to share between threads.

    Raises: LicensingError: CORRUPT: the file is no such store, or one of a newer Calward; UNAVAILABLE: it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        with self._translated():
            # Transactions are begun and committed by hand: nothing is left to the driver's idea of when one is needed.
            self._db = sqlite.connect(str(path), timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA synchronous = EXTRA")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._db.execute("PRAGMA trusted_schema = OFF")
        self._prepare()

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    def write(self, act: Callable[[Book], T]) -> T:
        """Run one act in a transaction of its own; durable when it returns."""
        with self._transaction():
            return act(SqliteBook(self._db))

    def read(self, look: Callable[[Book], T]) -> T:
        """Look at one state of everything."""
        with self._lock, self._translated():
            self._db.execute("BEGIN")
            try:
                return look(SqliteBook(self._db))
            finally:
                self._db.execute("ROLLBACK")

    def _prepare(self) -> None:
        with self._transaction():
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if version > SCHEMA_VERSION:
                raise LicensingError(Problem.CORRUPT, f"{self._path} was written by a newer Calward: use that one")
            if version == SCHEMA_VERSION:
                return
            for script in SCHEMA[version:]:
                for statement in statements(script):
                    self._db.execute(statement)
            if version < REGISTER_SINCE:
                carry_over(SqliteBook(self._db))
            self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

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
