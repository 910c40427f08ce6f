"""How far off is the forecast on histories of many kinds, beside plain guesses, our former method and others of the library?

`python bench/forecasts.py` prints the tables of docs/decisions/0052 (some minutes): eight histories of each kind in
`tests/support/use_histories.py`, of 70 to 800 days, each method told 28 and 91 days ahead.
"""

import os
import sys
import time
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from math import exp, log
from pathlib import Path
from statistics import fmean, median
from typing import Any

os.environ.setdefault(
    "OPENBLAS_NUM_THREADS", "1"
)  # Matrices this small are no work for threads: they wait for each other.
if __name__ == "__main__":  # As a script: `bench` and `tests` are found from the root.
    sys.path[:1] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "src")]

from pandas import Series
from statsmodels.tsa.api import STLForecast
from statsmodels.tsa.exponential_smoothing.ets import ETSModel
from statsmodels.tsa.forecasting.theta import ThetaModel
from statsmodels.tsa.holtwinters import ExponentialSmoothing, Holt

from bench.own_smoothing import own_smoothing
from bench.places import say
from calward.insight.forecast import Forecast, forecast
from calward.insight.forecast_methods import METHODS, Method
from tests.support.use_histories import KINDS

LENGTHS = (70, 100, 140, 200, 280, 400, 600, 800)
"""Days known, by seed."""
AHEAD = (28, 91)
FORM = {"trend": "add", "damped_trend": True, "seasonal": "add", "seasonal_periods": 7}
CHOSEN, OWN = "chosen by back-test", "our former method"

Told = Callable[[Sequence[float], int], Sequence[float]]
Errors = Mapping[str, float]
"""By method, of one history: the mean absolute error in CALs."""


def _smoothing_of_all(counts: Sequence[float], days: int) -> Sequence[float]:
    return ExponentialSmoothing([*counts], **FORM).fit().forecast(days).tolist()


def _ets(counts: Sequence[float], days: int) -> Sequence[float]:
    return ETSModel(Series(counts, dtype=float), **FORM).fit(disp=0).forecast(days).tolist()


def _theta(counts: Sequence[float], days: int) -> Sequence[float]:
    return ThetaModel(Series(counts, dtype=float), period=7, method="additive").fit().forecast(days).tolist()


def _holt_of_stl(counts: Sequence[float], days: int) -> Sequence[float]:
    kwargs = {"damped_trend": True, "initialization_method": "estimated"}
    return STLForecast(Series(counts, dtype=float), Holt, model_kwargs=kwargs, period=7).fit().forecast(days).tolist()


def _of(method: Method) -> Told:
    return lambda counts, days: METHODS[method](counts, [len(counts)], days)[0]


def _mean_with_theta(counts: Sequence[float], days: int) -> Sequence[float]:
    both = zip(_of(Method.SMOOTHING)(counts, days), _theta(counts, days), strict=True)
    return [(one + other) / 2 for one, other in both]


RIVALS: Mapping[str, Told] = {
    Method.LAST.value: _of(Method.LAST),
    Method.WEEK_AGO.value: _of(Method.WEEK_AGO),
    OWN: own_smoothing,
    "ExponentialSmoothing, half a year": _of(Method.SMOOTHING),
    "ExponentialSmoothing, all, estimated": _smoothing_of_all,
    "ETSModel": _ets,
    "ThetaModel": _theta,
    "STL, Holt": _holt_of_stl,
    "mean with Theta": _mean_with_theta,
}


def _chosen(counts: Sequence[float], days: int) -> Sequence[float]:
    found = forecast(counts, days)
    return found.expected if isinstance(found, Forecast) else [counts[-1]] * days


def main() -> None:
    """Print a row for each kind of history, then what that comes to."""
    warnings.simplefilter("ignore")
    errors: dict[tuple[str, int, int], dict[str, float]] = {}
    took: Counter[str] = Counter()
    inside: dict[int, list[bool]] = {ahead: [] for ahead in AHEAD}
    used: Counter[str] = Counter()
    for kind, seed in product(KINDS, range(len(LENGTHS))):
        counts = KINDS[kind](seed, LENGTHS[seed] + AHEAD[-1])
        past, came = counts[: LENGTHS[seed]], counts[LENGTHS[seed] :]
        found = forecast(past, AHEAD[-1])
        if not isinstance(found, Forecast):
            say(f"   {kind}, {LENGTHS[seed]} days: too thin")
            continue
        used[found.method] += 1
        lines = {name: _timed(took, name, told, past) for name, told in RIVALS.items()}
        lines[CHOSEN] = _timed(took, CHOSEN, _chosen, past)
        for ahead in AHEAD:
            errors[kind, seed, ahead] = {name: _error(line, came[:ahead]) for name, line in lines.items()}
            band = zip(found.low[:ahead], came, found.high[:ahead], strict=False)
            inside[ahead] += [low <= one <= high for low, one, high in band]
    for ahead in AHEAD:
        _print(ahead, {key[:2]: row for key, row in errors.items() if key[2] == ahead}, took)
        print(f"\nwithin the band: {fmean(inside[ahead]):.3f}\n")
    print("chosen:", dict(used))


def _timed(took: Counter[str], name: str, told: Told, past: Sequence[float]) -> Sequence[float]:
    began = time.perf_counter()
    line = told(past, AHEAD[-1])
    took[name] += time.perf_counter() - began  # type: ignore[assignment]
    return [max(0.0, one) for one in line]


def _error(line: Sequence[float], came: Sequence[float]) -> float:
    return fmean(abs(told - one) for told, one in zip(line, came, strict=False))


def _print(ahead: int, errors: Mapping[tuple[str, int], Errors], took: Mapping[str, Any]) -> None:
    names = [*RIVALS, CHOSEN]
    _row(f"mean error in CALs, {ahead} days", *names)
    _row("---", *("---" for _ in names))
    kinds = {kind: [row for (one, _), row in errors.items() if one == kind] for kind in KINDS}
    for kind, rows in kinds.items():
        _row(kind, *(f"{fmean(row[name] for row in rows):.2f}" for name in names))
    print()
    _row(f"{ahead} days", "geometric mean", "mean", "median", "better than our former: kinds", "histories", "ms each")
    _row("---", *("---" for _ in range(6)))
    for name in names:
        # A quarter of a CAL more on both sides: where nothing changed, nothing is divided by zero.
        shares = [(row[name] + 0.25) / (row[Method.LAST] + 0.25) for row in errors.values()]
        better = sum(fmean(row[name] for row in rows) < fmean(row[OWN] for row in rows) for rows in kinds.values())
        ahead_of = sum(row[name] < row[OWN] for row in errors.values())
        figures = (exp(fmean(map(log, shares))), fmean(shares), median(shares))
        _row(
            name,
            *(f"{one:.2f}" for one in figures),
            f"{better} of {len(kinds)}",
            f"{ahead_of} of {len(errors)}",
            round(1000 * took[name] / len(errors)),
        )


def _row(*cells: object) -> None:
    print("|", " | ".join(map(str, cells)), "|")


if __name__ == "__main__":
    main()
