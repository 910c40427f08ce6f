# ruff: noqa: D102, S608 - the port says what each method does; names in statements come from our own tables
"""How does a whole pack change, freeze or leave, with all its licenses?

Rare acts on many rows at once: they go to the database in a few statements, past the working set, which forgets what it knew.
"""

from collections.abc import Callable, Sequence
from typing import Any

from calward.adapters.store import rows
from calward.adapters.store.flushing import MOST_ROWS, StaleRowsError, flush
from calward.adapters.store.statements import Many
from calward.adapters.store.transaction import Room
from calward.app.ports import Holding
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.licenses import NEVER, Ending, Seat

__all__ = ["ASIDE", "TURN", "Moves", "TurnNeededError"]

ASIDE = -1
"""Stands for a license on a CAL that is set aside."""

TURN = 7_310_420
"""PostgreSQL's advisory lock: every transaction holds it together with others, who changes a pack holds it alone."""


class TurnNeededError(Exception):
    """The act must be alone: roll back and do it again in a transaction that nobody else runs beside."""


_RUNS = "pack = ? AND ended_at IS NULL AND seat IS NOT NULL"
_ADD = {
    "sqlite": (
        "WITH RECURSIVE numbers(pack, n, total) AS "
        "(SELECT ?, ?, ? UNION ALL SELECT pack, n + 1, total FROM numbers WHERE n < total) "
        "INSERT INTO seat (pack, n) SELECT pack, n FROM numbers WHERE n <= total"
    ),
    "postgresql": "INSERT INTO seat (pack, n) SELECT ?, n FROM generate_series(?::integer, ?::integer) AS numbers(n)",
}


