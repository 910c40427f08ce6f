"""Does `calward forecast` find its history in imports, in times of licenses, and in the ledger's ended licenses?"""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from calward.adapters.estates.estate_folder import EstateFolder
from calward.domain.answers import rfc3339
from calward.insight.estate import Source
from tests.support.command_line import calward
from tests.support.plans import DAY, NOW, a_pack, an_estate, licenses


@pytest.fixture
def berlin(tmp_path) -> str:
    """An import a day for nine weeks: two more CALs in use each day."""
    store = EstateFolder(tmp_path)
    for day in range(63):
        estate = an_estate(a_pack("P1", "2022", 240, issued=100 + 2 * day + day % 2))
        store.keep(replace(estate, name="berlin", taken_at=NOW - (62 - day) * DAY))
    return str(tmp_path)


def test_repeated_imports_are_a_history(berlin):
    ran = calward("forecast", "berlin", "--estates", berlin, "--json")
    assert ran.code == 7, ran.err
    whole, pack = ran.json["items"]
    assert (whole["pack"], pack["pack"], pack["days_known"], pack["in_use"]) == (None, "P1", 63, 224)
    assert pack["forecast"]["method"] == "season-and-trend"
    dates = [pack["runs_out"][key] for key in ("earliest", "expected", "latest")]
    assert dates == sorted(dates)
    # 16 CALs are free on 15 January, two a day are taken.
    assert "2027-01-22" <= dates[1] <= "2027-01-25"


def test_people_get_a_table(berlin):
    ran = calward("forecast", "berlin", "--estates", berlin, columns=140)
    assert ran.code == 7
    assert "runs out" in ran.out
    assert "season-and-trend" in ran.out


def test_one_import_says_what_it_needs_and_why(tmp_path):
    EstateFolder(tmp_path).keep(replace(an_estate(a_pack("P1", "2022", 9, issued=3)), name="berlin"))
    ran = calward("forecast", "berlin", "--estates", str(tmp_path))
    assert ran.code == 0
    assert "too thin: 2 of 2 rows: known days: 1, 55 more are needed: four weeks show the weekly season" in ran.err


def test_cals_that_are_used_up_need_no_forecast(tmp_path):
    EstateFolder(tmp_path).keep(replace(an_estate(a_pack("P1", "2022", 9, issued=9)), name="berlin"))
    ran = calward("forecast", "berlin", "--estates", str(tmp_path))
    assert ran.code == 7
    assert ran.out.count("used up") == 2


def test_narrow_terminals_still_tell_packs_apart(berlin):
    ran = calward("forecast", "berlin", "--estates", berlin, columns=80)
    assert {"all", "P1"} <= {*ran.out.split()}


def test_times_of_licenses_stand_in_for_imports_and_that_is_said(tmp_path):
    given = [
        one for day in range(90) for one in licenses(1, "2022", first=day, pack="P1", issued_at=NOW - (90 - day) * DAY)
    ]
    EstateFolder(tmp_path).keep(replace(an_estate(a_pack("P1", "2022", 100, issued=90), given), name="berlin"))
    ran = calward("forecast", "berlin", "--estates", str(tmp_path), "--json")
    assert ran.code == 7
    assert "those that had ended before the import may be missing" in ran.json["notes"][0]
    assert ran.json["items"][1]["days_known"] == 90


def test_the_ledger_gives_ended_licenses_as_well():
    estate = replace(
        an_estate(
            a_pack("P1", "2022", 100, issued=60),
            *[licenses(1, "2022", first=n, pack="P1", issued_at=NOW - (90 - n) * DAY) for n in range(60)],
        ),
        source=Source.CALWARD,
    )
    ended = {
        "version": "2022",
        "type": "per-user",
        "pack": "P1",
        "status": "active",
        "issued_at": rfc3339(NOW - 120 * DAY),
        "ended_at": rfc3339(NOW - 20 * DAY),
    }
    pages = {
        None: {"items": [ended], "next": "more"},
        "more": {"items": [ended | {"status": "temporary"}], "next": None},
    }
    client = SimpleNamespace(ask=lambda method, target, query: pages[query["after"]], close=lambda: None)
    wiring = SimpleNamespace(estate=lambda name, where, folder: estate, admin=lambda where: client)
    ran = calward("forecast", "--json", wiring=wiring)
    assert ran.json["notes"] == []
    assert ran.json["items"][1]["days_known"] == 120
