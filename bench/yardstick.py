"""How fast could the very rows that issues wrote be inserted, if nothing were read, decided or signed?

The same driver with the same settings, the same tables with the same packs installed, the same number of issues in one commit.
Statements are made beforehand; of one statement for many rows, the driver's ``executemany`` and, on PostgreSQL, COPY and the ledger's own JSON, the
fastest one is the yardstick.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import islice
from time import perf_counter
from typing import Any, NamedTuple

import msgspec

from calward.adapters.store import rows
from calward.adapters.store.engines import dialect_of, open_writer
from calward.adapters.store.ledger import GROUP
from calward.adapters.store.statements import Many, Statements

__all__ = ["Written", "bare_inserts", "captured", "ways"]

Row = Sequence[Any]
_HOLDER = ("id", "kind", "key", "label", "salt", "hash")
_EVENT = ("id", "position", "body")
_REQUEST = ("key", "event", "at")
_SEAT = ("pack", "n", "license", "held_until")


class Written(NamedTuple):
    """What a group of issues wrote, row by row."""

    holders: Sequence[Row]
    licenses: Sequence[Row]
    seats: Sequence[Row]
    events: Sequence[Row]
    requests: Sequence[Row]


@contextmanager
def _connected(url: str) -> Iterator[Any]:
    """The driver's connection with the ledger's settings."""
    engine = open_writer(url)
    pooled = engine.raw_connection()
    try:
        yield pooled.driver_connection
    finally:
        pooled.invalidate()
        engine.dispose()


def captured(url: str, group: int = GROUP) -> list[Written]:
    """All rows that issues wrote into a ledger, in the groups in which they were written."""
    asked = (
        f"SELECT {', '.join(_HOLDER)} FROM holder ORDER BY id",
        f"SELECT {', '.join(rows.LICENSE)} FROM license ORDER BY id",
        f"SELECT {', '.join(_SEAT)} FROM seat WHERE license IS NOT NULL ORDER BY license",
        f"SELECT {', '.join(_EVENT)} FROM event WHERE id IN (SELECT id FROM license) ORDER BY id",
        f"SELECT {', '.join(_REQUEST)} FROM request ORDER BY event",
    )
    with _connected(url) as connection:
        cursor = connection.cursor()
        tables = [_all(cursor, text) for text in asked]
    return [Written(*some) for some in zip(*(list(_grouped(table, group)) for table in tables), strict=True)]


def _all(cursor: Any, text: str) -> list[Row]:  # noqa: ANN401 - a driver's cursor
    cursor.execute(text)
    return list(cursor.fetchall())


def _grouped(table: Iterable[Row], size: int) -> Iterator[list[Row]]:
    waiting = iter(table)
    while some := list(islice(waiting, size)):
        yield some


def bare_inserts(url: str, groups: Sequence[Written], way: str) -> float:
    """Write captured rows into a database that holds the same packs; the seconds that it took."""
    dialect = dialect_of(url)
    begin, commit = ("BEGIN IMMEDIATE", "COMMIT") if dialect == "sqlite" else (None, None)
    work = ways(dialect)[way](Statements(dialect), groups)
    with _connected(url) as connection:
        cursor = connection.cursor()
        began = perf_counter()
        for write in work:
            if begin:
                cursor.execute(begin)
            write(cursor)
            cursor.execute(commit) if commit else connection.commit()
        return perf_counter() - began


Write = Callable[[Any], None]


def _many_rows(sql: Statements, groups: Sequence[Written]) -> list[Write]:
    """One statement a table and group."""

    def write(statements: list[Many], cursor: Any) -> None:  # noqa: ANN401
        for text, parameters in statements:
            cursor.execute(text, parameters)

    return [partial(write, _statements(sql, group)) for group in groups]


def _statements(sql: Statements, group: Written) -> list[Many]:
    """Texts and parameters, made before the clock runs."""
    return [
        sql.insert_many("holder", _HOLDER, group.holders),
        sql.insert_many("license", rows.LICENSE, group.licenses),
        sql.update_many("seat", ("pack", "n"), ("license", "held_until"), group.seats),
        sql.insert_many("event", _EVENT, group.events),
        sql.insert_many("request", _REQUEST, group.requests),
    ]


def _executemany(sql: Statements, groups: Sequence[Written]) -> list[Write]:
    """One statement a row, prepared once."""
    texts = (
        sql.insert("holder", _HOLDER),
        sql.insert("license", rows.LICENSE),
        f"UPDATE seat SET license = {sql.mark}, held_until = {sql.mark} WHERE pack = {sql.mark} AND n = {sql.mark}",
        sql.insert("event", _EVENT),
        sql.insert("request", _REQUEST),
    )

    def write(tables: list[Sequence[Row]], cursor: Any) -> None:  # noqa: ANN401
        for text, table in zip(texts, tables, strict=True):
            cursor.executemany(text, table)

    def tables(group: Written) -> list[Sequence[Row]]:
        seats = [(license_, until, pack, n) for pack, n, license_, until in group.seats]
        return [group.holders, group.licenses, seats, group.events, group.requests]

    return [partial(write, tables(group)) for group in groups]


_TABLES = (("holder", _HOLDER), ("license", rows.LICENSE), ("event", _EVENT), ("request", _REQUEST))


def _json(sql: Statements, groups: Sequence[Written]) -> list[Write]:
    """Everything in one statement, a JSON text for each table: what the ledger does."""

    def write(parameters: Sequence[str], cursor: Any) -> None:  # noqa: ANN401
        cursor.execute(sql.together(_TABLES), parameters)

    def parameters(group: Written) -> Sequence[str]:
        seats = [(*seat, 0) for seat in group.seats]
        tables = (group.holders, group.licenses, group.events, group.requests, seats)
        return [msgspec.json.encode(table).decode() for table in tables]

    return [partial(write, parameters(group)) for group in groups]


def _copy(sql: Statements, groups: Sequence[Written]) -> list[Write]:
    """New rows by COPY, CALs by one statement."""
    texts = [f"COPY {table} ({', '.join(columns)}) FROM STDIN" for table, columns in _TABLES]

    def write(group: Written, seats: Many, cursor: Any) -> None:  # noqa: ANN401
        for text, table in zip(texts, (group.holders, group.licenses, group.events, group.requests), strict=True):
            with cursor.copy(text) as copy:
                for row in table:
                    copy.write_row(row)
        cursor.execute(*seats)

    updates = [sql.update_many("seat", ("pack", "n"), ("license", "held_until"), group.seats) for group in groups]
    return [partial(write, group, seats) for group, seats in zip(groups, updates, strict=True)]


Way = Callable[[Statements, Sequence[Written]], list[Write]]


def ways(dialect: str) -> dict[str, Way]:
    """In which ways a driver writes many rows, by name."""
    both: dict[str, Way] = {"one statement for many rows": _many_rows, "executemany": _executemany}
    return both | {"COPY": _copy, "one statement of JSON": _json} if dialect == "postgresql" else both
