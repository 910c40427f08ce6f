"""The method that Calward had before it took a library: weekly season, Holt's level and damped trend, at the pace that fits the past best.

Kept as a yardstick of `bench/forecasts.py`; nothing else uses it (docs/decisions/0052).
"""

from collections.abc import Sequence
from statistics import fmean
from typing import Final

__all__ = ["own_smoothing"]

WEEK: Final = 7
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


def own_smoothing(counts: Sequence[float], days: int) -> Sequence[float]:
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
    level = fmean(begin) - slope * (len(begin) + 1) / 2
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
        rows[(first + place) % WEEK].append(window[place] - fmean(around))
    found = [fmean(row) for row in rows]
    rest = fmean(found)
    return [one - rest for one in found]


def _slope(values: Sequence[float]) -> float:
    """The least-squares line's rise a day."""
    middle = (len(values) - 1) / 2
    weight = sum((place - middle) ** 2 for place in range(len(values)))
    return sum((place - middle) * value for place, value in enumerate(values)) / weight
