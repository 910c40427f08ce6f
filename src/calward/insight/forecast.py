"""When will the CALs be used up? Weekly season, damped trend, an 80 % band, and how wrong this would have been until now.

The band is not assumed but measured: the forecast is made at many days of the past, with what was known then, and what it missed by is the
band. The same test judges it against "as it is today" and "as a week ago"; where one of these was better, that one is used. The figures on
histories of many kinds, and a library beside it: docs/decisions/0052.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise
from math import ceil, sqrt
from types import MappingProxyType
from typing import Final, NamedTuple

__all__ = ["FEWEST_DAYS", "METHODS", "Exhaustion", "Forecast", "Method", "TooThin", "forecast"]

WEEK: Final = 7
FEWEST_DAYS: Final = 56
"""Four weeks to learn from at the earliest day of the test, and four more to be tested on."""
_LEARN: Final = 28
_TESTED: Final = 28
"""Days ahead that the test looks; beyond, the band grows with the root of time."""
_ORIGINS: Final = 40
"""Days of the past at which the test makes a forecast, at most; the latest ones."""
_WINDOW: Final = 112
"""Days from which level and trend are read."""
_SEASONS: Final = 56
"""Days from which the weekly season is read."""
_PACES: Final = tuple(
    (quick, turning, damping)
    for quick in (0.1, 0.3, 0.6, 0.95)
    for turning in (0.02, 0.1, 0.3)
    for damping in (0.98, 0.995)
)
"""How much of what was missed goes into the level, and of that into the trend; what is left of the trend each day later."""
_SHARE: Final = 0.85
"""Of the misses of the past that the band takes in. More than 0.8, as the days of the test overlap and the method was chosen on them:
on histories of many kinds the band then holds about eight of ten of the days that come."""
_FEW_CHANGES: Final = 3
"""Days with another count than the day before; a history with less has nothing to learn from."""


class Method(StrEnum):
    """How the future is read from the past."""

    TREND = "season-and-trend"
    WEEK_AGO = "as-a-week-ago"
    LAST = "as-it-is-today"


class TooThin(NamedTuple):
    """No forecast: how many days there are, how many are needed, and why."""

    days: int
    needed: int
    why: str


class Exhaustion(NamedTuple):
    """Days after the last one of the history; None: not within what was looked at."""

    earliest: int | None
    expected: int | None
    latest: int | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """``expected``, ``low`` and ``high``: one number for each day after the history; eight of ten days should lie between the last two."""

    method: Method
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    errors: Mapping[Method, float]
    """Mean absolute error in the test, 1 to 28 days ahead."""
    inside: float
    """Share of the tested days that lay within the band as it would have been measured on the test's other half."""
    tests: int

    def exhaustion(self, total: int) -> Exhaustion:
        """When so many CALs are used up."""
        return Exhaustion(*(_first(line, total) for line in (self.high, self.expected, self.low)))


def forecast(counts: Sequence[float], days: int = 365) -> Forecast | TooThin:
    """Look so many days ahead of a history of daily counts, oldest first, without gaps."""
    if len(counts) < FEWEST_DAYS:
        why = f"four weeks show the weekly season and the trend, four more are needed to test the forecast: {FEWEST_DAYS} days"
        return TooThin(len(counts), FEWEST_DAYS, why)
    if sum(1 for one, next_ in pairwise(counts) if one != next_) < _FEW_CHANGES:
        why = f"the count has changed on fewer than {_FEW_CHANGES} days: nothing says where it goes"
        return TooThin(len(counts), len(counts) + FEWEST_DAYS, why)
    misses = {method: _misses(counts, method) for method in Method}
    errors = {method: _mean([abs(one) for row in rows for one in row]) for method, rows in misses.items()}
    # What is simpler wins a tie.
    best = min(reversed(Method), key=lambda method: errors[method])
    middle = METHODS[best](counts, days)
    widths = _widths(misses[best], days)
    return Forecast(
        method=best,
        expected=tuple(middle),
        low=tuple(max(0.0, one - width) for one, width in zip(middle, widths, strict=True)),
        high=tuple(one + width for one, width in zip(middle, widths, strict=True)),
        errors=MappingProxyType(errors),
        inside=_inside(misses[best]),
        tests=len(misses[best]),
    )


