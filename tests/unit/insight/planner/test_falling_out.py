"""On which day is which device refused? Counted by hand."""

from dataclasses import replace

from calward.domain.cals import CalType
from calward.insight.estate import EstateFailure, PackType
from calward.insight.planner import Timed, plan
from calward.insight.planner.edits import AddHolders, Buy
from calward.insight.planner.matching import Cals
from tests.support.ladders import windows_server
from tests.support.plans import DAY, NOW, a_host, a_pack, an_estate, licenses

DEVICE = CalType.PER_DEVICE
F2019 = windows_server().family_of("2019")


def temporaries(*ends, first=0):
    return [
        one
        for number, days in enumerate(ends)
        for one in licenses(
            1,
            "2019",
            type_="per-device",
            status="temporary",
            first=first + number,
            expires_at=NOW + days * DAY,
            host="TS1",
        )
    ]


def an_estate_with(*parts):
    return an_estate(a_host("TS1", "2019", "per-device"), *parts)


def told(result):
    return [((one.at - NOW) // DAY, one.number) for one in result.refused]


def test_each_temporary_license_ends_on_its_day_and_none_comes_again():
    # A day begins up to a day before the second on which a license ends.
    result = plan(an_estate_with(temporaries(10, 10, 40)))
    assert [number for _, number in told(result)] == [2, 3]
    assert [9 <= day <= 10 or 39 <= day <= 40 for day, _ in told(result)] == [True, True]


def test_free_cals_save_as_many_and_the_first_to_end_are_taken_to_go_without():
    result = plan(an_estate_with(a_pack("D19", "2019", 2, type_="per-device"), temporaries(10, 40, 60)))
    assert [number for _, number in told(result)] == [1]
    assert 9 <= told(result)[0][0] <= 10


def test_who_comes_without_a_cal_is_let_in_for_ninety_days():
    result = plan(an_estate_with(), [Timed(NOW + 30 * DAY, AddHolders(4, DEVICE, "TS1", None), "come")])
    assert told(result) == [(120, 4)]


def test_who_was_refused_already_is_out_at_once():
    failure = EstateFailure(NOW - DAY, "LS1", "TS1", "hw9", PackType.PER_DEVICE, "2019", ())
    assert told(plan(replace(an_estate_with(), failures=[failure]))) == [(0, 1)]


def test_a_purchase_brings_them_back_and_what_comes_after_the_end_is_not_told():
    pack = Cals("NEW", "LS1", DEVICE, "2019", F2019, 1)
    estate = an_estate_with(temporaries(100))
    assert told(plan(estate, [Timed(NOW + 20 * DAY, Buy(pack), "bought")])) == []
    assert told(plan(estate, until=NOW + 95 * DAY)) == []
    assert len(told(plan(estate, until=NOW + 101 * DAY))) == 1
