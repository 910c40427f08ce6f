# ruff: noqa: D102 - the port says what each method without a docstring does
"""Which CALs are free, how is one claimed, and who holds it next?"""

from collections import deque
from collections.abc import Sequence
from typing import Any

import msgspec

from calward.adapters.store.flushing import flush
from calward.adapters.store.transaction import Room, Transaction
from calward.domain.cals import CalType
from calward.domain.issuing import Claim
from calward.domain.key_packs import KeyPack
from calward.domain.licenses import Ending, License, Seat

__all__ = ["Seats"]

COUNT_AHEAD = 4096
"""How far beyond the warning's threshold free CALs are counted, so that they need not be counted at every issue."""

_ADD = {
    "sqlite": (
        "WITH RECURSIVE numbers(pack, n, total) AS "
        "(SELECT ?, 1, ? UNION ALL SELECT pack, n + 1, total FROM numbers WHERE n < total) "
        "INSERT INTO seat (pack, n) SELECT pack, n FROM numbers"
    ),
    "postgresql": "INSERT INTO seat (pack, n) SELECT ?, n FROM generate_series(1, ?) AS numbers(n)",
}

_FREE = "SELECT n, license, held_until FROM seat WHERE pack = ? AND held_until <= ? ORDER BY held_until, n LIMIT ?"
_FREE_AT_ONCE = f"SELECT json_group_array(json_array(n, license, held_until)) FROM ({_FREE})"  # noqa: S608
"""One row: SQLite's driver lets other threads run at each, and would wait as often for its turn."""
_free_rows = msgspec.json.Decoder(list[tuple[int, int | None, int]]).decode


class Seats(Room):
    """The CALs of all packs, a row each, in one transaction."""

    def __init__(self, transaction: Transaction) -> None:
        super().__init__(transaction)
        self._claimed_from: dict[Seat, int] = {}

    # CALs come and go with their pack.

    def add(self, pack: KeyPack) -> None:
        """Make all CALs of a new pack."""
        self._do(_ADD[self._sql.dialect], (pack.row, pack.total))

    def remove(self, pack: KeyPack) -> None:
        """Take a pack's CALs away."""
        self._do("DELETE FROM seat WHERE pack = ?", (pack.row,))
        self._work.free.pop(pack.row, None)

    # How many there are.

    def held(self, pack: KeyPack, now: int) -> int:
        flush(self._transaction)
        if self._sql.dialect == "postgresql":  # Nobody may claim one while the caller acts on the count.
            self._select("SELECT n FROM seat WHERE pack = ? ORDER BY n FOR UPDATE", (pack.row,))
        return int(self._select("SELECT count(*) FROM seat WHERE pack = ? AND held_until > ?", (pack.row, now))[0][0])

    def free(self, packs: Sequence[KeyPack], now: int, at_most: int) -> int:
        flush(self._transaction)
        left = at_most
        for pack in packs:
            if left <= 0:
                break
            found = self._select(
                "SELECT count(*) FROM (SELECT 1 FROM seat WHERE pack = ? AND held_until <= ? LIMIT ?) AS free_cals",
                (pack.row, now, left),
            )
            left -= int(found[0][0])
        return at_most - left

    def few_left(self, type_: CalType, packs: Sequence[KeyPack], now: int, low: int) -> int | None:
        key = (type_, packs[0].family)
        counted = self.free(packs, now, low + COUNT_AHEAD)
        # Few are left: half of them may go before they are counted again, so that counting never grows with the pack.
        self._shared.headroom.counted(key, counted - low - 1 if counted > low else counted // 2)
        return counted if counted <= low else None

    def plenty(self, type_: CalType, family: int) -> bool:
        return self._shared.headroom.spend((type_, family))

    # Who holds one.

    def claim(self, pack: KeyPack, now: int) -> Claim | None:
        free = self._work.free.get(pack.row)
        if not free and pack.row not in self._work.exhausted:
            free = self._work.free[pack.row] = self._more(pack, now)
        if not free:
            return None
        n, expired, until = free.popleft()
        seat = Seat(pack.id, n)
        if expired is not None:
            self._work.note_end(expired, until, Ending.EXPIRED)
            self._claimed_from[seat] = expired
        return Claim(pack, seat, expired)

    def _more(self, pack: KeyPack, now: int) -> deque[tuple[Any, ...]]:
        """Read some more free CALs; on PostgreSQL lock them, and before saying that none is free wait for other replicas."""
        flush(self._transaction)
        if self._sql.dialect == "sqlite":
            [(text,)] = self._select(_FREE_AT_ONCE, (pack.row, now, self._work.expected))
            found = _free_rows(text)
        else:
            select = self._transaction.select_as_planned_now
            found = select(f"{_FREE} FOR UPDATE SKIP LOCKED", (pack.row, now, self._work.expected))
            found = found or select(f"{_FREE} FOR UPDATE", (pack.row, now, 1))
        if not found:
            self._work.exhausted.add(pack.row)
        return deque(found)

    def hold(self, seat: Seat, license_: License) -> int:
        """A new license holds the CAL that was claimed for it; gives the pack's row."""
        return self._pass_on(seat, license_.id, license_.expires_at, self._claimed_from.pop(seat, 0))

    def hold_until(self, seat: Seat, license_: License, until: int) -> None:
        """A license holds its CAL until another end."""
        self._pass_on(seat, license_.id, until, license_.id)

    def give_back(self, seat: Seat, license_: License) -> None:
        """A license has ended: its CAL is free."""
        self._work.exhausted.discard(self._pass_on(seat, None, 0, license_.id))

    def _pass_on(self, seat: Seat, license_: int | None, until: int, was: int) -> int:
        """Give a CAL another holder or end, once the group is written, if the database still says that ``was`` holds it.

        Gives the pack's row.
        """
        pack = self._shared.shelf(self._cursor).by_id[seat.pack].row
        key = (pack, seat.n)
        earlier = self._work.seats.get(key)
        self._work.seats[key] = (license_, until, earlier[2] if earlier else was)
        return pack

    def expired(self, pack: KeyPack, now: int, limit: int) -> list[int]:
        """Numbers of licenses whose CAL has come free by their end; other replicas leave these CALs alone meanwhile."""
        lock = "FOR UPDATE SKIP LOCKED" if self._sql.dialect == "postgresql" else ""
        text = f"SELECT license FROM seat WHERE pack = ? AND held_until > 0 AND held_until <= ? LIMIT ? {lock}"  # noqa: S608
        return [number for (number,) in self._select(text, (pack.row, now, limit))]
