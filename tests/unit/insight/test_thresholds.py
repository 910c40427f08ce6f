"""Does each measure read the right number, and is a limit told from where on it is reached?"""

from dataclasses import replace

import pytest

from calward.insight.estate import EstateFailure, EstateServer, PackType, Source
from calward.insight.findings import Severity
from calward.insight.thresholds import MEASURES, Each, Threshold, judge
from tests.support.plans import DAY, NOW, a_pack, an_estate, licenses

ERROR, WARNING, INFO = Severity


def a_threshold(measure, limits, **changes):
    return Threshold(measure, limits, changes.pop("each", MEASURES[measure].each[0]), **changes)


def found(estate, *thresholds):
    return {one.key: one.severity for one in judge(estate, thresholds).findings}


def words(estate, *thresholds):
    return [one.what for one in judge(estate, thresholds).findings]


OFFICE = an_estate(
    a_pack("P1", "2022", 100, issued=90),
    a_pack("P2", "2022", 50, issued=50, server="LS2"),
    a_pack("P3", "2019", 40, issued=0, type_="per-device"),
)


@pytest.mark.parametrize(
    ("limits", "severity"),
    [
        ({WARNING: 9}, None),
        ({WARNING: 10}, WARNING),
        ({ERROR: 9, WARNING: 20}, WARNING),
        ({ERROR: 10, INFO: 20}, ERROR),
    ],
)
def test_a_limit_is_reached_by_the_number_itself_and_the_worst_counts(limits, severity):
    told = found(OFFICE, a_threshold("free", limits, version="2022"))
    assert told == ({} if severity is None else {"threshold-free@2022/per-user": severity})


def test_free_cals_are_counted_by_version_and_type_on_all_servers_or_one_or_by_pack_or_in_all():
    limits = {WARNING: 1000}
    assert words(OFFICE, a_threshold("free", limits)) == [
        "10 of 150 2022/per-user CALs are free",
        "40 of 40 2019/per-device CALs are free",
    ]
    assert words(OFFICE, a_threshold("free", limits, server="LS2")) == ["0 of 50 2022/per-user CALs on LS2 are free"]
    assert words(OFFICE, a_threshold("free", limits, each=Each.ALL)) == ["50 of 190 CALs are free"]
    assert words(OFFICE, a_threshold("free", limits, each=Each.ALL, type=PackType.PER_USER)) == [
        "10 of 150 per-user CALs are free"
    ]
    assert found(OFFICE, a_threshold("free", {WARNING: 0}, each=Each.PACK)) == {"threshold-free@LS2 P2": WARNING}


def test_percents_are_of_what_is_installed():
    assert words(OFFICE, a_threshold("free-percent", {WARNING: 7})) == [
        "6.7 % of 2022/per-user CALs are free: 10 of 150"
    ]
    assert found(OFFICE, a_threshold("free-percent", {WARNING: 6.6})) == {}


def test_unlimited_cals_never_run_short():
    estate = an_estate(a_pack("P1", "2022", None, issued=10))
    assert found(estate, a_threshold("free", {WARNING: 1e9}), a_threshold("free-percent", {WARNING: 100})) == {}


def test_cals_of_a_pack_that_has_expired_or_is_moving_are_not_free_and_their_pool_stays():
    for gone in ({"expires_at": NOW}, {"moving": True}):
        estate = an_estate(a_pack("P1", "2022", 10, **gone))
        assert found(estate, a_threshold("free", {ERROR: 0})) == {"threshold-free@2022/per-user": ERROR}
    assert found(OFFICE, a_threshold("free", {ERROR: 0}, version="2016", type=PackType.PER_USER)) == {
        "threshold-free@2016/per-user": ERROR
    }


def test_the_first_threshold_that_fits_judges_so_that_an_exception_stands_before_the_rule():
    exception, rule = a_threshold("free", {WARNING: 5}, version="2022"), a_threshold("free", {ERROR: 40})
    assert found(OFFICE, exception, rule) == {"threshold-free@2019/per-device": ERROR}
    assert "threshold-free@2022/per-user" in found(OFFICE, rule, exception)


def test_a_version_means_its_family():
    estate = an_estate(a_pack("P1", "2012R2", 10, issued=9))
    assert found(estate, a_threshold("free", {WARNING: 1}, version="2012")) == {
        "threshold-free@2012/2012R2/per-user": WARNING
    }


def test_over_use_counts_users_and_no_over_use_reaches_nothing():
    estate = an_estate(a_pack("P1", "2022", 10, issued=10), licenses(3, "2022", status="over-used"))
    assert found(estate, a_threshold("over-used", {WARNING: 4})) == {}
    assert words(estate, a_threshold("over-used", {WARNING: 3})) == ["3 users beyond the 2022/per-user CALs"]


@pytest.mark.parametrize(
    ("days", "limit", "reached"), [(30, 30, True), (31, 30, False), (-3, 0, True), (None, 30, False)]
)
def test_days_until_a_pack_expires(days, limit, reached):
    end = None if days is None else NOW + days * DAY
    estate = an_estate(a_pack("P1", "2022", 10, expires_at=end))
    assert bool(found(estate, a_threshold("pack-days", {WARNING: limit}, pack="P1"))) == reached


def test_days_until_the_right_to_issue_ends():
    server = EstateServer("LS1", "2025", activated=True, issue_until=NOW + 9 * DAY)
    estate = replace(an_estate(), source=Source.CALWARD, servers=[server])
    threshold = a_threshold("issuing-right-days", {WARNING: 10, ERROR: 2})
    assert found(estate, threshold) == {"threshold-issuing-right-days@LS1": WARNING}
    assert words(estate, threshold) == ["the right to issue of LS1 ends in 9 days, on 2027-01-24"]


def test_refusals_are_counted_with_their_repetitions_within_a_window():
    def failed(days, times, holder="a"):
        return EstateFailure(NOW - days * DAY, "LS1", "SH1", holder, PackType.PER_USER, "2022", (), times)

    estate = replace(an_estate(), failures=[failed(0, 3), failed(0.5, 2, "b"), failed(2, 100)])
    assert found(estate, a_threshold("refusals", {WARNING: 6})) == {}
    assert words(estate, a_threshold("refusals", {WARNING: 5})) == ["2 holders refused 5 times within 1 day"]
    assert words(estate, a_threshold("refusals", {WARNING: 5}, within_days=3)) == [
        "2 holders refused 105 times within 3 days"
    ]
    assert found(estate, a_threshold("refusals", {WARNING: 1}, version="2019")) == {}


@pytest.mark.parametrize("narrow", [{"version": "2O22"}, {"server": "LS9"}, {"pack": "P9"}, {"version": "2016"}])
def test_a_threshold_that_finds_nothing_to_measure_is_told_and_is_no_silence(narrow):
    [key] = found(OFFICE, a_threshold("free", {WARNING: 5}, **narrow))
    assert key.startswith("threshold-idle@free ")


@pytest.mark.parametrize(
    "measure", ["free", "free-percent", "over-used", "pack-days", "issuing-right-days", "refusals"]
)
def test_what_a_snapshot_does_not_say_is_not_judged(measure):
    judged = judge(replace(an_estate(), source=Source.IMPORT), [a_threshold(measure, {WARNING: 1})])
    assert judged.findings == ()
    assert judged.unseen == {f"threshold-{measure}"}


def test_one_pack_id_twice_is_two_things():
    estate = an_estate(a_pack("P1", "2022", 10, issued=10), a_pack("P1", "2022", 5, issued=5))
    assert len(found(estate, a_threshold("free", {WARNING: 0}, each=Each.PACK))) == 2
