"""Does a ladder know its versions, their order and their families?"""

import pytest

from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder, parse_ladder
from tests.support.ladders import a_ladder_file, a_rung, harbor, windows_server

WINDOWS = ("2000", "2003", "2008", "2008R2", "2012", "2012R2", "2016", "2019", "2022", "2025")
FAMILIES = (("2000",), ("2003",), ("2008", "2008R2"), ("2012", "2012R2"), ("2016",), ("2019",), ("2022",), ("2025",))


@pytest.fixture
def windows() -> Ladder:
    return windows_server()


def test_versions_stand_oldest_first(windows):
    assert windows.versions == WINDOWS
    assert windows.newest == "2025"
    assert [rung.order for rung in windows.rungs] == list(range(10))


def test_families_are_the_versions_that_share_a_cal(windows):
    assert tuple(windows.family_versions(rank) for rank in range(8)) == FAMILIES
    assert [windows.family_of(version) for version in WINDOWS] == [0, 1, 2, 2, 3, 3, 4, 5, 6, 7]


def test_a_family_is_named_by_its_versions(windows):
    assert windows.family_name(2) == "2008/2008R2"
    assert windows.family_name(4) == "2016"


@pytest.mark.parametrize("written", ["2008R2", "2008r2"])
def test_a_version_is_found_without_regard_to_case(windows, written):
    assert windows.canonical(written) == "2008R2"
    assert windows.rung(written).title == "Windows Server 2008 R2"
    assert windows.family_of(written) == 2


def test_ids_keep_the_case_that_the_ladder_gives_them():
    assert harbor().canonical("KETCH") == "Ketch"
    assert harbor().family_of("kETCH-ii") == 0


def test_an_unknown_version_is_answered_with_the_known_ones(windows):
    with pytest.raises(LicensingError) as error:
        windows.rung("2011")
    assert error.value.problem is Problem.NOT_FOUND
    assert error.value.detail == (
        "'2011' is no version of the ladder windows-server: "
        "it knows 2000, 2003, 2008, 2008R2, 2012, 2012R2, 2016, 2019, 2022, 2025"
    )


@pytest.mark.parametrize("hostile", ["", " ", "2008 R2", "2008\n", "../2008", "-x", "x" * 33, "\uff12008", "\x1b[31m"])
def test_what_cannot_be_a_version_is_malformed(windows, hostile):
    for look_up in (windows.rung, windows.canonical, windows.family_of, windows.at_least, windows.at_most):
        with pytest.raises(LicensingError) as error:
            look_up(hostile)
        assert error.value.problem is Problem.MALFORMED


def test_a_hostile_version_is_repeated_short_and_harmless(windows):
    with pytest.raises(LicensingError) as error:
        windows.rung("\x1b[31m\u202e" + "x" * 10_000)
    assert "\x1b" not in error.value.detail
    assert "\u202e" not in error.value.detail
    assert len(error.value.detail) < 200


def test_grace_days_are_the_versions_own_or_the_usual(windows):
    assert windows.grace_days("2000", 120) == 90
    assert windows.grace_days("2003", 120) == 120
    assert harbor().grace_days("ketch-ii", 120) == 0


def test_versions_from_a_version_on_include_its_whole_family(windows):
    assert windows.at_least("2012R2") == ("2012", "2012R2", "2016", "2019", "2022", "2025")
    assert windows.at_most("2008") == ("2000", "2003", "2008", "2008R2")


def test_each_generation_has_its_names(windows):
    names = {rung.id: (rung.host_name, rung.cal_name) for rung in windows.rungs}
    assert names["2000"] == names["2003"] == ("terminal server", "TS CAL")
    assert names["2008"] == ("terminal server", "TS or RDS CAL")
    assert names["2008R2"] == ("session host", "TS or RDS CAL")
    assert {names[version] for version in WINDOWS[4:]} == {("session host", "RDS CAL")}


def test_each_version_has_the_ids_of_other_systems(windows):
    assert [rung.foreign["wmi_product_version_id"] for rung in windows.rungs] == [0, 1, 2, 2, 4, 4, 5, 6, 7, 8]
    assert windows.rung("2003").foreign["wire_version"] == 0x00050002
    assert windows.rung("2008R2").foreign["wire_version"] == 0x00060000
    codes = [rung.foreign.get("product_code_version") for rung in windows.rungs]
    assert codes == ["5.00", "5.02", "6.00", "6.00", "6.02", "6.02", "10.00", "10.01", None, None]


def test_the_ids_of_other_systems_cannot_be_changed(windows):
    with pytest.raises(TypeError):
        windows.rung("2003").foreign["wire_version"] = 1


def test_equal_files_make_equal_ladders():
    first, second = parse_ladder(a_ladder_file()), parse_ladder(a_ladder_file())
    assert first == second
    assert hash(first) == hash(second)
    assert first != parse_ladder(a_ladder_file(a_rung("v2")))


def test_a_rung_without_family_is_its_own(windows):
    ladder = parse_ladder(a_ladder_file(a_rung("a"), a_rung("b"), a_rung("c", family="b"), a_rung("d", family="d")))
    assert [ladder.family_name(rank) for rank in range(3)] == ["a", "b/c", "d"]
