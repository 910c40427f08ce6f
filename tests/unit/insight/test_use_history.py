"""Are daily counts what was in use, from times of licenses and from repeated imports?"""

from dataclasses import replace

from calward.domain.cals import CalType
from calward.insight.use_history import DAY, Pool, Span, UseHistory, from_snapshots, from_spans, license_span, pools_of
from tests.support.ladders import windows_server
from tests.support.plans import NOW, a_pack, an_estate, licenses

F2022 = windows_server().family_of("2022")
ALL = Pool(CalType.PER_USER, F2022)
P1 = Pool(CalType.PER_USER, F2022, "LS1", "P1")


def test_a_days_number_is_what_was_in_use_at_its_end():
    spans = [Span(P1, 10 * DAY + 5, None), Span(P1, 11 * DAY, 12 * DAY + 1), Span(P1._replace(pack=""), 11 * DAY, None)]
    found = from_spans(spans, 14 * DAY + 7)
    assert found == {P1: UseHistory(10, [1, 2, 1, 1]), ALL: UseHistory(10, [1, 3, 2, 2])}


def test_the_day_that_is_not_over_is_left_out():
    assert from_spans([Span(P1, 10 * DAY, None)], 10 * DAY + 9) == {}


def test_only_licenses_that_took_a_cal_and_say_when_are_counted():
    estate = an_estate(licenses(1, "2022", pack="P1"))
    (one,) = estate.licenses
    assert license_span(estate, one) == Span(P1, NOW - 30 * DAY, None)
    assert license_span(estate, replace(one, expires_at=NOW)).end == NOW
    assert license_span(estate, replace(one, issued_at=None)) is None
    assert license_span(estate, *licenses(1, "2022", status="temporary")) is None
    assert license_span(estate, replace(one, version="3.1")) is None


def test_imports_a_few_days_apart_are_joined_by_a_straight_line():
    estates = [
        replace(an_estate(a_pack("P1", "2022", 9, issued=n)), taken_at=day * DAY) for day, n in ((3, 2), (5, 6), (6, 7))
    ]
    assert from_snapshots(estates)[P1] == UseHistory(3, [2, 4, 6, 7])


def test_before_a_gap_of_more_than_a_week_nothing_is_known():
    estates = [
        replace(an_estate(a_pack("P1", "2022", 9, issued=n)), taken_at=day * DAY)
        for day, n in ((3, 2), (11, 6), (12, 7))
    ]
    assert from_snapshots(estates)[P1] == UseHistory(11, [6, 7])


def test_over_use_counts_for_the_version_but_adds_no_cals():
    estate = an_estate(
        a_pack("P1", "2022", 9, issued=9), a_pack("O", "2022", None, program="built-in over-used", issued=3)
    )
    assert pools_of(estate) == {ALL: (12, 9), P1: (9, 9)}


def test_expired_packs_and_temporary_pools_are_left_out():
    estate = an_estate(a_pack("P1", "2022", 9, expires_at=NOW), a_pack("T", "2022", None, program="temporary"))
    assert pools_of(estate) == {}
