"""Is a date read as it was meant, in whichever form?"""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.adapters.exports.moments import Moments


def at(year, month, day, hour=0, minute=0, second=0):
    return int(datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp())


def outcome(read, value):
    try:
        found = read(value)
    except ValueError as error:
        return str(error)[:10]
    return "none" if found is None else "a number" if isinstance(found, int) else repr(found)


FORMS = [
    ("20380119031407.000000-000", at(2038, 1, 19, 3, 14, 7)),
    ("20260101120000.000000+060", at(2026, 1, 1, 11)),
    ("20260101120000.000000-300", at(2026, 1, 1, 17)),
    ("20260101******.000000+***", at(2026, 1, 1)),
    ("2026-01-31", at(2026, 1, 31)),
    ("2026-01-31T10:20:30Z", at(2026, 1, 31, 10, 20, 30)),
    ("2026-01-31T10:20:30.1234567+02:00", at(2026, 1, 31, 8, 20, 30)),
    ("2026-01-31T10:20:30-0530", at(2026, 1, 31, 15, 50, 30)),
    ("2026-01-31 10:20", at(2026, 1, 31, 10, 20)),
    ("2026/01/31 10:20:30", at(2026, 1, 31, 10, 20, 30)),
    ("2026. 01. 31. 10:20:30", at(2026, 1, 31, 10, 20, 30)),
    ("1/31/2026", at(2026, 1, 31)),
    ("1/31/2026 3:14:07 AM", at(2026, 1, 31, 3, 14, 7)),
    ("1/31/2026 12:00:00 AM", at(2026, 1, 31)),
    ("1/31/2026 12:30:00 PM", at(2026, 1, 31, 12, 30)),
    ("01/31/2026, 1:05:00 p.m.", at(2026, 1, 31, 13, 5)),
    ("1/31/2026 3:14:07\u202fPM", at(2026, 1, 31, 15, 14, 7)),
    ("1/31/2026 3:14:07?PM", at(2026, 1, 31, 15, 14, 7)),
    ("31/1/2026 3:14:07 p. m.", at(2026, 1, 31, 15, 14, 7)),
    ("3-4-2026 08:00:00", at(2026, 4, 3, 8)),
    ("31.1.2026", at(2026, 1, 31)),
    ("31.01.2026 23:59:59", at(2026, 1, 31, 23, 59, 59)),
    ("04.03.2026 08:00", at(2026, 3, 4, 8)),
    ("/Date(1769854830000)/", 1769854830),
    ("\\/Date(1769854830999)\\/", 1769854830),
    ("/Date(1769854830000+0100)/", 1769854830),
    ("/Date(-1000)/", -1),
    ("2026****000000.******+***", at(2026, 1, 1)),
    ("20260131102030", at(2026, 1, 31, 10, 20, 30)),
    ("2026-01-31 1:20:30 p.m.", at(2026, 1, 31, 13, 20, 30)),
    ("2026-01-31 12:20:30 AM", at(2026, 1, 31, 0, 20, 30)),
    ("2026/1/31 下午 05:06:07", at(2026, 1, 31, 17, 6, 7)),
    ("31/1/2026 下午5:06:07", at(2026, 1, 31, 17, 6, 7)),
    ("2026-01-31 오전 5:06:07", at(2026, 1, 31, 5, 6, 7)),
    ("31/1/2026 5:06:07 μμ", at(2026, 1, 31, 17, 6, 7)),
    ({"value": "/Date(1769854830000)/", "DisplayHint": 2, "DateTime": "Saturday"}, 1769854830),
    ({"DateTime": "2026-01-31T10:20:30Z"}, at(2026, 1, 31, 10, 20, 30)),
    ("", None),
    (None, None),
    ("null", None),
    ({}, None),
]


@pytest.mark.parametrize(("written", "wanted"), FORMS, ids=[str(written)[:30] for written, _ in FORMS])
def test_every_form_is_read(written, wanted):
    assert Moments().read(written) == wanted


WRONG = [
    "20260231000000.000000-000",
    "20260101250000.000000-000",
    "31/31/2026",
    "2026-13-01",
    "2026-00-01",
    "0000-01-01",
    "1/31/2026 13:00:00 PM",
    "1/31/2026 0:00:00 AM",
    "1/31/2026 PM",
    "2026-01-31T17:20:30 PM",
    "/Date(9999999999999999)/",
    "soon",
    "1/31/26",
    "\uff19/3/2026",
    "2" * 10_000,
]


@pytest.mark.parametrize("written", WRONG, ids=lambda written: written[:20])
def test_what_is_no_date_is_told(written):
    with pytest.raises(ValueError, match="is no date"):
        Moments().read(written)


def test_one_value_makes_all_of_a_file_day_first():
    moments = Moments()
    assert moments.read("3/4/2026") == at(2026, 3, 4)
    assert moments.ambiguous == "3/4/2026"
    assert moments.read("31/1/2026") == at(2026, 1, 31)
    assert (moments.seen_day_first, moments.seen_month_first) == (True, False)
    assert Moments(day_first=True).read("3/4/2026") == at(2026, 4, 3)


def test_points_are_day_first_without_any_doubt():
    moments = Moments()
    moments.read("3.4.2026")
    assert not moments.ambiguous


def test_dates_without_an_offset_are_counted():
    moments = Moments()
    for written in ("2026-01-31T10:20:30Z", "20260101120000.000000+060", "/Date(0)/"):
        moments.read(written)
    assert moments.local == 0
    moments.read("2026-01-31T10:20:30")
    moments.read("1/31/2026")
    assert moments.local == 2


@given(
    st.one_of(st.text(max_size=80), st.integers(), st.floats(), st.booleans(), st.dictionaries(st.text(), st.text()))
)
def test_anything_is_a_moment_nothing_or_no_date(value):
    assert outcome(Moments().read, value) in {"none", "a number", "is no date"}


@given(st.datetimes(datetime(1000, 1, 1), datetime(9999, 12, 31)))  # noqa: DTZ001 - of a machine that says no offset.
def test_every_moment_survives_every_form(moment):
    exact = int(moment.replace(tzinfo=UTC, microsecond=0).timestamp())
    hour = moment.hour % 12 or 12
    half = "AM" if moment.hour < 12 else "PM"
    for written in (
        f"{moment:%Y%m%d%H%M%S}.000000-000",
        f"{moment:%Y-%m-%dT%H:%M:%S}Z",
        f"{moment:%d.%m.%Y %H:%M:%S}",
        f"{moment.month}/{moment.day}/{moment.year} {hour}:{moment:%M:%S} {half}",
        f"/Date({exact * 1000})/",
    ):
        assert Moments().read(written) == exact
