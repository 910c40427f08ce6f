"""Is the forecast better than doing nothing, is its band honest, and does it say when it cannot know?"""

from statistics import mean

import pytest

from calward.insight.forecast import FEWEST_DAYS, METHODS, Forecast, Method, TooThin, forecast
from tests.support.use_histories import KINDS

AHEAD = 28
SEEDS = range(4)


def split(kind, seed):
    """A history, and the 28 days that followed it."""
    days = 120 + 40 * seed
    counts = KINDS[kind](seed, days + AHEAD)
    return counts[:days], counts[days:]


def missed(told, came):
    return mean(abs(one - other) for one, other in zip(told, came, strict=True))


@pytest.fixture(scope="module")
def judged():
    """(kind, seed) → the forecast, the error of each method by itself, and what came."""
    found = {}
    for kind in KINDS:
        for seed in SEEDS:
            past, came = split(kind, seed)
            by_method = {method: missed(METHODS[method](past, AHEAD), came) for method in Method}
            found[kind, seed] = (forecast(past, AHEAD), by_method, came)
    return found


def test_over_histories_of_many_kinds_it_is_better_than_the_last_value_and_than_a_week_ago(judged):
    def share(rival):
        return mean(missed(told.expected, came) / (by[rival] or 1) for told, by, came in judged.values())

    assert share(Method.LAST) < 0.8
    assert share(Method.WEEK_AGO) < 0.9


def test_eight_of_ten_days_lie_within_the_band(judged):
    inside = mean(
        low <= one <= high
        for told, _, came in judged.values()
        for low, one, high in zip(told.low, came, told.high, strict=True)
    )
    assert 0.75 <= inside <= 0.9


@pytest.mark.parametrize("kind", ["growing users", "growing devices", "steady users", "shrinking users"])
def test_where_use_has_a_trend_the_trend_is_seen_and_beats_both(judged, kind):
    for seed in SEEDS:
        told, by, _ = judged[kind, seed]
        assert told.method is Method.TREND
        assert by[Method.TREND] < min(by[Method.LAST], by[Method.WEEK_AGO])


def test_a_straight_line_with_weekends_is_told_to_the_day():
    counts = [100 + day - (20 if day % 7 > 4 else 0) for day in range(140)]
    told = forecast(counts, 60)
    assert isinstance(told, Forecast)
    assert told.method is Method.TREND
    found = told.exhaustion(260)
    assert found.expected is not None
    # The line is at 260 on a weekend, and above it on the Monday after, 22 days on.
    assert abs(found.expected - 22) <= 1
    assert told.errors[Method.TREND] < 1


def test_the_range_of_dates_is_in_order(judged):
    for told, _, _ in judged.values():
        found = [day or 999 for day in told.exhaustion(250)]
        assert found == sorted(found)
        assert all(low <= middle <= high for low, middle, high in zip(told.low, told.expected, told.high, strict=True))


def test_what_shrinks_does_not_run_out():
    told = forecast(KINDS["shrinking users"](1, 200), 365)
    assert told.exhaustion(700).expected is None


@pytest.mark.parametrize("days", [0, 1, FEWEST_DAYS - 1])
def test_too_few_days_are_said_with_how_many_are_needed_and_why(days):
    told = forecast([float(day) for day in range(days)])
    assert told[:2] == (days, FEWEST_DAYS)
    assert "four weeks show the weekly season" in told.why


def test_a_count_that_never_changes_tells_nothing():
    told = forecast([5.0] * 100)
    assert isinstance(told, TooThin)
    assert "changed on fewer than 3 days" in told.why


def test_the_fewest_days_that_it_asks_for_are_enough():
    assert isinstance(forecast(KINDS["growing users"](3, FEWEST_DAYS)), Forecast)
