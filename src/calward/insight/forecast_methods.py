"""How is a history of daily counts carried on, from its end or from a day of its past?

The method with a model is exponential smoothing by statsmodels; the others are the plain guesses that it has to beat. Why this library and these
settings: docs/decisions/0052.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import cache
from math import isfinite
from types import MappingProxyType
from typing import Any, Final, NamedTuple

__all__ = ["METHODS", "WEEK", "Carry", "Method"]

WEEK: Final = 7
_WINDOW: Final = 182
"""Days that the smoothing reads: half a year."""
_FITTED: Final = 10
"""Days of the past that share one fit, which is made at the earliest of them: none of them looks ahead. A fit takes some ten milliseconds."""

Carry = Callable[[Sequence[float], Sequence[int], int], Sequence[Sequence[float]]]
"""A history, places in it (rising; each with at least four weeks before it) and a number of days in; for each place that many numbers out, told
from what lies before the place only. The place after the last day is the history's length."""


class Method(StrEnum):
    """How the future is read from the past."""

    SMOOTHING = "season-and-trend"
    WEEK_AGO = "as-a-week-ago"
    LAST = "as-it-is-today"


def _smoothing(counts: Sequence[float], places: Sequence[int], days: int) -> Sequence[Sequence[float]]:
    """Additive weekly season and damped trend; never below zero."""
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # What the optimizer has to say is no concern of an administrator: the back-test judges.
        return [
            line
            for begin in range(0, len(places), _FITTED)
            for line in _from_one_fit(counts, places[begin : begin + _FITTED], days)
        ]


def _from_one_fit(counts: Sequence[float], places: Sequence[int], days: int) -> Sequence[Sequence[float]]:
    first = max(0, places[0] - _WINDOW)
    fitted = _model(counts[first : places[0]], initialization_method="heuristic").fit(method="Powell", use_brute=False)
    if places[0] != places[-1]:
        fitted = _followed(counts[first : places[-1]], fitted.params)
    anchors = [*(place - first for place in places[:-1]), "end"]
    nothing = _library().zeros((days, 1))
    lines = [fitted.simulate(days, anchor=anchor, random_errors=nothing) for anchor in anchors]
    return [_bounded(line.ravel().tolist(), counts[place - 1]) for place, line in zip(places, lines, strict=True)]


def _followed(counts: Sequence[float], found: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- statsmodels has no types
    """The model with parameters that were found before, led through all these days."""
    model = _model(
        counts,
        initialization_method="known",
        initial_level=found["initial_level"],
        initial_trend=found["initial_trend"],
        initial_seasonal=found["initial_seasons"],
    )
    paces = ("smoothing_level", "smoothing_trend", "smoothing_seasonal", "damping_trend")
    return model.fit(optimized=False, **{name: found[name] for name in paces})


def _model(counts: Sequence[float], **begin: Any) -> Any:  # noqa: ANN401 -- statsmodels has no types
    return _library().smoothing(counts, trend="add", damped_trend=True, seasonal="add", seasonal_periods=WEEK, **begin)


class _Library(NamedTuple):
    smoothing: Any
    zeros: Any


@cache
def _library() -> _Library:
    """Load it when it is first needed: it takes a second, and 100 MB of memory (docs/decisions/0020)."""
    from numpy import zeros  # noqa: PLC0415 -- as above
    from statsmodels.tsa.holtwinters import ExponentialSmoothing  # noqa: PLC0415 -- as above

    return _Library(ExponentialSmoothing, zeros)


def _bounded(line: Sequence[float], last: float) -> Sequence[float]:
    """No count is below zero; where a fit came to nothing, all stays as it is."""
    return [max(0.0, one) for one in line] if all(map(isfinite, line)) else [last] * len(line)


def _week_ago(counts: Sequence[float], places: Sequence[int], days: int) -> Sequence[Sequence[float]]:
    return [[counts[place - WEEK + day % WEEK] for day in range(days)] for place in places]


def _last(counts: Sequence[float], places: Sequence[int], days: int) -> Sequence[Sequence[float]]:
    return [[counts[place - 1]] * days for place in places]


METHODS: Final[Mapping[Method, Carry]] = MappingProxyType(
    {Method.SMOOTHING: _smoothing, Method.WEEK_AGO: _week_ago, Method.LAST: _last}
)
"""The simplest stands last."""
