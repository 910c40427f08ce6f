"""What did our ledger hold and use at a moment of its past? Small pasts, counted by hand."""

import msgspec

from calward.app.estates.own_history import history_from, history_json, holdings_of
from calward.insight.estate import LicenseStatus, PackType
from calward.insight.own_history import DAY, Holding, OwnHistory, Step, pools_then
from tests.support.ladders import windows_server

LADDER = windows_server()
NOW = 1_800_000_000
USER, DEVICE = PackType.PER_USER, PackType.PER_DEVICE
FULL, OVER, TEMPORARY = LicenseStatus.ACTIVE, LicenseStatus.OVER_USED, LicenseStatus.TEMPORARY
NEVER = 1 << 40


def a_holding(pack=1, begin=100, end=None, version="2019", total=10, **more):
    """Days before now, as steps have them."""
    ended = None if end is None else NOW - end * DAY
    return Holding(pack, NOW - begin * DAY, ended, version, USER, total, more.pop("expires_at", NEVER), **more)


def sums(history, *days):
    moments = [NOW - number * DAY for number in days]
    return [
        [(pool.version, pool.held, pool.used, pool.temporary) for pool in found]
        for _, found in pools_then(history, LADDER, moments)
    ]


def test_what_has_ended_since_counts_for_as_long_as_it_ran():
    steps = [Step(1, USER, FULL, "2019", 50, 4), Step(1, USER, FULL, "2019", 20, -3)]
    found = sums(OwnHistory(NOW, [a_holding()], steps), 60, 50, 21, 20, 0)
    assert found == [[("2019", 10, n, 0)] for n in (0, 4, 4, 1, 1)]


def test_over_use_and_temporary_licenses_bear_the_host_s_version():
    steps = [Step(None, USER, OVER, "2022", 5, 2), Step(None, DEVICE, TEMPORARY, "2016", 5, 3)]
    assert sums(OwnHistory(NOW, [], steps), 0) == [[("2016", 0, 0, 3), ("2022", 0, 2, 0)]]


def test_a_pack_that_was_removed_or_has_expired_holds_nothing_any_more():
    holdings = [a_holding(1, 100, 30), a_holding(2, 90, total=5, expires_at=NOW - 10 * DAY)]
    held = [pools[0][1] if pools else 0 for pools in sums(OwnHistory(NOW, holdings, []), 95, 80, 20, 5)]
    assert held == [10, 15, 5, 0]


def test_a_pack_that_was_raised_had_its_old_version_and_so_had_its_licenses():
    holdings = [a_holding(1, 100, 40, "2019"), a_holding(1, 40, None, "2022")]
    found = sums(OwnHistory(NOW, holdings, [Step(1, USER, FULL, "2022", 90, 6)]), 41, 40)
    assert found == [[("2019", 10, 6, 0)], [("2022", 10, 6, 0)]]


def test_a_part_s_licenses_belonged_to_the_whole_before_it_was_split_off():
    holdings = [
        a_holding(1, 100, 40),
        a_holding(1, 40, total=7),
        a_holding(2, 40, version="2022", total=3, split_from=1),
    ]
    steps = [Step(1, USER, FULL, "2019", 90, 5), Step(2, USER, FULL, "2022", 90, 2)]
    assert sums(OwnHistory(NOW, holdings, steps), 50, 30) == [
        [("2019", 10, 7, 0)],
        [("2022", 3, 2, 0), ("2019", 7, 5, 0)],
    ]


def test_licenses_that_moved_here_with_their_pack_count_from_then_on():
    steps = [Step(1, USER, FULL, "2019", 90, 6)]
    assert sums(OwnHistory(NOW, [a_holding(1, 30)], steps), 60, 30) == [[], [("2019", 10, 6, 0)]]


def test_packs_are_read_from_their_events():
    facts = {"version": "2019", "type": "per-user", "total": 10, "expires": NEVER}
    events = [
        {"id": 1, "at": 10, "kind": "pack-installed", "pack": "a", **facts},
        {"id": 2, "at": 20, "kind": "pack-frozen", "pack": "a"},
        {"id": 3, "at": 30, "kind": "pack-changed", "pack": "a", **facts, "total": 6},
        {"id": 4, "at": 30, "kind": "pack-installed", "pack": "b", **facts, "total": 4, "split_from": "a"},
        {"id": 5, "at": 40, "kind": "pack-moved-out", "pack": "a"},
        {"id": 6, "at": 50, "kind": "pack-installed", "pack": "a", **facts},
        {"id": 7, "at": 60, "kind": "pack-removed", "pack": "b"},
        {"id": 8, "at": 99, "kind": "pack-removed", "pack": "a"},
    ]
    found = [(one.pack, one.begin, one.end, one.total, one.split_from) for one in holdings_of(events)]
    assert found == [(1, 10, 30, 10, None), (1, 30, 40, 6, None), (4, 30, 60, 4, 1), (6, 50, 99, 10, None)]


def test_a_history_is_read_back_as_it_was_written():
    whole = OwnHistory(NOW, [a_holding(split_from=9)], [Step(None, DEVICE, TEMPORARY, "2016", 5, -3)])
    assert history_from(msgspec.json.decode(history_json(whole))) == whole
