# ruff: noqa: S608 - table and column names come from our own tables
"""How are many rows written or looked up in one statement?

The hot path goes straight to the driver: one statement of many rows instead of many statements, so that the driver lets other
threads run once a statement and not once a row. SQLite takes the rows as they are; PostgreSQL takes them as JSON or one array a
column, so that a statement is the same text for any number of rows. Texts are made from the tables: a column has one name in one place.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary

from calward.adapters.store import tables

__all__ = ["Many", "Rows", "Statements", "Table"]

_TABLES = tables.metadata.tables
_PADDING = (1, 2, 4, 8, 12, 16, 24, 32, 40, 48, 56, 64, 96, 128, 192, 256)
"""Lengths of lists of values: few texts to prepare, few values looked up in vain."""
_SEAT = ("pack", "n", "license", "held_until", "was")

_JSON_ROWS = "jsonb_array_elements(%s::jsonb) AS v"

Rows = Sequence[Sequence[Any]]
Table = tuple[str, tuple[str, ...]]
"""A table's name and some of its columns."""
Many = tuple[str, Sequence[Any]]
"""A statement with its parameters."""


class Statements:
    """Statement texts for one dialect ("sqlite" or "postgresql")."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.mark = "?" if dialect == "sqlite" else "%s"

    def __hash__(self) -> int:
        return hash(self.dialect)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Statements) and other.dialect == self.dialect

    def insert(self, table: str, columns: tuple[str, ...], tail: str = "") -> str:
        """INSERT of one row; ``tail`` for ON CONFLICT."""
        marks = ", ".join([self.mark] * len(columns))
        return f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks}) {tail}".rstrip()

    def insert_many(self, table: str, columns: tuple[str, ...], rows: Rows) -> Many:
        """INSERT of many rows."""
        return self._insert(table, columns, self._count(rows)), self._parameters(rows)

    def update_many(self, table: str, key: tuple[str, ...], columns: tuple[str, ...], rows: Rows) -> Many:
        """UPDATE of many rows by key; each is the key's values, then the columns'."""
        return self._update(table, key, columns, self._count(rows)), self._parameters(rows)

    def pass_on(self, rows: Rows) -> Many:
        """UPDATE of many CALs (pack, n, license, held_until, was), each only while it still is what it was (0: held by none)."""
        return self._pass_on(self._count(rows)), self._parameters(rows)

    def among(self, column: str, values: Sequence[Any]) -> Many:
        """A condition on a column ("table.column" or "column", of any table): it is one of the values."""
        if self.dialect == "postgresql":
            return f"{column} = ANY(%s)", [list(values)]
        size = next((x for x in _PADDING if x >= len(values)), len(values))
        marks = ", ".join(["?"] * size)
        return f"{column} IN ({marks})", [*values, *([values[-1]] * (size - len(values)))]

    @lru_cache(maxsize=8)  # noqa: B019
    def together(self, inserts: tuple[Table, ...]) -> str:
        """PostgreSQL: new rows of tables and CALs to pass on in one statement; gives how many CALs were passed on.

        Its parameters are the rows of each table, at last those of ``pass_on``, each as JSON: an array of arrays, bytes in base64.
        """
        new = [
            f"new_{table} AS (INSERT INTO {table} ({', '.join(columns)}) SELECT {self._from_json(table, columns)} FROM {_JSON_ROWS})"
            for table, columns in inserts
        ]
        given = f"given({', '.join(_SEAT)}) AS (SELECT {self._from_json('seat', _SEAT)} FROM {_JSON_ROWS})"
        passed = (
            "passed AS (UPDATE seat SET license = v.license, held_until = v.held_until FROM given AS v "
            "WHERE seat.pack = v.pack AND seat.n = v.n AND coalesce(seat.license, 0) = v.was RETURNING 1)"
        )
        return f"WITH {', '.join([*new, given, passed])} SELECT count(*) FROM passed"

    def _from_json(self, table: str, columns: tuple[str, ...]) -> str:
        """The values of a JSON row v as columns of a table."""
        known = _TABLES[table].c
        kinds = [_type(known[x] if x in known else known["license"]) for x in columns]
        return ", ".join(
            f"decode(v ->> {place}, 'base64')" if kind == "bytea" else f"(v ->> {place})::{kind}"
            for place, kind in enumerate(kinds)
        )

    def _count(self, rows: Rows) -> int:
        """On how many rows a text depends."""
        return len(rows) if self.dialect == "sqlite" else 0

    def _parameters(self, rows: Rows) -> Sequence[Any]:
        if self.dialect == "sqlite":
            return list(chain.from_iterable(rows))
        return [list(column) for column in zip(*rows, strict=True)]

    @lru_cache(maxsize=2048)  # noqa: B019 - there are two of them, alive as long as the process
    def _insert(self, table: str, columns: tuple[str, ...], rows: int) -> str:
        names = ", ".join(columns)
        if self.dialect == "postgresql":
            return f"INSERT INTO {table} ({names}) SELECT * FROM unnest({self._arrays(table, columns)})"
        marks = f"({', '.join(['?'] * len(columns))})"
        return f"INSERT INTO {table} ({names}) VALUES {', '.join([marks] * rows)}"

    @lru_cache(maxsize=2048)  # noqa: B019
    def _update(self, table: str, key: tuple[str, ...], columns: tuple[str, ...], rows: int) -> str:
        sets = ", ".join(f"{x} = v.{x}" for x in columns)
        on = " AND ".join(f"{table}.{x} = v.{x}" for x in key)
        return f"{self._values(table, key + columns, rows)} UPDATE {table} SET {sets} FROM v WHERE {on}"

    @lru_cache(maxsize=512)  # noqa: B019
    def _pass_on(self, rows: int) -> str:
        # The plus keeps SQLite from building an index on v.was, which would make it read the whole table.
        return (
            f"{self._values('seat', _SEAT, rows)} UPDATE seat SET license = v.license, held_until = v.held_until FROM v "
            "WHERE seat.pack = v.pack AND seat.n = v.n AND coalesce(seat.license, 0) = +v.was"
        )

    def _values(self, table: str, columns: tuple[str, ...], rows: int) -> str:
        """A table v of so many rows of parameters."""
        if self.dialect == "postgresql":
            source = f"SELECT * FROM unnest({self._arrays(table, columns)})"
        else:
            marks = f"({', '.join(['?'] * len(columns))})"
            source = f"VALUES {', '.join([marks] * rows)}"
        return f"WITH v({', '.join(columns)}) AS ({source})"

    def _arrays(self, table: str, columns: tuple[str, ...]) -> str:
        known = _TABLES[table].c
        return ", ".join(f"%s::{_type(known[x] if x in known else known['license'])}[]" for x in columns)


def _type(column: Column[Any]) -> str:
    """PostgreSQL's name of a column's type, as far as an array needs it."""
    if isinstance(column.type, BigInteger):
        return "bigint"
    kinds = ((Integer, "integer"), (LargeBinary, "bytea"))
    return next((name for kind, name in kinds if isinstance(column.type, kind)), "text")
