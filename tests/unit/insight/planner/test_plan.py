"""What comes of a plan? Small estates whose answer can be counted by hand."""

from decimal import Decimal

import pytest

from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.reasons import Reason
from calward.insight.estate import EstateFailure, EstateServer, PackType
from calward.insight.planner import Price, Timed, plan
from calward.insight.planner.edits import (
    AddHolders,
    Buy,
    ConvertPack,
    EndPack,
    MovePack,
    ReplaceServer,
    SetMode,
    UpgradeHosts,
)
from calward.insight.planner.matching import Cals
from tests.support.ladders import windows_server
from tests.support.plans import DAY, NOW, a_host, a_pack, an_estate, licenses

USER, DEVICE = CalType.PER_USER, CalType.PER_DEVICE
LADDER = windows_server()
F2016, F2019, F2022, F2025 = map(LADDER.family_of, ("2016", "2019", "2022", "2025"))


def at_once(*edits):
    return [Timed(NOW, edit, "the edit") for edit in edits]


def rows(standing, type_=USER):
    return {row.family: row for row in standing.rows if row.type is type_}


def bought(purchase):
    return {(line.offer.type, line.offer.version): line.cals for line in purchase.lines}


def test_an_older_host_is_served_by_a_newer_cal_when_its_own_are_used_up():
    result = plan(
        an_estate(a_pack("P16", "2016", 2), a_pack("P22", "2022", 3), licenses(4, "2016", status="over-used"))
    )
    assert rows(result.after)[F2016][:8] == (USER, F2016, 4, 2, 2, 2, 0, 0)
    assert [(one.pack, one.number) for one in result.after.fall_ups] == [("P22", 2)]
    assert result.holds
    assert result.purchase.lines == ()


def test_upgraded_hosts_need_newer_cals_and_the_least_that_will_do_are_bought():
    estate = an_estate(
        a_host("TS1", "2016"), a_pack("P16", "2016", 10, issued=8), licenses(8, "2016", pack="P16", host="TS1")
    )
    result = plan(estate, at_once(UpgradeHosts(("TS1",), None, "2019")))
    assert result.before.rows[0].short == 0
    (failing,) = result.failing
    assert (failing.row.family, failing.row.short, failing.row.why) == (F2019, 8, (Reason.CAL_VERSION_TOO_LOW,))
    assert bought(result.purchase) == {(USER, "2019"): 8}


def test_a_newer_version_is_bought_where_it_is_cheaper():
    estate = an_estate(licenses(3, "2016", status="over-used"), licenses(2, "2022", status="over-used", first=10))
    prices = [
        Price(USER, "2016", F2016, Decimal("99.90")),
        Price(USER, "2019", F2019, Decimal("79.90")),
        Price(USER, "2022", F2022, Decimal("120.00")),
    ]
    result = plan(estate, prices=prices)
    assert bought(result.purchase) == {(USER, "2022"): 2, (USER, "2019"): 3}
    assert result.purchase.cost == Decimal("479.70")


def test_a_pack_that_expires_leaves_its_holders_without_from_that_second_on():
    estate = an_estate(
        a_pack("P1", "2019", 5, issued=5, expires_at=NOW + 40 * DAY),
        a_pack("P2", "2022", 2),
        licenses(5, "2019", pack="P1"),
    )
    result = plan(estate)
    (failing,) = result.failing
    assert (failing.at, failing.row.short, failing.because) == (NOW + 40 * DAY, 3, ("pack P1 expires",))
    assert plan(estate, until=NOW + 39 * DAY).holds


def test_who_only_waits_for_a_cal_that_another_keeps_needs_no_purchase():
    estate = an_estate(
        a_pack("P16", "2016", 5),
        a_pack("P22", "2022", 5, issued=5),
        a_host("TS1", "2016"),
        licenses(5, "2022", pack="P22", host="TS1"),
    )
    result = plan(estate, at_once(AddHolders(4, USER, None, "2022")))
    row = rows(result.after)[F2022]
    assert (row.short, row.waiting) == (0, 4)
    assert not result.holds
    assert result.purchase.lines == ()
    assert bought(result.purchase_now) == {(USER, "2022"): 4}


