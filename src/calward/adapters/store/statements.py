# ruff: noqa: S608 - table and column names come from our own tables
"""How are many rows written or looked up in one statement?

The hot path goes straight to the driver: one statement of many rows instead of many statements, so that the driver lets other
threads run once a statement and not once a row. Texts are made from the tables, so that a column has one name in one place.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary

from calward.adapters.store import tables

__all__ = ["Statements", "flat", "padded"]

_TABLES = tables.metadata.tables
_PADDING = (1, 4, 16, 64, 256)


def flat(rows: Iterable[Sequence[Any]]) -> list[Any]:
    """The parameters of a statement of many rows."""
    return [value for row in rows for value in row]


def padded(values: Sequence[Any]) -> list[Any]:
    """The values, the last one repeated up to the next of a few sizes, so that few statements have to be prepared."""
    size = next((x for x in _PADDING if x >= len(values)), len(values))
    return [*values, *([values[-1]] * (size - len(values)))]


class Statements:
    """Statement texts for one dialect ("sqlite" or "postgresql")."""

    def __init__(self, dialect: str) -> None:
        self.dialect = dialect
        self.mark = "?" if dialect == "sqlite" else "%s"

    def __hash__(self) -> int:
        return hash(self.dialect)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Statements) and other.dialect == self.dialect

    @lru_cache(maxsize=2048)  # noqa: B019 - there are two of them, alive as long as the process
    def insert(self, table: str, columns: tuple[str, ...], rows: int, tail: str = "") -> str:
        """INSERT of so many rows; ``tail`` for ON CONFLICT."""
        names = ", ".join(columns)
        marks = f"({', '.join(self.mark for _ in columns)})"
        return f"INSERT INTO {table} ({names}) VALUES {', '.join([marks] * rows)} {tail}".rstrip()

    @lru_cache(maxsize=2048)  # noqa: B019
    def update(self, table: str, key: tuple[str, ...], columns: tuple[str, ...], rows: int) -> str:
        """UPDATE of so many rows by key; each parameter row is the key's values, then the columns'."""
        sets = ", ".join(f"{x} = v.{x}" for x in columns)
        on = " AND ".join(f"{table}.{x} = v.{x}" for x in key)
        return f"{self._values(table, key + columns, rows)} UPDATE {table} SET {sets} FROM v WHERE {on}"

    @lru_cache(maxsize=512)  # noqa: B019
    def pass_on(self, rows: int) -> str:
        """UPDATE of so many CALs (pack, n, license, held_until, was), each only while it still is what it was (0: held by none).

        The plus keeps SQLite from building an index on v.was, which would make it read the whole table.
        """
        return (
            f"{self._values('seat', ('pack', 'n', 'license', 'held_until', 'was'), rows)} "
            "UPDATE seat SET license = v.license, held_until = v.held_until FROM v "
            "WHERE seat.pack = v.pack AND seat.n = v.n AND coalesce(seat.license, 0) = +v.was"
        )

    def _values(self, table: str, columns: tuple[str, ...], rows: int) -> str:
        """A table v of so many rows of parameters."""
        known = _TABLES[table].c
        marks = f"({', '.join(self._cast(known[x] if x in known else known['license']) for x in columns)})"
        return f"WITH v({', '.join(columns)}) AS (VALUES {', '.join([marks] * rows)})"

    def marks(self, count: int) -> str:
        """So many placeholders in a row."""
        return ", ".join([self.mark] * count)

    def _cast(self, column: Column[Any]) -> str:
        """A placeholder that says its type where the database could not know it."""
        if self.dialect == "sqlite":
            return "?"
        kinds = ((Integer, "integer"), (LargeBinary, "bytea"))
        if isinstance(column.type, BigInteger):
            return "%s::bigint"
        return next((f"%s::{name}" for kind, name in kinds if isinstance(column.type, kind)), "%s::text")
