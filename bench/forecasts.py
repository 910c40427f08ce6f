"""How far off is the forecast on histories of many kinds, beside doing nothing and beside a library? The table of docs/decisions/0052.

`python bench/forecasts.py`; statsmodels stands beside ours where it is installed. Mean absolute errors in CALs, 28 days ahead.
"""

import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from statistics import mean

if __name__ == "__main__":  # As a script: `bench` and `tests` are found from the root.
    sys.path[:1] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parents[1] / "src")]

from calward.insight.forecast import METHODS, Forecast, forecast
from tests.support.use_histories import KINDS

AHEAD, SEEDS = 28, range(6)
Method = Callable[[Sequence[float], int], Sequence[float]]


def _library() -> Mapping[str, Method]:
    """The methods of statsmodels; none where it is not installed."""
    try:
        smooth = import_module("statsmodels.tsa.holtwinters").ExponentialSmoothing
    except ImportError:
        return {}
    arrays = import_module("numpy")

    def smoothing(counts: Sequence[float], days: int) -> Sequence[float]:
        form = {"trend": "add", "damped_trend": True, "seasonal": "add", "seasonal_periods": 7}
        return list(smooth(arrays.array(counts, float), **form).fit().forecast(days))

    return {"ExponentialSmoothing": smoothing}


def _chosen(counts: Sequence[float], days: int) -> Sequence[float]:
    found = forecast(counts, days)
    return found.expected if isinstance(found, Forecast) else [counts[-1]] * days


def main() -> None:
    """Print a row for each kind of history."""
    warnings.simplefilter("ignore")
    methods: dict[str, Method] = {**{one.value: method for one, method in METHODS.items()}, "chosen": _chosen}
    methods |= _library()
    print("history", *methods, sep="\t")
    for kind, make in KINDS.items():
        histories = [make(seed, 120 + 40 * seed + AHEAD) for seed in SEEDS]
        print(kind, *(f"{_error(method, histories):.2f}" for method in methods.values()), sep="\t")


def _error(method: Method, histories: Sequence[Sequence[float]]) -> float:
    return mean(
        abs(told - came)
        for counts in histories
        for told, came in zip(method(counts[:-AHEAD], AHEAD), counts[-AHEAD:], strict=True)
    )


if __name__ == "__main__":
    main()