def test_holders_of_a_host_that_asks_another_server_are_not_served_by_this_one():
    servers = (EstateServer("LS1", "2025"), EstateServer("LS2", "2025"))
    estate = an_estate(
        a_host("TS1", "2019", servers=["LS1"]),
        a_host("TS2", "2019", servers=["ls2.example.com"]),
        a_pack("P1", "2019", 10),
        a_pack("P2", "2019", 1, server="LS2"),
        licenses(3, "2019", host="TS2", status="over-used"),
        servers=servers,
    )
    result = plan(estate)
    assert rows(result.after)[F2019].short == 2
    assert plan(estate, at_once(MovePack(("LS1", "P1"), "LS2"))).after.rows[0].short == 0


def test_a_license_server_older_than_the_host_serves_nobody_until_it_is_replaced():
    estate = an_estate(
        a_host("TS1", "2022"),
        a_pack("P1", "2016", 5),
        licenses(2, "2022", status="temporary", host="TS1"),
        servers=[EstateServer("LS1", "2016")],
    )
    assert plan(estate).failing[0].row.why == (Reason.SERVER_VERSION_TOO_LOW,)
    newer = [ReplaceServer("LS1", "2022", "LS9"), Buy(Cals("P2", "LS9", USER, "2022", F2022, 2))]
    assert plan(estate, at_once(*newer)).after.rows[0].short == 0


def test_devices_become_users_when_their_host_changes_its_mode():
    estate = an_estate(
        a_host("TS1", "2019", "per-device"),
        a_pack("PD", "2019", 6, type_="per-device", issued=6),
        licenses(6, "2019", type_="per-device", pack="PD", host="TS1"),
    )
    result = plan(estate, at_once(SetMode(("TS1",), USER, 9)))
    assert rows(result.after)[F2019].short == 9
    assert rows(result.after)[F2019].why == (Reason.CAL_TYPE_DIFFERS_FROM_MODE, Reason.NO_CAL_FREE)
    assert rows(result.after, DEVICE)[F2019].needed == 0
    converted = plan(estate, at_once(SetMode(("TS1",), USER, 9), ConvertPack(("LS1", "PD"), USER)))
    assert rows(converted.after)[F2019].short == 3


def test_a_part_of_a_pack_can_be_converted():
    estate = an_estate(a_pack("PD", "2019", 6, type_="per-device"))
    result = plan(estate, at_once(ConvertPack(("", "PD"), USER, 2)))
    assert rows(result.after)[F2019].installed == 2
    assert rows(result.after, DEVICE)[F2019].installed == 4


def test_one_holder_of_two_licenses_counts_once_for_the_newer():
    estate = an_estate(licenses(1, "2016"), licenses(1, "2022", status="temporary"))
    result = plan(estate)
    assert [(row.family, row.needed) for row in result.before.rows] == [(F2022, 1)]


def test_who_was_refused_needs_a_cal_too():
    failure = EstateFailure(NOW - DAY, "LS1", None, "zoe", PackType.PER_USER, "2022", ("no-cal-free",), 7)
    estate = an_estate(licenses(1, "2022"))
    both = type(estate)(estate.name, estate.source, NOW, LADDER, licenses=estate.licenses, failures=[failure, failure])
    assert plan(both).before.rows[0].needed == 2


def test_ended_and_revoked_licenses_are_no_need():
    estate = an_estate(licenses(2, "2022", expires_at=NOW), licenses(3, "2022", status="revoked", first=5))
    assert plan(estate).before.rows == ()


def test_a_full_license_is_taken_to_be_for_the_newest_hosts_of_its_type_that_it_opens():
    estate = an_estate(a_host("TS1", "2016"), a_host("TS2", "2025"), licenses(3, "2022"))
    result = plan(estate)
    assert [(row.family, row.needed) for row in result.before.rows] == [(F2016, 3)]
    assert "which hosts 3 of 3 holders use" in result.notes[0]


def test_the_other_systems_own_pools_hold_no_cal_that_was_bought():
    estate = an_estate(
        a_pack("T", "2022", None, type_="per-device", program="temporary"), licenses(2, "2022", type_="per-device")
    )
    assert rows(plan(estate).before, DEVICE)[F2022].short == 2


