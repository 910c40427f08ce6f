"""Do `calward plan` and its files tell people and scripts what comes of a change?"""

from pathlib import Path

import pytest

from calward.adapters.estates.estate_folder import EstateFolder
from tests.support.command_line import calward
from tests.support.plans import DAY, NOW, a_host, a_pack, an_estate, licenses

EXAMPLES = Path(__file__).parents[3] / "examples" / "plans"
FILES = sorted(path for path in EXAMPLES.glob("*.toml") if path.name != "prices.toml")


@pytest.fixture
def estates(tmp_path) -> str:
    """A folder with the estate "berlin", which lacks five CALs."""
    found = an_estate(
        a_host("TS1", "2016"),
        a_host("TS2", "2022"),
        a_pack("P16", "2016", 10, issued=10, expires_at=NOW + 100 * DAY),
        licenses(10, "2016", pack="P16"),
        licenses(5, "2022", status="over-used", first=50),
    )
    EstateFolder(tmp_path).keep(type(found)("berlin", *(getattr(found, name) for name in _rest(found))))
    return str(tmp_path)


def _rest(found):
    return [name for name in type(found).__slots__ if name not in {"name", "facts"}]


def test_which_cals_an_estate_needs_is_one_command(estates):
    ran = calward("plan", "needs", "berlin", "--estates", estates, columns=120)
    assert ran.code == 7
    assert "per-user   2022       5        0           0             0               5       0" in ran.out
    assert "some go without a CAL: 5 CALs must be bought" in ran.out
    assert "berlin (imported, another system's), as of 2027-01-15T08:00:00Z" in ran.out


def test_with_prices_the_purchase_is_the_cheapest(estates):
    prices = str(EXAMPLES / "prices.toml")
    ran = calward("plan", "needs", "berlin", "--estates", estates, "--prices", prices, "--json")
    assert ran.json["purchase"] == {
        "lines": [{"version": "2022", "type": "per-user", "cals": 5, "units": 1, "size": 5, "cost": "729.00"}],
        "cost": "729.00",
        "currency": "EUR",
        "without_offer": [],
    }


def test_a_plan_begins_from_an_imported_estate(estates):
    ran = calward("plan", "run", str(EXAMPLES / "new-license-server.toml"), "--estates", estates, "--json")
    assert ran.code == 7, ran.err
    found = ran.json
    assert (found["estate"], found["source"], found["ok"]) == ("berlin", "import", False)
    assert [step["because"] for step in found["steps"]] == [
        ["line 5: LS1 is replaced by LS22 of 2022", "line 11: upgrade all hosts of 2016 to 2022"],
        ["pack P16 expires"],
    ]
    assert [(row["version"], row["needed"], row["short"]) for row in found["after"]] == [("2022", 15, 15)]
    assert found["purchase"]["cost"] == "2385.00"


def test_a_plan_of_its_own_needs_no_server_and_no_estate():
    ran = calward("plan", "run", str(EXAMPLES / "upgrade-and-grow.toml"), columns=120)
    assert ran.code == 7
    assert "cheapest purchase: 18541.00 EUR" in ran.out
    assert "2027-09-30  pack P2022 expires" in ran.out or "pack P2022 expires" in ran.out


def test_a_plan_in_which_nobody_goes_without_ends_with_zero():
    ran = calward("plan", "run", str(EXAMPLES / "users-instead-of-devices.toml"))
    assert ran.code == 0
    assert ran.lines[-1] == "nobody goes without a CAL"


def test_a_wrong_plan_names_file_line_and_key(tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text('start = 2027-01-01T00:00:00Z\n[[edit]]\ndo = "add"\nuser = 3\nversion = "2022"\n')
    ran = calward("plan", "run", str(file), "--json")
    assert ran.code == 2
    assert (
        ran.error["detail"]
        == f"{file}, line 2: edit 1, users: is missing: it must be a whole number from 1 to 10000000"
    )


def test_an_edit_that_cannot_be_made_names_its_line(estates, tmp_path):
    file = tmp_path / "wrong.toml"
    file.write_text('base = "estate:berlin"\n[[edit]]\ndo = "expire"\npack = "P9"\n')
    ran = calward("plan", "run", str(file), "--estates", estates)
    assert ran.code == 3
    assert "line 2: pack P9 expires: there is no pack P9 at that time: there are P16" in ran.err


def test_a_base_that_is_not_there_is_said(tmp_path):
    file = tmp_path / "plan.toml"
    file.write_text('base = "estate:paris"\n')
    ran = calward("plan", "run", str(file), "--estates", str(tmp_path))
    assert ran.code == 3
    assert "there is no estate 'paris'" in ran.err


def test_every_example_is_run_by_a_test():
    assert {path.name for path in FILES} == {
        "activation-lapses.toml",
        "new-license-server.toml",
        "upgrade-and-grow.toml",
        "users-instead-of-devices.toml",
    }


def test_per_device_against_per_user_is_one_command(estates):
    prices = str(EXAMPLES / "prices.toml")
    ran = calward("plan", "compare", "berlin", "--estates", estates, "--prices", prices, "--devices", "4", columns=160)
    assert ran.code == 0, ran.err
    # Four devices at 119 each in place of fifteen users, of whom five at 729 together lack a CAL today.
    assert "per-device   4         4               4 of 2022/per-device   476.00   cheapest" in ran.out
    assert "as it is     15        5               5 of 2022/per-user     729.00   -" in ran.out
    assert "cheapest: per-device, for 476.00 EUR" in ran.out
    assert "none is converted" in ran.err


def test_scripts_get_the_comparison_as_json(estates):
    ran = calward("plan", "compare", "berlin", "--estates", estates, "--json")
    assert [way["way"] for way in ran.json["ways"]] == ["as it is", "per-device", "per-user"]
    assert ran.json["best"] == ["as it is", "per-user"]
    assert any("--devices NUMBER" in note for note in ran.json["notes"])


def test_a_right_to_issue_that_ends_is_played_where_the_plan_says_so(estates, tmp_path):
    plan = tmp_path / "lapse.toml"
    plan.write_text('base = "estate:berlin"\n[[edit]]\ndo = "lapse"\nserver = "LS1"\n', encoding="utf-8")
    ran = calward("plan", "run", str(plan), "--estates", estates, "--json")
    assert [step["because"][0] for step in ran.json["steps"]] == [
        "line 2: the right to issue of LS1 ends: temporary licenses only",
        "the last per-user licenses of LS1 end, as none was renewed",
        "pack P16 expires",
    ]
    assert [one["short"] + one["waiting"] for one in ran.json["failing"]] == [5, 10]


def test_an_activation_that_lapses_tells_when_devices_are_refused():
    ran = calward("plan", "run", str(EXAMPLES / "activation-lapses.toml"), columns=120)
    assert ran.code == 7
    # Ten come on 1 March, ninety days; the other hundred hold theirs for 89 days, and are let in for ninety more.
    assert "2027-05-30T06:00:00Z   10 " in ran.out
    assert "2027-07-30T00:00:00Z   110 " in ran.out
    assert "must be bought" not in ran.out
    assert "to activate it helps" in ran.out
