"""Fields: each taken once, each within its bounds, nothing left over."""

from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import Fields, check_name, parse_moment, render_moment


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


def fields(value: object) -> Fields:
    return Fields({"it": value}, "the thing")


@pytest.mark.parametrize(
    ("read", "good", "bad"),
    [
        (lambda f: f.text("it", max_length=3), ["a", "abc"], ["", "abcd", 1, None, ["a"]]),
        (
            lambda f: f.name("it"),
            ["LS1", "Zürich 1", "服务器"],
            ["", " a", "a\n", "a\x00b", "a\u202eb", "a\ud800", "x" * 201, 5],
        ),
        (lambda f: f.integer("it", low=1, high=9), [1, 9], [0, 10, -1, "1", True, None]),
        (lambda f: f.hex("it", size=2), ["00ff"], ["00FF", "00f", "00fff", "zzzz", "", 1, None, "\u0660" * 4]),
        (
            lambda f: f.moment("it"),
            ["2026-01-31T08:00:00Z"],
            ["2026-01-31", "2026-13-01T00:00:00Z", "2026-01-31T08:00:00+00:00"],
        ),
        (lambda f: f.moment_or_none("it"), ["2026-01-31T08:00:00Z", None], ["", 0, False]),
        (lambda f: f.choice("it", Color), ["red", "blue"], ["RED", "", 1, None, ["red"], {}]),
        (lambda f: f.objects("it", most=2), [[{}], [{}, {}]], [[], [{}, {}, {}], [1], {}, None, "ab"]),
    ],
)
def test_a_field_is_read_within_its_bounds_and_refused_beyond_them(read, good, bad) -> None:
    for value in good:
        read(fields(value))
    for value in bad:
        with pytest.raises(LicensingError) as caught:
            read(fields(value))
        assert caught.value.problem is Problem.MALFORMED
        assert "the thing" in caught.value.detail


def test_a_missing_field_is_named() -> None:
    with pytest.raises(LicensingError) as caught:
        Fields({}, "the thing").moment_or_none("it")
    assert caught.value.detail == "the thing lacks the field it"
    assert caught.value.field == "it"


def test_a_field_that_is_not_known_is_refused_and_its_name_defused() -> None:
    with pytest.raises(LicensingError) as caught:
        Fields({"\x1b[31m" + "x" * 500: 1}, "the thing").end()
    assert "\x1b" not in caught.value.detail
    assert len(caught.value.detail) < 300


def test_nothing_left_over_is_well() -> None:
    found = fields("a")
    found.text("it")
    found.end()


def test_a_hidden_character_is_named_by_its_code() -> None:
    with pytest.raises(LicensingError, match=r"U\+202E"):
        check_name("evil\u202egnp.exe", "the name")


@given(st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.replace(microsecond=0)))
def test_a_time_that_is_written_is_read(moment: datetime) -> None:
    assert parse_moment(render_moment(moment), "the time") == moment


def test_a_time_is_written_in_utc() -> None:
    noon = datetime(2026, 1, 31, 12, 0, 0, tzinfo=timezone(timedelta(hours=2)))
    assert render_moment(noon) == "2026-01-31T10:00:00Z"
