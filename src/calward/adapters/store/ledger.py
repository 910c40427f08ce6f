"""How are acts carried out so that they are durable, many in one commit, and each stands or falls alone?"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

import structlog
from sqlalchemy import Engine

from calward.adapters.store.book import SqlBook
from calward.adapters.store.engines import dialect_of, open_writer
from calward.adapters.store.moves import TURN, TurnNeededError
from calward.adapters.store.shared import Shared
from calward.adapters.store.statements import Statements
from calward.app.licensing.requests import Confirmation, Request
from calward.app.ports import Clock, Entropy
from calward.domain.errors import LicensingError, Problem

__all__ = ["GROUP", "SqlLedger"]

T = TypeVar("T")
Act = Callable[[SqlBook], Any]

GROUP = 256
"""Acts in one commit at most: enough to share the wait for the disk, few enough that nobody waits long."""

ATTEMPTS = 4
"""How often an act that lost a race (a deadlock, a row that changed) is done again before the caller hears of it."""

_TURNS = {False: f"pg_advisory_xact_lock_shared({TURN})", True: f"pg_advisory_xact_lock({TURN})"}
"""PostgreSQL: transactions run together unless one is to be alone (``Moves.alone``), which is known before it takes any other lock, so
that it waits in no circle. Asked with the time, so that it costs no statement of its own."""

_TIME = "SELECT floor(extract(epoch FROM clock_timestamp()))::bigint FROM (SELECT {}) AS turn"

_NOTHING: Callable[[], None] = lambda: None  # noqa: E731 - what is called where nobody has anything to do

log = structlog.get_logger(__name__)


class _CommitUnknownError(Exception):
    """The commit did not say whether it happened."""


class SqlLedger:
    """A ledger on SQLite (one process) or PostgreSQL (several). Safe to use from several threads, which take turns.

    ``clock``: the time of all acts; None on PostgreSQL means the database's own clock, so that replicas agree.
    """

    def __init__(self, url: str, *, entropy: Entropy, clock: Clock | None) -> None:
        self.url = url
        self.dialect = dialect_of(url)
        self._engine: Engine = open_writer(url)
        self._connection: Any = None
        self._sql = Statements(self.dialect)
        self._shared = Shared(self._sql)
        self._entropy = entropy
        self._clock = clock
        self._turn = threading.Lock()
        self._meanwhile = _NOTHING

    def close(self) -> None:
        """Give the connection back; what was acknowledged stays."""
        with self._turn:
            self._drop_connection()
            self._engine.dispose()

    def write(self, act: Callable[[SqlBook], T]) -> T:
        """Run one act in a transaction of its own."""
        [found] = self.write_all([act])
        if isinstance(found, Exception):
            raise found
        return found  # type: ignore[no-any-return]

    def write_all(self, acts: Iterable[Act], meanwhile: Callable[[], None] = _NOTHING) -> list[Any]:
        """Run acts in order, in groups. An act's exception stands in its place in the list.

        ``meanwhile`` is called, once or more, where this thread leaves the interpreter to others: before the database writes, or
        before it may have to wait for somebody else.
        """
        results: list[Any] = []
        waiting = iter(acts)
        self._take_turn(meanwhile)
        try:
            while group := list(islice(waiting, GROUP)):
                results += self._together(group)
        finally:
            self._meanwhile = _NOTHING
            self._turn.release()
        return results

    def _take_turn(self, meanwhile: Callable[[], None]) -> None:
        if self.dialect == "postgresql":  # Another replica may hold what is needed first.
            meanwhile()
        if not self._turn.acquire(blocking=False):
            meanwhile()
            self._turn.acquire()
        self._meanwhile = meanwhile

    def _together(self, acts: Sequence[Act]) -> list[Any]:
        """One transaction for all, if need be a second one that trusts nobody; when that fails before its commit, one for each."""
        try:
            return self._transaction(acts, trusting=len(acts) > 1)
        except _CommitUnknownError:
            return [_unknown() for _ in acts]
        except Exception as failure:  # noqa: BLE001 - whatever it was, each act gets its own chance and its own error
            if len(acts) == 1:
                return [self._again(acts[0], failure)]
            return (self._once_more(acts) if _lost_race(failure) else None) or [self._alone(act) for act in acts]

    def _once_more(self, acts: Sequence[Act]) -> list[Any] | None:
        try:
            return self._transaction(acts)
        except _CommitUnknownError:
            return [_unknown() for _ in acts]
        except Exception:  # noqa: BLE001 - as above
            return None

    def _alone(self, act: Act) -> Any:  # noqa: ANN401
        try:
            return self._transaction([act])[0]
        except _CommitUnknownError:
            return _unknown()
        except Exception as failure:  # noqa: BLE001
            return self._again(act, failure)

    def _again(self, act: Act, failure: Exception) -> Any:  # noqa: ANN401
        """Races are lost now and then, and some acts must be alone: try again. Anything else is the caller's to know."""
        alone = False
        for _ in range(ATTEMPTS):
            alone = alone or isinstance(failure, TurnNeededError)
            if not (isinstance(failure, TurnNeededError) or _lost_race(failure)):
                break
            try:
                return self._transaction([act], alone=alone)[0]
            except _CommitUnknownError:
                return _unknown()
            except Exception as another:  # noqa: BLE001
                failure = another
        if _is_database_error(failure):
            log.error("ledger.unavailable", error=repr(failure))
            return LicensingError(
                Problem.UNAVAILABLE, "the ledger cannot be written now: ask again with the same request id"
            )
        return failure

    def _transaction(self, acts: Sequence[Act], *, alone: bool = False, trusting: bool = False) -> list[Any]:
        connection = self._connect()
        cursor = connection.cursor()
        self._shared.begin()
        try:
            if self.dialect == "sqlite":
                cursor.execute("BEGIN IMMEDIATE")
            now = self._now(cursor, alone=alone)
            book = SqlBook(cursor, self._sql, self._shared, self._entropy, now, alone=alone)
            _prefetch(book, acts, trusting=trusting)
            results = [_carry_out(act, book) for act in acts]
            self._meanwhile()
            book.flush()
        except BaseException:
            self._roll_back()
            raise
        self._commit()
        return results

    def _commit(self) -> None:
        try:
            if self.dialect == "sqlite":
                self._connection.cursor().execute("COMMIT")
            else:
                self._connection.commit()
        except Exception as failure:
            log.exception("ledger.commit_unknown")
            self._roll_back()
            self._drop_connection()
            raise _CommitUnknownError from failure

    def _roll_back(self) -> None:
        self._shared.forget()
        try:
            if self.dialect == "sqlite":
                if self._connection.in_transaction:
                    self._connection.cursor().execute("ROLLBACK")
            else:
                self._connection.rollback()
        except Exception:  # noqa: BLE001 - a connection that cannot even roll back is thrown away, and its transaction with it
            self._drop_connection()

    def _connect(self) -> Any:  # noqa: ANN401 - the driver's connection
        if self._connection is None:
            self._connection = self._engine.raw_connection()
            self._connection = _Held(self._connection)
        return self._connection

    def _drop_connection(self) -> None:
        if self._connection is not None:
            with suppress(Exception):
                self._connection.discard()
        self._connection = None
        self._shared.forget()

    def _now(self, cursor: Any, *, alone: bool) -> int:  # noqa: ANN401
        if self._clock is not None:
            if self.dialect == "postgresql":
                cursor.execute(f"SELECT {_TURNS[alone]}")
            return self._clock.now()
        cursor.execute(_TIME.format(_TURNS[alone]))
        return int(cursor.fetchone()[0])


