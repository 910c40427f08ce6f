"""What stops first, when, and for how many?"""

from calward.insight.stops import Loose, Snapshot, Stop, StopKind, Supply, stops
from tests.support.builders import DEVICE, USER, a_key_pack, family
from tests.support.clocks import DAY, NOW

FAR = NOW + 10_000 * DAY


def a_supply(version="2016", held=1, total=2, days=100, **changes):
    return Supply(a_key_pack(version, total=total, expires_at=NOW + days * DAY, **changes), held)


def temporaries(version="2016", number=1, days=10, type_=DEVICE):
    return Loose(type_, version, family(version), number, NOW + days * DAY)


def found(packs=(), loose=(), **changes):
    values = {"now": NOW, "issue_until": FAR, "packs": packs, "loose": loose, "full": 7, "horizon": FAR} | changes
    return stops(Snapshot(**values))


def test_nothing_stops_where_nothing_ends():
    assert found() == ()
    assert found([a_supply(days=10_000)]) == ()


def test_a_server_that_is_not_activated_has_stopped():
    assert found(issue_until=None) == (Stop(NOW, StopKind.NOT_ACTIVATED, 7),)


def test_a_right_that_has_ended_stopped_then():
    assert found(issue_until=NOW - DAY) == (Stop(NOW - DAY, StopKind.RIGHT_ENDED, 7),)


def test_a_right_that_ends_stops_what_would_be_renewed():
    assert found(issue_until=NOW + DAY) == (Stop(NOW + DAY, StopKind.RIGHT_ENDS, 7),)


def test_a_right_that_renews_itself_is_no_worry_until_the_renewal_is_overdue():
    within = 15 * DAY
    assert found(issue_until=NOW + 20 * DAY, renew_within=within) == ()
    assert found(issue_until=NOW + 15 * DAY, renew_within=within) == ()
    overdue = NOW + 14 * DAY
    assert found(issue_until=overdue, renew_within=within) == (Stop(overdue, StopKind.RIGHT_ENDS, 7),)
    assert found(issue_until=NOW, renew_within=within) == (Stop(NOW, StopKind.RIGHT_ENDED, 7),)


def test_a_pack_that_expires_meets_those_who_hold_it():
    stop = Stop(NOW + 100 * DAY, StopKind.PACK_EXPIRES, 2, DEVICE, "2016", "P1")
    assert found([a_supply(held=2)]) == (stop,)


def test_an_expired_pack_or_one_that_nobody_holds_stops_nothing():
    assert found([a_supply(days=-1), a_supply(held=0, row=2)]) == ()


def test_who_loses_a_cal_takes_another_that_opens_the_same_hosts():
    packs = [a_supply(held=2), a_supply("2019", held=0, days=200, row=2)]
    assert [(stop.pack, stop.holders) for stop in found(packs)] == [("P2", 2)]


def test_an_older_cal_or_one_of_the_other_type_is_no_help():
    packs = [a_supply(), a_supply("2012", held=0, days=200, row=2), a_supply(type_=USER, held=0, days=200, row=3)]
    assert [stop.pack for stop in found(packs)] == ["P1"]


def test_a_newer_cal_is_no_help_where_the_policy_keeps_it():
    packs = [a_supply(), a_supply("2019", held=0, days=10_000, row=2)]
    assert found(packs) == ()
    assert [stop.pack for stop in found(packs, upgrades=False)] == ["P1"]


def test_each_free_cal_helps_once():
    packs = [a_supply(held=3, total=3), a_supply(held=1, total=3, days=10_000, row=2)]
    assert [stop.holders for stop in found(packs)] == [1]


def test_temporary_licenses_end_where_no_cal_follows():
    stop = Stop(NOW + 10 * DAY, StopKind.TEMPORARY_ENDS, 3, DEVICE, "2016")
    assert found([a_supply(held=1, total=2, days=10_000)], [temporaries(number=4)]) == (stop,)


def test_temporary_licenses_take_free_cals_before_a_later_pack_ends():
    packs = [a_supply(held=2), a_supply("2019", held=0, days=10_000, row=2)]
    assert [stop.pack for stop in found(packs, [temporaries(number=1)])] == ["P1"]


def test_the_soonest_comes_first():
    ahead = found([a_supply()], [temporaries()], issue_until=NOW + 50 * DAY)
    assert [stop.at for stop in ahead] == sorted(stop.at for stop in ahead)
