# ruff: noqa: D102 - a driver's cursor is described by DB-API (PEP 249)
"""What do all parts of a book share within one transaction?"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from calward.adapters.store.shared import Shared
from calward.adapters.store.statements import Statements
from calward.adapters.store.working_set import WorkingSet

__all__ = ["Cursor", "Room", "Transaction"]


class Cursor(Protocol):
    """What we use of a driver's cursor."""

    @property
    def rowcount(self) -> int: ...

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Any: ...  # noqa: ANN401
    def fetchall(self) -> list[Any]: ...
    def fetchone(self) -> Any: ...  # noqa: ANN401


@dataclass(frozen=True, slots=True)
class Transaction:
    """One cursor, what is known beyond the transaction (``shared``) and what the transaction has gathered (``work``).

    ``now``: its time, seconds since 1970. ``alone``: nobody else changes the ledger meanwhile.
    """

    cursor: Cursor
    sql: Statements
    shared: Shared
    now: int
    alone: bool = False
    work: WorkingSet = field(default_factory=WorkingSet)

    def select(self, text: str, parameters: Sequence[Any] = ()) -> list[Any]:
        """All rows of one statement; its parameters are marked "?" for either database."""
        self.cursor.execute(text.replace("?", self.sql.mark), parameters)
        return self.cursor.fetchall()

    def select_as_planned_now(self, text: str, parameters: Sequence[Any]) -> list[Any]:
        """PostgreSQL: as ``select``, by a plan for just these parameters, where how many rows are wanted decides which plan is best."""
        cursor: Any = self.cursor
        cursor.execute(text.replace("?", self.sql.mark), parameters, prepare=False)
        return self.cursor.fetchall()

    def do(self, text: str, parameters: Sequence[Any]) -> None:
        """Carry out one statement; its parameters are marked "?" for either database."""
        self.cursor.execute(text.replace("?", self.sql.mark), parameters)


class Room:
    """A part of a book: what it needs of its transaction, at hand without a further step."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._cursor, self._select, self._do = transaction.cursor, transaction.select, transaction.do
        self._shared, self._sql, self._work = transaction.shared, transaction.sql, transaction.work
