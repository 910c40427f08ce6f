"""Is the forecast better than doing nothing, is its band honest, and does it say when it cannot know?"""

from math import exp, log
from statistics import fmean

import pytest

from calward.insight.forecast import FEWEST_DAYS, Forecast, TooThin, forecast
from calward.insight.forecast_methods import METHODS, Method
from tests.support.use_histories import KINDS

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),  # Ninety histories are played and foretold before the first test.
]

AHEAD = 28
LENGTHS = {1: 100, 3: 200, 5: 400}
"""Days known, by seed."""


def missed(told, came):
    return fmean(abs(one - other) for one, other in zip(told, came, strict=True))


@pytest.fixture(scope="module")
def judged():
    """(kind, seed) → the forecast, the error of each method by itself, and what came."""
    found = {}
    for kind in KINDS:
        for seed, days in LENGTHS.items():
            counts = KINDS[kind](seed, days + AHEAD)
            past, came = counts[:days], counts[days:]
            told = forecast(past, AHEAD)
            if isinstance(told, Forecast):
                by_method = {method: missed(METHODS[method](past, [days], AHEAD)[0], came) for method in Method}
                found[kind, seed] = (told, by_method, came)
    return found


def share(judged, error, rival):
    """Of the rival's error, on the geometric mean; a quarter of a CAL more on both sides, as nothing is divided by zero."""
    return exp(fmean(log((error(one) + 0.25) / (one[1][rival] + 0.25)) for one in judged.values()))


def chosen(one):
    return missed(one[0].expected, one[2])


def smoothed(one):
    return one[1][Method.SMOOTHING]


def test_nearly_all_histories_are_enough_for_a_forecast(judged):
    assert len(judged) > 0.95 * len(KINDS) * len(LENGTHS)


@pytest.mark.parametrize("error", [chosen, smoothed])
@pytest.mark.parametrize(("rival", "at_most"), [(Method.LAST, 0.7), (Method.WEEK_AGO, 0.9)])
def test_over_histories_of_many_kinds_it_is_better_than_the_last_value_and_than_a_week_ago(
    judged, error, rival, at_most
):
    assert share(judged, error, rival) < at_most


def test_choosing_by_the_past_guards_against_large_misses(judged):
    def mean_share(error):
        return fmean((error(one) + 0.25) / (one[1][Method.LAST] + 0.25) for one in judged.values())

    assert mean_share(chosen) < mean_share(smoothed)


def test_eight_of_ten_days_lie_within_the_band(judged):
    inside = fmean(
        low <= one <= high
        for told, _, came in judged.values()
        for low, one, high in zip(told.low, came, told.high, strict=True)
    )
    assert 0.75 <= inside <= 0.87


def test_the_band_says_of_itself_what_share_it_holds(judged):
    said = fmean(told.inside for told, _, _ in judged.values())
    assert 0.7 <= said <= 0.87


@pytest.mark.parametrize("kind", ["users, growing faster", "users, shrinking"])
def test_where_use_has_a_trend_the_trend_is_seen_and_beats_both(judged, kind):
    for seed in LENGTHS:
        told, by, _ = judged[kind, seed]
        assert told.method is Method.SMOOTHING
        assert by[Method.SMOOTHING] < min(by[Method.LAST], by[Method.WEEK_AGO])


def test_a_straight_line_with_weekends_is_told_within_two_days():
    counts = [100 + day - (20 if day % 7 > 4 else 0) for day in range(140)]
    told = forecast(counts, 60)
    assert isinstance(told, Forecast)
    assert told.method is Method.SMOOTHING
    found = told.exhaustion(260)
    assert found.expected is not None
    # The line is at 260 on a weekend, and above it on the Monday after, 22 days on.
    assert abs(found.expected - 22) <= 2
    assert told.errors[Method.SMOOTHING] < told.errors[Method.LAST] / 5


@pytest.mark.parametrize("method", Method)
def test_what_is_told_at_a_day_of_the_past_knows_nothing_of_what_came(method):
    counts = [*KINDS["users, growing"](2, 200)]
    places = list(range(60, 200, 9))
    told = METHODS[method](counts, places, AHEAD)
    for place, line in zip(places, told, strict=True):
        assert METHODS[method]([*counts[:place], *[9999] * (200 - place)], places, AHEAD)[places.index(place)] == line


def test_the_same_history_gets_the_same_forecast():
    counts = KINDS["sessions, small"](4, 150)
    assert forecast(counts, 90) == forecast(counts, 90)


def test_the_range_of_dates_is_in_order(judged):
    for told, _, _ in judged.values():
        found = [day or 999 for day in told.exhaustion(250)]
        assert found == sorted(found)
        assert all(low <= middle <= high for low, middle, high in zip(told.low, told.expected, told.high, strict=True))


def test_what_shrinks_does_not_run_out():
    told = forecast(KINDS["users, shrinking"](1, 200), 365)
    assert told.exhaustion(700).expected is None


@pytest.mark.parametrize(
    "counts",
    [[0] * 190 + [1, 0, 0, 2, 0, 0, 1], [5] * 200 + [9, 10, 11] + [12] * 20, [0, 10**6] * 100, [0] * 56 + [3, 0, 4]],
    ids=["hardly anything", "a jump", "up and down", "all at the end"],
)
def test_no_history_is_too_odd_and_the_optimizer_keeps_silent(counts, capfd):
    told = forecast(counts, 365)
    assert isinstance(told, Forecast)
    assert all(0 <= one < 10**8 for one in told.expected)
    assert capfd.readouterr() == ("", "")


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
    told = forecast(KINDS["users, growing"](3, FEWEST_DAYS))
    assert isinstance(told, Forecast)
    assert told.inside is None, "one day of the past cannot be judged by another"
