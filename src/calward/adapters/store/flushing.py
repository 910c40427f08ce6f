"""In which order is written what a transaction has gathered?"""

from collections.abc import Callable, Sequence
from typing import Any

from calward.adapters.store import rows
from calward.adapters.store.statements import Many
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

    def write(values: Sequence[Sequence[Any]], statement: Callable[[Sequence[Sequence[Any]]], Many]) -> None:
        _write(cursor, values, statement)

    write(work.new_holders, lambda some: sql.insert_many("holder", _NEW_HOLDER, some))
    write(list(work.proven.items()), lambda some: sql.update_many("holder", ("id",), ("proven_at",), some))
    write(list(work.ended.values()), lambda some: sql.update_many("license", ("id",), ("ended_at", "ending"), some))
    new = [rows.license_row(license_, pack) for license_, pack in work.new_licenses.values()]
    write(new, lambda some: sql.insert_many("license", rows.LICENSE, some))
    longer = [(x.id, x.expires_at, x.decision) for x in work.extended.values()]
    write(longer, lambda some: sql.update_many("license", ("id",), ("expires_at", "decision"), some))
    write([key + value for key, value in work.seats.items()], sql.pass_on)
    write(work.new_events, lambda some: sql.insert_many("event", ("id", "position", "body"), some))
    write(work.new_requests, lambda some: sql.insert_many("request", ("key", "event", "at"), some))
    work.written()


def _write(
    cursor: Cursor, values: Sequence[Sequence[Any]], statement: Callable[[Sequence[Sequence[Any]]], Many]
) -> None:
    for start in range(0, len(values), MOST_ROWS):
        some = values[start : start + MOST_ROWS]
        cursor.execute(*statement(some))
        if cursor.rowcount != len(some):
            raise StaleRowsError(len(some) - cursor.rowcount)
