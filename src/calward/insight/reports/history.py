"""How did use develop: from one snapshot to the next, and within one by when its licenses were issued?"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from calward.domain.ladder import Ladder
from calward.insight.estate import Estate
from calward.insight.own_history import OwnHistory, pools_then
from calward.insight.reports.narrow import Part, narrow_pools
from calward.insight.reports.over_time import pools_over_time
from calward.insight.reports.pools import Pool, pools
from calward.insight.reports.report import Chart, Column, Holds, Line, Report, Row, head

__all__ = ["Moment", "history", "look", "look_back", "recall"]

_TITLE: Final = "CALs and their use over time"
_COLUMNS: Final = (
    Column("at", "at", Holds.MOMENT),
    Column("version", "version"),
    Column("type", "type"),
    Column("installed", "installed", Holds.COUNT, "unlimited"),
    Column("issued", "issued", Holds.COUNT),
    Column("over_used", "over-used", Holds.COUNT),
    Column("temporary", "temporary", Holds.COUNT, minor=True),
    Column("origin", "origin"),
)
_WEEK: Final = 7 * 86_400
_WEEKS: Final = 52
_SNAPSHOT: Final = "snapshot"
_INFERRED: Final = "inferred"
_LEDGER: Final = "ledger"

Moment = tuple[int, str, Sequence[Pool]]
"""When, how it is known, and the sums at that time."""


def look(estate: Estate) -> Moment:
    """What a snapshot says of its own time; small, so that a long history of large snapshots can be held."""
    return estate.taken_at, _SNAPSHOT, pools(estate)


def look_back(estate: Estate, before: int | None = None) -> list[Moment]:
    """The weeks before a snapshot, by when its licenses were issued; ``before``: not after this moment. Oldest first."""
    first = min((one.issued_at for one in estate.licenses if one.issued_at is not None), default=None)
    if first is None:
        return []
    latest = estate.taken_at if before is None else min(before, estate.taken_at)
    weeks = (estate.taken_at - number * _WEEK for number in range(_WEEKS, 0, -1))
    return [
        (at, _INFERRED, found) for at, found in pools_over_time(estate, [at for at in weeks if first <= at < latest])
    ]


def recall(past: OwnHistory, ladder: Ladder, part: Part | None = None) -> list[Moment]:
    """What our own ledger knows of the weeks before a moment, and of that itself: nothing is missing. Oldest first."""
    weeks = [past.until - number * _WEEK for number in range(_WEEKS, -1, -1)]
    moments = [at for at in weeks if at >= past.begins] or [past.until]
    return [(at, _LEDGER, narrow_pools(found, part, ladder)) for at, found in pools_then(past, ladder, moments)]


def history(estate: Estate, moments: Iterable[Moment], filtered: str = "") -> Report:
    """All moments, oldest first; ``estate``: the newest snapshot."""
    ordered = sorted(moments, key=lambda one: (one[0], one[1]))
    inferred = sum(origin == _INFERRED for _, origin, _ in ordered)
    notes = (
        (f"{inferred} moments are inferred from when running licenses were issued; those that have ended are missing",)
        if inferred
        else ()
    )
    snapshots = sum(origin == _SNAPSHOT for _, origin, _ in ordered)
    known = ("snapshots", snapshots) if snapshots else ("moments", len(ordered))
    facts = (*head("history", _TITLE, estate, filtered, notes), known)
    return Report("history", _TITLE, _COLUMNS, lambda: _rows(ordered), facts, notes, (_chart(ordered),))


def _rows(ordered: Sequence[Moment]) -> Iterator[Row]:
    for at, origin, found in ordered:
        for pool in found:
            yield at, pool.version, pool.type.value, pool.held, pool.used, pool.over, pool.temporary, origin


def _chart(ordered: Sequence[Moment]) -> Chart:
    points: dict[str, dict[int, int]] = {}
    for at, _, found in ordered:
        for pool in found:
            points.setdefault(pool.name, {})[at] = pool.used
    return Chart("issued licenses", lines=tuple(Line(name, tuple(of.items())) for name, of in points.items()))
