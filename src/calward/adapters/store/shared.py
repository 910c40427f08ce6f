"""What does a ledger know beyond a single transaction: packs, the server's state, the next numbers, the headroom?

On SQLite one process has the ledger to itself, so all of it is kept; on PostgreSQL other replicas may have changed it, so that it
is read anew in each transaction.
"""

from dataclasses import dataclass, field
from typing import Any

from calward.adapters.store import rows
from calward.adapters.store.statements import Statements
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.key_packs import PackId, Shelf
from calward.domain.parties import Server

__all__ = ["Headroom", "Shared"]


@dataclass(slots=True)
class Headroom:
    """How many CALs of a family may still be claimed before free ones must be counted again."""

    _left: dict[tuple[CalType, int], int] = field(default_factory=dict)

    def spend(self, key: tuple[CalType, int]) -> bool:
        """Whether the last count still says that there are more than few; counts one claim."""
        left = self._left.get(key, 0)
        if left <= 0:
            return False
        self._left[key] = left - 1
        return True

    def counted(self, key: tuple[CalType, int], spare: int) -> None:
        """Take note of a count: so many claims may follow before the next."""
        self._left[key] = spare

    def forget(self) -> None:
        """Count again at the next claim."""
        self._left.clear()


class Shared:
    """See the module; ``forget`` after a rollback or a change."""

    def __init__(self, sql: Statements) -> None:
        self._sql = sql
        self.headroom = Headroom()
        self._server: Server | None = None
        self.server_body: str | None = None
        """The server's row as it was read, None where it was not."""
        self._shelf: Shelf | None = None
        self._pack_names: dict[int, PackId] = {}
        self._next_event = 0
        self._next_position = 0
        self._event_ids: list[int] = []
        self._next_holder = 0

    def begin(self) -> None:
        """A transaction begins."""
        if self._sql.dialect == "postgresql":
            self.forget()

    def forget(self) -> None:
        """Read everything anew when it is next needed."""
        self.changed()
        self._next_event = self._next_position = self._next_holder = 0
        self._event_ids.clear()

    def changed(self) -> None:
        """The server or its packs have changed; numbers that were given out in this transaction stay given out."""
        self._server = self._shelf = self.server_body = None
        if self._sql.dialect == "sqlite":
            self.headroom.forget()

    def server(self, cursor: Any) -> Server:  # noqa: ANN401 - a driver's cursor
        """The license server's state; raises LicensingError(NOT_FOUND) on an empty ledger."""
        if self._server is None:
            cursor.execute("SELECT body FROM server")
            row = cursor.fetchone()
            if row is None:
                raise LicensingError(
                    Problem.NOT_FOUND, "the ledger is empty: make a license server first (calward setup)"
                )
            self.server_body = row[0]
            self._server = rows.server_from(row[0])
        return self._server

    def shelf(self, cursor: Any) -> Shelf:  # noqa: ANN401
        """All installed packs."""
        if self._shelf is None:
            cursor.execute(f"SELECT {_PACK}, removed_at FROM pack")  # noqa: S608
            found = cursor.fetchall()
            self._pack_names = {row[0]: PackId(row[1]) for row in found}
            self._shelf = Shelf.of(rows.pack_from(row[:-1]) for row in found if row[-1] is None)
        return self._shelf

    def pack_names(self, cursor: Any) -> dict[int, PackId]:  # noqa: ANN401
        """The packs' ids by row, removed ones too."""
        self.shelf(cursor)
        return self._pack_names

    def next_event(self, cursor: Any, expected: int) -> int:  # noqa: ANN401
        """The next event's number. PostgreSQL: from a sequence, a block at a time and never beyond the transaction,
        after the holder is locked, so that the events of one holder are numbered in the order in which they happened.
        """
        if self._sql.dialect == "postgresql":
            if not self._event_ids:
                cursor.execute("SELECT nextval('event_id') FROM generate_series(1, %s)", (max(1, expected),))
                self._event_ids = [row[0] for row in cursor.fetchall()][::-1]
            return self._event_ids.pop()
        if not self._next_event:
            cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM event")
            self._next_event = cursor.fetchone()[0]
        number = self._next_event
        self._next_event += 1
        return number

    def next_position(self, cursor: Any) -> int | None:  # noqa: ANN401
        """The next event's place in the tree; None on PostgreSQL, where the sequencer gives it after the commit.

        Counted apart from numbers, so that a number that was drawn in vain leaves no hole in the tree.
        """
        if self._sql.dialect == "postgresql":
            return None
        if not self._next_position:
            cursor.execute("SELECT coalesce(max(position), 0) + 1 FROM event")
            self._next_position = cursor.fetchone()[0]
        position = self._next_position
        self._next_position += 1
        return position

    def next_holder(self, cursor: Any) -> int:  # noqa: ANN401
        """The next holder's number (SQLite; PostgreSQL numbers them as it stores them)."""
        if not self._next_holder:
            cursor.execute("SELECT coalesce(max(id), 0) + 1 FROM holder")
            self._next_holder = cursor.fetchone()[0]
        number = self._next_holder
        self._next_holder += 1
        return number


_PACK = ", ".join(rows.PACK)
