"""When will the CALs be used up? Weekly season and damped trend, an 80 % band, and how wrong this would have been until now.

The band is not assumed but measured: the forecast is made at days of the past, with what was known then, and what it missed by is the band.
The same test judges it against "as it is today" and "as a week ago"; where one of these was better, that one is used. The figures on
histories of many kinds: docs/decisions/0052.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt
from statistics import fmean
from types import MappingProxyType
from typing import Final, NamedTuple

from calward.insight.forecast_methods import METHODS, Method

__all__ = ["FEWEST_DAYS", "Exhaustion", "Forecast", "Method", "TooThin", "forecast"]

FEWEST_DAYS: Final = 56
"""Four weeks to learn from at the earliest day of the test, and four more to be tested on."""
_LEARN: Final = 28
_TESTED: Final = 28
"""Days ahead that the test looks; beyond, the band grows with the root of time."""
_PLACES: Final = 20
"""Days of the past at which the test makes a forecast, at most: the latest ones, a fortnight apart where the history is long enough."""
_APART: Final = 14
_SHARE: Final = 0.8
"""Of the misses of the past that the band takes in."""
_FEW_CHANGES: Final = 3
"""Days with another count than the day before; a history with less has nothing to learn from."""


class TooThin(NamedTuple):
    """No forecast: how many days there are, how many are needed (None: more days alone are no help), and why."""

    days: int
    needed: int | None
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
    inside: float | None
    """Share of the tested days that lay within the band as it would have been measured on the test's other half; None: too few to tell."""
    tests: int

    def exhaustion(self, total: int) -> Exhaustion:
        """When so many CALs are used up."""
        return Exhaustion(*(_first(line, total) for line in (self.high, self.expected, self.low)))


def forecast(counts: Sequence[float], days: int = 365) -> Forecast | TooThin:
    """Look so many days ahead of a history of daily counts, oldest first, without gaps."""
    thin = _too_thin(counts)
    if thin is not None:
        return thin
    places = _places(len(counts))
    misses = {method: _misses(counts, places, method) for method in Method}
    errors = {method: fmean(abs(one) for row in rows for one in row) for method, rows in misses.items()}
    # What is simpler wins a tie.
    best = min(reversed(Method), key=lambda method: errors[method])
    (middle,) = METHODS[best](counts, [len(counts)], days)
    widths = _widths(misses[best], days)
    return Forecast(
        method=best,
        expected=tuple(middle),
        low=tuple(max(0.0, one - width) for one, width in zip(middle, widths, strict=True)),
        high=tuple(one + width for one, width in zip(middle, widths, strict=True)),
        errors=MappingProxyType(errors),
        inside=_inside(misses[best]),
        tests=len(places),
    )


def _too_thin(counts: Sequence[float]) -> TooThin | None:
    if len(counts) < FEWEST_DAYS:
        why = "four weeks show the weekly season and the trend, four more test the forecast"
        return TooThin(len(counts), FEWEST_DAYS, why)
    if sum(1 for one, next_ in pairwise(counts) if one != next_) < _FEW_CHANGES:
        why = f"the count has changed on fewer than {_FEW_CHANGES} days: nothing says where it goes"
        return TooThin(len(counts), None, why)
    return None


def _places(length: int) -> Sequence[int]:
    """The days of the test, oldest first; at each four weeks are known, and four weeks that came."""
    last = length - _TESTED
    first = max(_LEARN, last - _APART * _PLACES)
    return range(last, first - 1, -max(1, (last - first) // _PLACES))[:_PLACES][::-1]


def _misses(counts: Sequence[float], places: Sequence[int], method: Method) -> Sequence[Sequence[float]]:
    """For each day of the test: what came less what was foretold, one to 28 days ahead."""
    lines = METHODS[method](counts, places, _TESTED)
    return [
        [counts[place + day] - one for day, one in enumerate(line)] for place, line in zip(places, lines, strict=True)
    ]


def _widths(misses: Sequence[Sequence[float]], days: int) -> Sequence[float]:
    """Half the band for each day ahead: within it lay eight of ten; never narrower later."""
    found: list[float] = []
    for ahead in range(_TESTED):
        near = [abs(row[day]) for row in misses for day in range(max(0, ahead - 1), min(_TESTED, ahead + 2))]
        found.append(max(_quantile(near, _SHARE), found[-1] if found else 0.0))
    return [found[day] if day < _TESTED else found[-1] * sqrt((day + 1) / _TESTED) for day in range(days)]


def _inside(misses: Sequence[Sequence[float]]) -> float | None:
    """Each half of the test judged by the other half's band, so that nothing is judged by itself."""
    half = len(misses) // 2
    if not half:
        return None
    older, newer = misses[:half], misses[half:]
    return fmean([*_hits(older, _widths(newer, _TESTED)), *_hits(newer, _widths(older, _TESTED))])


def _hits(rows: Sequence[Sequence[float]], widths: Sequence[float]) -> Iterator[bool]:
    return (abs(one) <= width for row in rows for one, width in zip(row, widths, strict=True))


def _quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, ceil(share * (len(ordered) + 1)) - 1))]


def _first(line: Sequence[float], total: int) -> int | None:
    return next((day for day, value in enumerate(line, 1) if value >= total), None)
