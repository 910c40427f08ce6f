"""In which order is written what a transaction has gathered?"""

from collections.abc import Callable

from calward.adapters.store import rows
from calward.adapters.store.statements import Many, Rows
from calward.adapters.store.transaction import Cursor, Transaction

__all__ = ["StaleRowsError", "flush"]

_NEW_HOLDER = ("id", "kind", "key", "label", "salt", "hash")

MOST_ROWS = 256
"""Rows in one statement: few parameters enough for every build of both databases."""


class StaleRowsError(Exception):
    """Rows were no longer what the transaction had read: roll back and do it again."""


def flush(transaction: Transaction) -> None:
    """Write what was gathered. Ends come before new licenses, because a CAL may pass from one to the other.

    Raises StaleRowsError where a row is no longer what it was when it was read.
    """
    work, sql, cursor = transaction.work, transaction.sql, transaction.cursor

    def write(values: Rows, statement: Callable[[Rows], Many]) -> None:
        _write(cursor, values, statement)

    def insert(table: str, columns: tuple[str, ...], values: Rows) -> None:
        if sql.dialect == "postgresql":
            _copy(cursor, sql.copy(table, columns), values)
        else:
            _write(cursor, values, lambda some: sql.insert_many(table, columns, some))

    insert("holder", _NEW_HOLDER, work.new_holders)
    write(list(work.proven.items()), lambda some: sql.update_many("holder", ("id",), ("proven_at",), some))
    write(list(work.ended.values()), lambda some: sql.update_many("license", ("id",), ("ended_at", "ending"), some))
    new = [rows.license_row(license_, pack) for license_, pack in work.new_licenses.values()]
    insert("license", rows.LICENSE, new)
    longer = [(x.id, x.expires_at, x.decision) for x in work.extended.values()]
    write(longer, lambda some: sql.update_many("license", ("id",), ("expires_at", "decision"), some))
    write([key + value for key, value in work.seats.items()], sql.pass_on)
    insert("event", ("id", "position", "body"), work.new_events)
    insert("request", ("key", "event", "at"), work.new_requests)
    work.written()


def _copy(cursor: Cursor, text: str, values: Rows) -> None:
    """Store new rows on PostgreSQL: COPY costs the driver and the server half of what any INSERT does."""
    if values:
        with cursor.copy(text) as copy:
            for row in values:
                copy.write_row(row)


def _write(cursor: Cursor, values: Rows, statement: Callable[[Rows], Many]) -> None:
    for start in range(0, len(values), MOST_ROWS):
        some = values[start : start + MOST_ROWS]
        cursor.execute(*statement(some))
        if cursor.rowcount != len(some):
            raise StaleRowsError(len(some) - cursor.rowcount)
