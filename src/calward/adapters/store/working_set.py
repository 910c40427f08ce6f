"""What has a transaction read so far, and what has it still to write?

Acts of one group see each other's work here; rows go to the database together, in ``flushing``.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from calward.domain.events import Event
from calward.domain.licenses import Ending, Holder, License

__all__ = ["WorkingSet"]

Row = tuple[Any, ...]


@dataclass(slots=True)
class WorkingSet:
    """Identity maps (what was read), then buffers (what is to be written)."""

    expected: int = 1
    """For how many requests of the group CALs, salts and numbers are fetched together."""
    holders: dict[tuple[str, str], Holder | None] = field(default_factory=dict)
    holders_by_id: dict[int, Holder] = field(default_factory=dict)
    licenses: dict[int, License] = field(default_factory=dict)
    licenses_of: dict[int, list[License]] = field(default_factory=dict)
    request_keys: dict[tuple[int, str], bytes] = field(default_factory=dict)
    requests: dict[bytes, Event | None] = field(default_factory=dict)
    free: dict[int, deque[Row]] = field(default_factory=dict)
    """Free CALs by pack row, as (n, license that held it, held until)."""
    exhausted: set[int] = field(default_factory=set)
    """Packs (rows) of which no further CAL is free, as long as none is freed in this transaction."""
    events: dict[int, Event] = field(default_factory=dict)

    new_holders: list[Row] = field(default_factory=list)
    proven: dict[int, int] = field(default_factory=dict)
    new_licenses: dict[int, tuple[License, int | None]] = field(default_factory=dict)
    extended: dict[int, License] = field(default_factory=dict)
    ended: dict[int, tuple[int, int, str]] = field(default_factory=dict)
    seats: dict[tuple[int, int], tuple[int | None, int, int]] = field(default_factory=dict)
    """CALs to pass on, by (pack, n): license, held until, and the license that holds it in the database (0: none)."""
    new_events: list[Row] = field(default_factory=list)
    new_requests: list[Row] = field(default_factory=list)

    def know(self, holder: Holder) -> None:
        """Find this holder from now on; one that was erased only by its number."""
        if holder.key:
            self.holders[holder.kind[0], holder.key] = holder
        self.holders_by_id[holder.id] = holder

    def note_end(self, number: int, at: int, ending: Ending) -> None:
        """A license has ended, one that was read or one that was not."""
        known = self.licenses.get(number)
        if known:
            known.ended_at, known.ending = at, ending
        if number not in self.new_licenses:
            self.ended[number] = (number, at, ending.value)

    def written(self) -> None:
        """Empty the buffers: their rows are in the database now."""
        for buffer in (self.new_holders, self.new_events, self.new_requests):
            buffer.clear()
        for by_key in (self.proven, self.ended, self.new_licenses, self.extended, self.seats):
            by_key.clear()
