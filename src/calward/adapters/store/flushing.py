"""In which order is written what a transaction has gathered?"""

from collections.abc import Callable, Mapping

import msgspec

from calward.adapters.store import rows
from calward.adapters.store.statements import Many, Rows, Table
from calward.adapters.store.transaction import Cursor, Transaction

__all__ = ["StaleRowsError", "flush"]

_HOLDER = ("holder", ("id", "kind", "key", "label", "salt", "hash"))
_LICENSE = ("license", rows.LICENSE)
_EVENT = ("event", ("id", "position", "body"))
_REQUEST = ("request", ("key", "event", "at"))

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

    def insert(table: Table, values: Rows) -> None:
        write(values, lambda some: sql.insert_many(*table, some))

    insert(_HOLDER, work.new_holders)
    write(list(work.proven.items()), lambda some: sql.update_many("holder", ("id",), ("proven_at",), some))
    write(list(work.ended.values()), lambda some: sql.update_many("license", ("id",), ("ended_at", "ending"), some))
    longer = [(x.id, x.expires_at, x.decision) for x in work.extended.values()]
    write(longer, lambda some: sql.update_many("license", ("id",), ("expires_at", "decision"), some))
    licenses = [rows.license_row(license_, pack) for license_, pack in work.new_licenses.values()]
    new = {_LICENSE: licenses, _EVENT: work.new_events, _REQUEST: work.new_requests}
    seats = [key + value for key, value in work.seats.items()]
    if sql.dialect == "postgresql":
        _write_together(transaction, new, seats)
    else:
        for table, values in new.items():
            insert(table, values)
        write(seats, sql.pass_on)
    work.written()


def _write_together(transaction: Transaction, new: Mapping[Table, Rows], seats: Rows) -> None:
    """PostgreSQL: everything in one statement, each table's rows as JSON, which the driver need not take apart."""
    cursor, text = transaction.cursor, transaction.sql.together(tuple(new))
    for start in range(0, max(map(len, (*new.values(), seats))), MOST_ROWS):
        some = [values[start : start + MOST_ROWS] for values in (*new.values(), seats)]
        cursor.execute(text, [_json(values).decode() for values in some])
        passed_on = cursor.fetchone()[0]
        if passed_on != len(some[-1]):
            raise StaleRowsError(len(some[-1]) - passed_on)


_json = msgspec.json.Encoder().encode
"""Bytes as base64."""


def _write(cursor: Cursor, values: Rows, statement: Callable[[Rows], Many]) -> None:
    for start in range(0, len(values), MOST_ROWS):
        some = values[start : start + MOST_ROWS]
        cursor.execute(*statement(some))
        if cursor.rowcount != len(some):
            raise StaleRowsError(len(some) - cursor.rowcount)
