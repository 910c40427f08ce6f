"""What comes of a license server that may not issue, and of a pack that is on its way? Counted by hand."""

from dataclasses import replace

import pytest

from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.domain.reasons import Reason
from calward.insight.estate import EstateServer
from calward.insight.planner import Timed, plan
from calward.insight.planner.edits import Activate, AddHolders, Lapse, MovePack, ReplaceServer
from tests.support.plans import DAY, NOW, a_host, a_pack, an_estate, licenses

DEVICE, USER = CalType.PER_DEVICE, CalType.PER_USER


def devices(*more):
    """Three of five CALs are held."""
    return an_estate(
        a_host("TS1", "2019", "per-device"),
        a_pack("D19", "2019", 5, type_="per-device", issued=3),
        licenses(3, "2019", type_="per-device", pack="D19", host="TS1"),
        *more,
    )


def at(*edits):
    return [Timed(NOW + days * DAY, edit, words) for days, edit, words in edits]


def shorts(result):
    return [(one.at, sum(row.short for row in one.rows), because) for one, because in result.standings]


def test_who_holds_a_cal_keeps_it_for_its_longest_term_and_nobody_gets_a_new_one():
    result = plan(
        devices(),
        at((10, Lapse("ls1"), "lapse"), (20, AddHolders(1, DEVICE, "TS1", None), "one comes")),
        until=NOW + 365 * DAY,
    )
    assert shorts(result) == [
        (NOW + 10 * DAY, 0, ("lapse",)),
        (NOW + 20 * DAY, 1, ("one comes",)),
        (NOW + 99 * DAY, 4, ("the last per-device licenses of LS1 end, as none was renewed",)),
    ]
    assert {row.why for _, row, _ in result.failing} == {(Reason.ISSUING_RIGHT_ENDED,)}
    assert result.after.rows[0].installed == 5
    assert result.purchase.lines == result.purchase_now.lines == (), "five CALs are there for four"


def test_users_keep_theirs_for_as_long_as_the_server_lends_them():
    estate = an_estate(
        a_host("TS1", "2019"), a_pack("U19", "2019", 5, issued=2), licenses(2, "2019", pack="U19", host="TS1")
    )
    estate = replace(estate, servers=[EstateServer("LS1", "2022", settings=(("user_days", "30"),))])
    result = plan(estate, at((0, Lapse("LS1"), "lapse")))
    assert [(when, short) for when, short, _ in shorts(result)] == [(NOW, 0), (NOW + 30 * DAY, 2)]


@pytest.mark.parametrize("mend", [Activate("LS1"), ReplaceServer("LS1", "2022")])
def test_what_gives_the_right_back_ends_the_shortage(mend):
    edits = at((0, Lapse("LS1"), "lapse"), (0, AddHolders(2, DEVICE, "TS1", None), "come"), (5, mend, "mend"))
    result = plan(devices(), edits)
    assert [short for _, short, _ in shorts(result)] == [2, 0]


def test_another_license_server_that_may_issue_serves_those_who_ask_it_too():
    estate = an_estate(
        a_host("TS1", "2019", "per-device", ["LS1", "LS2"]),
        a_pack("D19", "2019", 2, type_="per-device"),
        a_pack("D22", "2022", 1, type_="per-device", server="LS2"),
    )
    come = AddHolders(2, DEVICE, "TS1", None)
    edits = at((0, come, "come"), (1, Lapse("LS1"), "lapse"), (2, come, "come"))
    result = plan(estate, edits, until=NOW + 100 * DAY)
    # The first two keep theirs of LS1 for 89 days, of the other two LS2 has a CAL for one; in the end for one of all four.
    assert [short for _, short, _ in shorts(result)] == [0, 0, 1, 3]


def test_a_server_that_is_not_activated_issues_nothing_from_the_beginning():
    estate = replace(devices(), servers=[EstateServer("LS1", "2022", activated=False)])
    result = plan(estate, at((0, AddHolders(1, DEVICE, "TS1", None), "comes")))
    assert shorts(result)[0][1] == 1
    assert any("LS1 has no right to issue" in note for note in result.notes)


def test_a_right_that_ends_within_the_plan_is_told_but_not_played():
    estate = replace(devices(), servers=[EstateServer("LS1", "2022", activated=True, issue_until=NOW + 30 * DAY)])
    assert any('do = "lapse"' in note for note in plan(estate).notes)
    assert plan(estate).holds
    assert not any("lapse" in note for note in plan(estate, until=NOW + 29 * DAY).notes)


@pytest.mark.parametrize("edit", [Activate("LS1"), Activate("LS9"), Lapse("LS9")])
def test_what_cannot_be_done_is_an_error(edit):
    with pytest.raises(LicensingError):
        plan(devices(), at((0, edit, "line 1: it")))


def test_a_pack_on_its_way_serves_its_holders_only_until_it_has_arrived():
    estate = an_estate(
        a_host("TS1", "2019", "per-device", ["LS1", "LS2"]),
        a_pack("D19", "2019", 5, type_="per-device", issued=3, moving=True),
        licenses(3, "2019", type_="per-device", pack="D19", host="TS1"),
        servers=[EstateServer("LS1", "2022"), EstateServer("LS2", "2022")],
    )
    edits = at((0, AddHolders(2, DEVICE, "TS1", None), "come"), (3, MovePack(("", "D19"), "LS2"), "it arrives"))
    result = plan(estate, edits)
    assert [short for _, short, _ in shorts(result)] == [2, 0]
    assert result.failing[0].row.why == (Reason.PACK_MOVING, Reason.NO_CAL_FREE)
    assert any("D19 is moving" in note for note in result.notes)
    assert result.purchase.lines == ()


def test_what_is_missing_beside_a_lapsed_right_is_still_to_be_bought():
    result = plan(devices(), at((0, AddHolders(4, DEVICE, "TS1", None), "come"), (1, Lapse("LS1"), "lapse")))
    assert [(line.offer.version, line.cals) for line in result.purchase.lines] == [("2019", 2)]
