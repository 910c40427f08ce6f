"""What has a transaction read so far, and what has it still to write?

Acts of one group see each other's work here; rows go to the database together, in ``flush``.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from calward.app.ports import Remembered
from calward.domain.events import Event
from calward.domain.licenses import Holder, License

__all__ = ["WorkingSet"]

Row = tuple[Any, ...]


@dataclass(slots=True)
class WorkingSet:
    """Identity maps (what was read), then buffers (what is to be written)."""

    holders: dict[tuple[str, str], Holder | None] = field(default_factory=dict)
    holders_by_id: dict[int, Holder] = field(default_factory=dict)
    licenses: dict[int, License] = field(default_factory=dict)
    licenses_of: dict[int, list[License]] = field(default_factory=dict)
    request_keys: dict[tuple[int, str], bytes] = field(default_factory=dict)
    requests: dict[bytes, Remembered | None] = field(default_factory=dict)
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
