"""Is a span of time read as people write it, and nothing else?"""

import pytest

from calward.domain.time_spans import seconds_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("90s", 90), ("15m", 900), ("6h", 21_600), ("1d", 86_400), ("999999d", 86_399_913_600)],
)
def test_a_number_and_its_unit_are_seconds(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "15", "m", "15 m", " 15m", "15m\n", "-1s", "015m", "1.5h", "1h30m", "1w", "1M", "1234567s", "\u0661m"]
)
def test_anything_else_is_none(text):
    assert seconds_of(text) is None
