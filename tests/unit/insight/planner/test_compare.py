"""Per device or per user: is the cheapest way found, and are holders shared out rightly?"""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.insight.planner import Price
from calward.insight.planner.compare import compare
from calward.insight.planner.edits import AllOfType, apply
from calward.insight.planner.stage import stage_of
from tests.support.ladders import windows_server
from tests.support.plans import a_host, a_pack, an_estate, licenses

USER, DEVICE = CalType.PER_USER, CalType.PER_DEVICE
LADDER = windows_server()


def price(type_, amount, version="2022"):
    return Price(type_, version, LADDER.family_of(version), Decimal(amount))


def an_estate_of_both(devices=6, users=4):
    return an_estate(
        a_host("TS1", "2019", "per-device"),
        a_host("TS2", "2022"),
        a_pack("D19", "2019", 2, type_="per-device"),
        licenses(devices, "2019", type_="per-device", status="temporary", host="TS1"),
        licenses(users, "2022", status="over-used", first=50, host="TS2"),
    )


def costs(found):
    return [way.result.purchase.cost for way in found.ways]


def test_each_way_is_bought_whole_and_the_cheapest_is_named():
    # As it is: 4 devices and 4 users; all devices: 10 - 2; all users: 3 + 4.
    found = compare(an_estate_of_both(), [price(USER, 159), price(DEVICE, 119)], {USER: 3})
    assert costs(found) == [4 * 119 + 4 * 159, 8 * 119, 7 * 159]
    assert [way.type for way in found.best] == [DEVICE]
    assert [(way.holders, way.changed) for way in found.ways] == [(10, 0), (10, 4), (7, 6)]


def test_a_way_without_a_price_is_never_the_best():
    found = compare(an_estate_of_both(), [price(USER, 159)])
    assert [way.type for way in found.best] == [USER]


def test_without_prices_the_fewest_cals_win():
    found = compare(an_estate_of_both(), (), {USER: 0})
    assert [way.type for way in found.best] == [USER]


def test_holders_in_place_of_none_are_an_error():
    with pytest.raises(LicensingError, match="in place of none"):
        compare(an_estate_of_both(devices=0), (), {USER: 5})


@given(st.lists(st.integers(1, 30), min_size=1, max_size=4), st.integers(0, 100))
def test_the_number_that_was_asked_for_is_shared_out_whole_and_newer_hosts_lose_nothing(counts, number):
    versions = ["2016", "2019", "2022", "2025"][: len(counts)]
    rows = [
        licenses(count, version, type_="per-device", status="temporary", first=100 * place)
        for place, (count, version) in enumerate(zip(counts, versions, strict=True))
    ]
    stage = stage_of(an_estate(*rows))
    apply(AllOfType(USER, number), stage)
    assert sum(use.number for use in stage.uses) == number
    for place in range(len(counts)):
        newest = {LADDER.family_of(version) for version in versions[place:]}
        there = sum(use.number for use in stage.uses if use.family in newest)
        assert there * sum(counts) >= number * sum(counts[place:])
        assert (there - 1) * sum(counts) < number * sum(counts[place:]) or there == 0