def test_holders_whom_only_a_pack_counts_are_needs_too():
    estate = an_estate(
        a_pack("P1", "2022", 5, issued=7),
        a_pack("O", "2019", None, program="built-in over-used", issued=2),
        licenses(3, "2022", pack="P1", expires_at=NOW),
        licenses(1, "2022", pack="P1", first=9),
    )
    result = plan(estate)
    # Three of seven have a row that has ended, one has a row that runs: three are known by the number alone.
    assert [(row.family, row.needed) for row in result.before.rows] == [(F2022, 4), (F2019, 2)]
    assert "5 holders are known by the number of their pack only" in " ".join(result.notes)


def test_a_pack_without_rows_is_as_many_needs_as_it_counts():
    estate = an_estate(a_host("TS1", "2019"), a_pack("P1", "2022", 50, issued=40))
    assert [(row.family, row.needed) for row in plan(estate).before.rows if row.needed] == [(F2019, 40)]


def test_where_a_server_prevents_upgrades_only_its_own_version_serves():
    servers = [EstateServer("LS1", "2025", settings=(("prevent_license_upgrade", "True"),))]
    estate = an_estate(a_pack("P22", "2022", 5), licenses(2, "2016", status="over-used"), servers=servers)
    result = plan(estate)
    assert result.failing[0].row.short == 2
    assert Reason.LICENSE_UPGRADE_PREVENTED in result.failing[0].row.why


def test_a_purchase_is_enough_for_the_worst_day_of_each_family():
    estate = an_estate(a_pack("P1", "2022", 5), licenses(5, "2022"))
    edits = [
        Timed(NOW + DAY, AddHolders(4, USER, None, "2022"), "four more"),
        Timed(NOW + 2 * DAY, AddHolders(-4, USER, None, "2022"), "four less"),
        Timed(NOW + 3 * DAY, AddHolders(2, USER, None, "2016"), "two on old hosts"),
    ]
    result = plan(estate, edits)
    assert [(one.at - NOW, one.row.family, one.row.short) for one in result.failing] == [
        (DAY, F2022, 4),
        (3 * DAY, F2016, 2),
    ]
    # Four of 2022 serve the two on older hosts as well: by then the four others have left.
    assert bought(result.purchase) == {(USER, "2022"): 4}


def test_a_version_without_an_offer_is_said_and_not_left_out():
    estate = an_estate(licenses(2, "2025", status="over-used"), licenses(1, "2016", status="over-used", first=9))
    result = plan(estate, prices=[Price(USER, "2022", F2022, Decimal(10))])
    assert result.purchase.without_offer == {(USER, F2025): 2}
    assert bought(result.purchase) == {(USER, "2022"): 1}


@pytest.mark.parametrize(
    ("edit", "problem", "words"),
    [
        (UpgradeHosts(("TS9",), None, "2025"), Problem.NOT_FOUND, "there is no session host TS9: there are TS1"),
        (EndPack(("", "P9")), Problem.NOT_FOUND, "there is no pack P9 at that time: there are P1"),
        (MovePack(("", "P1"), "LS9"), Problem.NOT_FOUND, "there is no license server LS9: there are LS1"),
        (AddHolders(-3, USER, None, "2022"), Problem.CONFLICT, "3 holders are to leave, only 1 are known there"),
        (AddHolders(3, DEVICE, "TS1", None), Problem.CONFLICT, "TS1 is set to per-user"),
        (ConvertPack(("", "P1"), USER), Problem.CONFLICT, "pack P1 is per-user already"),
        (ConvertPack(("", "P1"), DEVICE, 6), Problem.CONFLICT, "pack P1 has 5 CALs, 6 are to be converted"),
        (ReplaceServer("LS1", "2016"), Problem.CONFLICT, "cannot hold P1 (2022)"),
        (Buy(Cals("P1", "LS1", USER, "2022", F2022, 2)), Problem.CONFLICT, "there is a pack P1 on LS1 already"),
    ],
)
def test_an_edit_that_cannot_be_made_says_why(edit, problem, words):
    estate = an_estate(a_host("TS1", "2022"), a_pack("P1", "2022", 5), licenses(1, "2022"))
    with pytest.raises(LicensingError) as caught:
        plan(estate, at_once(edit))
    assert caught.value.problem is problem
    assert words in caught.value.detail
    assert caught.value.detail.startswith("the edit: ")