class _Held:
    """A connection taken out of the pool for good, until it is discarded."""

    def __init__(self, pooled: Any) -> None:  # noqa: ANN401
        self._pooled = pooled
        self._driver = pooled.driver_connection

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401
        return getattr(self._driver, name)

    def discard(self) -> None:
        """Close it."""
        self._pooled.invalidate()


def _prefetch(book: SqlBook, acts: Sequence[Act], *, trusting: bool) -> None:
    asks = [act.command for act in acts if isinstance(act, Request)]
    confirmed = [act.command.license for act in acts if isinstance(act, Confirmation)]
    if len(acts) > 1 or asks:
        book.prefetch(asks, confirmed, trusting=trusting)


def _carry_out(act: Act, book: SqlBook) -> Any:  # noqa: ANN401
    """An act's result, or the error that it raised before it wrote anything."""
    try:
        return act(book)
    except LicensingError as error:
        return error


def _unknown() -> LicensingError:
    detail = "it is not known whether this was written: ask again with the same request id"
    return LicensingError(Problem.UNAVAILABLE, detail)


_RACES = (
    "StaleRowsError",
    "DeadlockDetected",
    "SerializationFailure",
    "UniqueViolation",
    "IntegrityError",
    "LockNotAvailable",
)


def _causes(failure: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = failure
    while found is not None:
        yield found
        found = found.__cause__


def _lost_race(failure: Exception) -> bool:
    return any(type(x).__name__ in _RACES or _is_broken_connection(x) for x in _causes(failure))


def _is_broken_connection(failure: BaseException) -> bool:
    return (
        type(failure).__name__ in {"AdminShutdown", "OperationalError", "InterfaceError"}
        and "psycopg" in type(failure).__module__
    )


def _is_database_error(failure: Exception) -> bool:
    return any(x.__name__ in {"DatabaseError", "InterfaceError", "StaleRowsError"} for x in type(failure).__mro__)
