"""How many CALs of a pack, and of a version and type, were in use on each day until now?

From the times at which licenses were given and ended, or from what repeated imports counted. Days are numbered since 1970 (UTC); a day's
number is what was in use at its end.
"""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from calward.domain.cals import CalType
from calward.insight.counting import counts_at
from calward.insight.estate import Estate, EstateLicense, LicenseStatus, PackType
from calward.insight.planner.needs import family_or_none

__all__ = ["DAY", "Pool", "Span", "UseHistory", "from_snapshots", "from_spans", "license_span", "pools_of"]

DAY: Final = 86_400
_LONGEST_GAP: Final = 7
"""Days between two imports that a straight line may bridge; before a longer gap nothing is known."""
_KEPT: Final = 1100
"""Days of a history that are of use: three years."""
_FULL: Final = frozenset(
    {LicenseStatus.ACTIVE, LicenseStatus.OVER_USED, LicenseStatus.CONCURRENT, LicenseStatus.UNKNOWN}
)


class Pool(NamedTuple):
    """What is counted: all of a type and family (``pack`` ""), or one pack of a license server."""

    type: CalType
    family: int
    server: str = ""
    pack: str = ""


class Span(NamedTuple):
    """A license took a CAL of this family from one second to another; ``end`` None: it still does."""

    pool: Pool
    begin: int
    end: int | None


class UseHistory(NamedTuple):
    """Counts of consecutive days; the first is that of day number ``first``."""

    first: int
    counts: Sequence[float]


def license_span(estate: Estate, one: EstateLicense) -> Span | None:
    """The span of a license; None where it took no CAL, or the source does not say when it was given."""
    family = family_or_none(estate.ladder, one.version)
    if family is None or one.issued_at is None or one.status not in _FULL or one.type is PackType.BUILT_IN:
        return None
    over = one.status is LicenseStatus.OVER_USED
    pool = Pool(CalType(one.type), family, one.server, "" if over else one.pack or "")
    ended = one.expires_at is not None and one.expires_at <= estate.taken_at
    return Span(pool, one.issued_at, one.expires_at if ended else None)


def from_spans(spans: Iterable[Span], now: int) -> Mapping[Pool, UseHistory]:
    """Count the licenses of each pool day by day, until the last day that is over."""
    last = now // DAY - 1
    days = range(last + 1 - _KEPT, last + 1)
    first: dict[Pool, int] = {}
    counts = counts_at(_changes(spans, now, first), [(day + 1) * DAY - 1 for day in days])
    return {
        pool: UseHistory(max(day, days.start), [float(n) for n in counts[pool][max(0, day - days.start) :]])
        for pool, day in first.items()
        if day <= last
    }


def _changes(spans: Iterable[Span], now: int, first: dict[Pool, int]) -> Iterator[tuple[Pool, int, int]]:
    """Pool, when, and one more or one less; ``first`` learns each pool's first day."""
    for pool, begin, end in spans:
        for one in _both(pool):
            first[one] = min(begin // DAY, first.get(one, begin // DAY))
            yield one, begin, 1
            if end is not None and end <= now:
                yield one, end, -1


def _both(pool: Pool) -> Sequence[Pool]:
    whole = Pool(pool.type, pool.family)
    return (whole, pool) if pool.pack else (whole,)


def from_snapshots(snapshots: Iterable[Estate]) -> Mapping[Pool, UseHistory]:
    """Join what imports counted, oldest first; days between two of them lie on a straight line."""
    seen: dict[Pool, dict[int, float]] = {}
    for estate in snapshots:
        for pool, (issued, _) in pools_of(estate).items():
            seen.setdefault(pool, {})[estate.taken_at // DAY] = issued
    return {pool: _joined(counts) for pool, counts in seen.items()}


def pools_of(estate: Estate) -> Mapping[Pool, tuple[int, int | None]]:
    """In use and installed (None: unlimited) by pool, from an estate's packs; expired packs are left out."""
    found: dict[Pool, tuple[int, int | None]] = {}
    for pack in estate.packs:
        family = family_or_none(estate.ladder, pack.version)
        gone = pack.expires_at is not None and pack.expires_at <= estate.taken_at
        if family is None or gone or pack.type is PackType.BUILT_IN or pack.program == "temporary":
            continue
        type_ = CalType(pack.type)
        # The pool of over-use has no CALs of its own: its licenses want the version's.
        total = 0 if pack.program == "built-in over-used" else pack.total
        pools = [Pool(type_, family), *([Pool(type_, family, pack.server, pack.id)] if total != 0 else [])]
        for pool in pools:
            issued, before = found.get(pool, (0, 0))
            found[pool] = (issued + pack.issued, None if total is None or before is None else before + total)
    return found


def _joined(seen: Mapping[int, float]) -> UseHistory:
    days = sorted(seen)
    gaps = [place for place in range(1, len(days)) if days[place] - days[place - 1] > _LONGEST_GAP]
    days = days[gaps[-1] if gaps else 0 :]
    return UseHistory(days[0], [_between(days, seen, day) for day in range(days[0], days[-1] + 1)])


def _between(days: Sequence[int], seen: Mapping[int, float], day: int) -> float:
    if day in seen:
        return seen[day]
    place = bisect_right(days, day)
    before, after = days[place - 1], days[place]
    share = (day - before) / (after - before)
    return seen[before] + share * (seen[after] - seen[before])