def _trend(counts: Sequence[float], days: int) -> Sequence[float]:
    """Weekly season (additive, of the last eight weeks), and Holt's level and damped trend, as quick to follow as fits the past best."""
    window = counts[-_WINDOW:]
    first = len(counts) - len(window)
    season = _season(counts[-_SEASONS:], max(0, len(counts) - _SEASONS))
    plain = [value - season[(first + place) % WEEK] for place, value in enumerate(window)]
    level, slope, damping = min((_followed(plain, *pace) for pace in _PACES), key=lambda found: found[0])[1:]
    found = []
    for day in range(days):
        slope *= damping
        level += slope
        found.append(max(0.0, level + season[(len(counts) + day) % WEEK]))
    return found


def _followed(
    plain: Sequence[float], quick: float, turning: float, damping: float
) -> tuple[float, float, float, float]:
    """Squared errors one day ahead at one pace of following; level and slope at the end, and the pace's damping."""
    begin = plain[: 2 * WEEK]
    slope = _slope(begin)
    level = _mean(begin) - slope * (len(begin) + 1) / 2
    wrong = 0.0
    for value in plain:
        told = level + slope * damping
        missed = value - told
        wrong += missed * missed
        level = told + quick * missed
        slope = slope * damping + quick * turning * missed
    return wrong, level, slope, damping


def _season(window: Sequence[float], first: int) -> Sequence[float]:
    """What each day of the week differs from the seven days around it; ``first``: the number of the window's first day."""
    rows: list[list[float]] = [[] for _ in range(WEEK)]
    for place in range(WEEK // 2, len(window) - WEEK // 2):
        around = window[place - WEEK // 2 : place + WEEK // 2 + 1]
        rows[(first + place) % WEEK].append(window[place] - _mean(around))
    found = [_mean(row) for row in rows]
    rest = _mean(found)
    return [one - rest for one in found]


def _slope(values: Sequence[float]) -> float:
    """The least-squares line's rise a day."""
    middle = (len(values) - 1) / 2
    weight = sum((place - middle) ** 2 for place in range(len(values)))
    return sum((place - middle) * value for place, value in enumerate(values)) / weight


def _week_ago(counts: Sequence[float], days: int) -> Sequence[float]:
    return [counts[len(counts) - WEEK + day % WEEK] for day in range(days)]


def _last(counts: Sequence[float], days: int) -> Sequence[float]:
    return [counts[-1]] * days


METHODS: Final[Mapping[Method, Callable[[Sequence[float], int], Sequence[float]]]] = MappingProxyType(
    {Method.TREND: _trend, Method.WEEK_AGO: _week_ago, Method.LAST: _last}
)
"""What each does: a history and a number of days in, that many numbers out."""


def _misses(counts: Sequence[float], method: Method) -> Sequence[Sequence[float]]:
    """For each day of the test, oldest first: what came less what was foretold, one to 28 days ahead."""
    last = len(counts) - _TESTED
    first = max(_LEARN, last - 7 * _ORIGINS)
    places = range(last, first - 1, -max(1, (last - first) // _ORIGINS))
    return [_missed(counts, place, METHODS[method]) for place in reversed(places)]


def _missed(
    counts: Sequence[float], place: int, method: Callable[[Sequence[float], int], Sequence[float]]
) -> Sequence[float]:
    told = method(counts[:place], _TESTED)
    return [counts[place + day] - one for day, one in enumerate(told)]


def _widths(misses: Sequence[Sequence[float]], days: int) -> Sequence[float]:
    """Half the band for each day ahead: within it lay eight of ten; never narrower later."""
    found: list[float] = []
    for ahead in range(_TESTED):
        near = [abs(row[day]) for row in misses for day in range(max(0, ahead - 1), min(_TESTED, ahead + 2))]
        found.append(max(_quantile(near, _SHARE), found[-1] if found else 0.0))
    return [found[day] if day < _TESTED else found[-1] * sqrt((day + 1) / _TESTED) for day in range(days)]


def _inside(misses: Sequence[Sequence[float]]) -> float:
    """Each half of the test judged by the other half's band, so that nothing is judged by itself."""
    half = len(misses) // 2
    if not half:
        return 0.0
    hits = [
        abs(one) <= width
        for judged, judge in ((misses[:half], misses[half:]), (misses[half:], misses[:half]))
        for row in judged
        for one, width in zip(row, _widths(judge, _TESTED), strict=True)
    ]
    return sum(hits) / len(hits)


def _quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, ceil(share * (len(ordered) + 1)) - 1))]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _first(line: Sequence[float], total: int) -> int | None:
    return next((day for day, value in enumerate(line, 1) if value >= total), None)
