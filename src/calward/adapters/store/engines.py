"""How is a database opened, so that what is acknowledged is durable?

SQLite: WAL and ``synchronous=FULL``, one connection that writes and checkpoints, readers query-only; builds with the WAL-reset bug
are refused. PostgreSQL: READ COMMITTED, ``synchronous_commit`` on.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pysqlite3
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.pool import NullPool, Pool, QueuePool

from calward.domain.errors import LicensingError, Problem

__all__ = ["dialect_of", "open_reader", "open_scanner", "open_writer", "sqlite_path"]

_FIXED_SQLITE = (3, 51, 3)
"""The first release of SQLite without the WAL-reset bug, which could lose committed transactions."""

_BOTH = ("PRAGMA busy_timeout = 5000", "PRAGMA temp_store = MEMORY")
_WRITER = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA cache_size = -32000",
    "PRAGMA wal_autocheckpoint = 4000",
    "PRAGMA journal_size_limit = 67108864",
)
_READER = ("PRAGMA query_only = ON", "PRAGMA cache_size = -8000", "PRAGMA wal_autocheckpoint = 0")


def dialect_of(url: str) -> str:
    """Which of the two databases an address names; raises LicensingError(MALFORMED) for anything else."""
    scheme = urlsplit(url).scheme.partition("+")[0]
    found = {"sqlite": "sqlite", "postgresql": "postgresql", "postgres": "postgresql"}.get(scheme)
    if found is None:
        detail = f"{scheme or url!r} is no database we know: say sqlite:///FILE or postgresql://USER@HOST/NAME"
        raise LicensingError(Problem.MALFORMED, detail, field="database")
    return found


def sqlite_path(url: str) -> Path:
    """The file behind a sqlite:/// address."""
    return Path(url.removeprefix("sqlite:///"))


def open_writer(url: str) -> Engine:
    """The engine for what is written."""
    if dialect_of(url) == "sqlite":
        _refuse_broken_sqlite(pysqlite3.sqlite_version_info)
        return _sqlite(url, (*_BOTH, *_WRITER))
    # What the writer looks up always has an index; a plan made while a table was new and small would scan it for good.
    # Nor is anything gathered by a bitmap first: to find 256 free CALs, all of the pack were read and sorted.
    plans = "-c enable_seqscan=off -c enable_bitmapscan=off -c jit=off"
    options = {"options": plans}
    return create_engine(
        _psycopg(url), isolation_level="READ COMMITTED", pool_pre_ping=True, pool_size=2, connect_args=options
    )


def open_reader(url: str) -> Engine:
    """The engine for lists and look-ups: it cannot write, and on SQLite it never holds up the writer."""
    if dialect_of(url) == "sqlite":
        return _sqlite(url, (*_BOTH, *_READER))
    options = {"options": "-c default_transaction_read_only=on"}
    return create_engine(_psycopg(url), pool_pre_ping=True, pool_size=4, connect_args=options)


def open_scanner(url: str) -> Engine:
    """The engine for what reads through a whole table now and then: it cannot write, and keeps neither pages nor connections."""
    if dialect_of(url) == "sqlite":
        return _sqlite(url, (*_BOTH, *_READER, "PRAGMA cache_size = -512"), NullPool)
    options = {"options": "-c default_transaction_read_only=on"}
    return create_engine(_psycopg(url), poolclass=NullPool, connect_args=options)


def _sqlite(url: str, pragmas: tuple[str, ...], pool: type[Pool] = QueuePool) -> Engine:
    path = sqlite_path(url)
    if not path.name:
        pool = NullPool
    engine = create_engine(
        f"sqlite:///{path}",
        module=pysqlite3,
        poolclass=pool,
        connect_args={"check_same_thread": False, "cached_statements": 1024},
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - the driver's connection
        connection.isolation_level = None  # Transactions begin where we say so.
        for pragma in pragmas:
            connection.execute(pragma)

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:  # noqa: ANN401
        connection.exec_driver_sql("BEGIN")

    return engine


def _refuse_broken_sqlite(version: tuple[int, ...]) -> None:
    if version < _FIXED_SQLITE:
        shown, needed = (".".join(map(str, x)) for x in (version, _FIXED_SQLITE))
        detail = f"SQLite {shown} can lose committed transactions (WAL-reset bug): {needed} or later is needed; install the pinned pysqlite3"
        raise LicensingError(Problem.UNAVAILABLE, detail)


def _psycopg(url: str) -> str:
    return "postgresql+psycopg://" + url.partition("://")[2]