class Moves(Room):
    """Packs as wholes, in one transaction."""

    def alone(self) -> None:
        flush(self._transaction)
        if self._sql.dialect == "postgresql" and not self._transaction.alone:
            raise TurnNeededError  # Others have read packs and act on them, and may wait for what is locked here.
        self._forget()

    def lowest_generation(self, pack: PackId) -> int:
        flush(self._transaction)
        spent = "CASE WHEN removed_at IS NULL OR transfer IS NOT NULL THEN generation + 1 ELSE generation END"
        found = self._select(f"SELECT max({spent}) FROM pack WHERE id = ?", (pack,))
        return int(found[0][0] or 1)

    def change_pack(self, pack: KeyPack, statement: bytes | None = None) -> None:
        flush(self._transaction)
        columns = [
            (name, value) for name, value in zip(rows.PACK, rows.pack_row(pack), strict=True) if name != "number"
        ]
        columns += [("statement", statement)] if statement is not None else []
        sets = ", ".join(f"{name} = ?" for name, _ in columns)
        self._do(f"UPDATE pack SET {sets} WHERE number = ?", (*(value for _, value in columns), pack.row))
        if not pack.aside:
            self._do("UPDATE seat SET license = NULL, held_until = 0 WHERE pack = ? AND license = ?", (pack.row, ASIDE))
        self._resize(pack)
        self._do(f"UPDATE license SET version = ?, family = ? WHERE {_RUNS}", (pack.version, pack.family, pack.row))
        self._forget()

    def _resize(self, pack: KeyPack) -> None:
        """CALs beyond the total go, if they are free; missing ones come."""
        (last,) = self._select("SELECT coalesce(max(n), 0) FROM seat WHERE pack = ?", (pack.row,))[0]
        if last > pack.total:
            self._do("DELETE FROM seat WHERE pack = ? AND n > ? AND license IS NULL", (pack.row, pack.total))
            if self._cursor.rowcount != last - pack.total:
                raise StaleRowsError(pack.id)
        elif last < pack.total:
            self._do(_ADD[self._sql.dialect], (pack.row, last + 1, pack.total))

    def set_aside(self, pack: KeyPack, count: int, now: int) -> None:
        flush(self._transaction)
        free = "SELECT n FROM seat WHERE pack = ? AND held_until <= ? ORDER BY held_until, n LIMIT ?"
        self._do(
            f"UPDATE seat SET license = ?, held_until = ? WHERE pack = ? AND n IN ({free})",
            (ASIDE, NEVER, pack.row, pack.row, now, count),
        )
        if self._cursor.rowcount != count:
            raise StaleRowsError(pack.id)
        self._do("UPDATE pack SET aside = ? WHERE number = ?", (count, pack.row))
        self._forget()

    def holdings(self, pack: KeyPack, now: int) -> Sequence[Holding]:
        flush(self._transaction)
        found = self._select(
            "SELECT l.id, s.n, h.kind, h.key, h.label, l.issued_at, l.expires_at, h.proven_at "
            "FROM seat s JOIN license l ON l.id = s.license JOIN holder h ON h.id = l.holder "
            "WHERE s.pack = ? AND s.held_until > ? ORDER BY s.n",
            (pack.row, now),
        )
        return [_holding(row) for row in found]

    def reseat(self, moves: Sequence[tuple[int, Seat]]) -> None:
        flush(self._transaction)
        packs = self._shared.shelf(self._cursor).by_id
        ends = self._ends([number for number, _ in moves])
        self._leave(list(ends))
        at = [(number, packs[seat.pack], seat.n) for number, seat in moves]
        self._write(
            [(number, pack.row, n, pack.version, pack.family) for number, pack, n in at],
            lambda some: self._sql.update_many("license", ("id",), ("pack", "seat", "version", "family"), some),
        )
        self._write([(pack.row, n, number, ends[number], 0) for number, pack, n in at], self._sql.pass_on)
        self._forget()

    def _ends(self, numbers: Sequence[int]) -> dict[int, int]:
        """Until when licenses run, by their numbers."""
        found: dict[int, int] = {}
        for start in range(0, len(numbers), MOST_ROWS):
            where, values = self._sql.among("id", numbers[start : start + MOST_ROWS])
            found.update(self._select(f"SELECT id, expires_at FROM license WHERE {where}", values))
        return found

    def _leave(self, numbers: Sequence[int]) -> None:
        """Free the CALs of licenses that will hold others; for the moment they name none, and so no two can name the same."""
        for start in range(0, len(numbers), MOST_ROWS):
            where, values = self._sql.among("license.id", numbers[start : start + MOST_ROWS])
            self._do(
                "UPDATE seat SET license = NULL, held_until = 0 FROM license WHERE seat.pack = license.pack "
                f"AND seat.n = license.seat AND {where}",
                values,
            )
            where, values = self._sql.among("id", numbers[start : start + MOST_ROWS])
            self._do(f"UPDATE license SET pack = -id WHERE {where}", values)

    def end_all(self, pack: KeyPack, at: int, ending: Ending) -> None:
        flush(self._transaction)
        self._do(f"UPDATE license SET ended_at = ?, ending = ? WHERE {_RUNS}", (at, ending.value, pack.row))
        self._do("UPDATE seat SET license = NULL, held_until = 0 WHERE pack = ? AND license <> ?", (pack.row, ASIDE))
        self._forget()

    def _write(self, values: Sequence[Sequence[Any]], statement: Callable[[Sequence[Sequence[Any]]], Many]) -> None:
        for start in range(0, len(values), MOST_ROWS):
            some = values[start : start + MOST_ROWS]
            self._cursor.execute(*statement(some))
            if self._cursor.rowcount != len(some):
                raise StaleRowsError(len(some) - self._cursor.rowcount)

    def _forget(self) -> None:
        """What was read of packs, CALs and licenses may not hold any more."""
        self._shared.changed()
        for known in (self._work.licenses, self._work.licenses_of, self._work.free, self._work.exhausted):
            known.clear()


def _holding(row: Sequence[Any]) -> Holding:
    number, n, kind, key, label, issued_at, expires_at, proven_at = row
    key = key or ""
    return Holding(number, n, rows.kind_from(kind), key, label or key, issued_at, expires_at, proven_at)
