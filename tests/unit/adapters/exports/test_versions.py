"""Which version, and whom are the CALs for? The number decides, whatever language the words are in."""

import pytest

from calward.adapters.exports.versions import Versions, type_of
from calward.domain.ladder import parse_ladder
from calward.insight.estate import PackType
from tests.support.builders import ladder
from tests.support.ladders import a_ladder_file, a_rung

IDS = [
    (0, "2000"),
    (1, "2003"),
    (2, "2008"),
    (3, "2008R2"),
    (4, "2012"),
    (5, "2016"),
    (6, "2019"),
    (7, "2022"),
    (8, "2025"),
]


@pytest.mark.parametrize(("number", "version"), IDS)
def test_each_number_is_a_version(number, version):
    assert Versions(ladder()).of(number, None) == version
    assert Versions(ladder()).of(str(number), "Windows Server 2003") == version


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("Windows Server 2008 or 2008 R2", "2008"),
        ("Windows Server 2008 oder 2008 R2 (für Geräte)", "2008"),
        ("Microsoft(R) Windows Server 2012 R2", "2012"),
        ("Windows Server 2019", "2019"),
        ("ウィンドウズ サーバー 2022", "2022"),
        ("Windows 2000 Server", "2000"),
        ("Windows Server 2008 to 2016", None),
        ("Windows Server 20191", None),
        ("Windows Server", None),
        ("", None),
    ],
)
def test_a_name_decides_only_where_no_number_is(name, version):
    assert Versions(ladder()).of("", name) == version


def test_a_product_code_goes_before_a_name():
    versions = Versions(ladder())
    assert versions.of(None, "Windows Server 2022", "A02-6.02-S") == "2012"
    assert versions.of(None, "Windows Server 2022", "A02-77.02-S") == "2022"


def test_a_number_that_the_ladder_lacks_leaves_it_to_the_name():
    assert Versions(ladder()).of(99, "Windows Server 2019") == "2019"
    assert Versions(ladder()).of(99, "Windows Server 2031") is None
    assert Versions(ladder()).of("x", "") is None


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("2008R2", "2008R2"),
        ("Microsoft Windows Server 2008 R2 Standard", "2008R2"),
        ("10.0.17763", "2019"),
        ("10.0 (20348)", "2022"),
        ("6.0.6002", "2008"),
        ("6.1.7601", "2008R2"),
        ("10.0.26100.1742", "2025"),
        ("10.0.19045", None),
        ("2012r2", "2012R2"),
    ],
)
def test_a_host_runs_the_newest_that_its_name_holds(name, version):
    assert Versions(ladder()).named(name) == version


def test_another_ladder_has_its_own_numbers_and_names():
    rungs = (
        a_rung("tide-1", foreign={"wmi_product_version_id": 41}),
        a_rung("tide-2", foreign={"product_code_version": "3.10"}),
    )
    versions = Versions(parse_ladder(a_ladder_file(*rungs)))
    assert versions.of(41, None) == "tide-1"
    assert versions.of(None, None, "C50-3.10-S") == "tide-2"
    assert versions.of(None, "Harbor Tide 2 Suite") == "tide-2"
    assert versions.of(6, "Windows Server 2019") is None


@pytest.mark.parametrize(
    ("product_type", "code", "words", "wanted"),
    [
        (0, None, "RDS Per User CAL", PackType.PER_DEVICE),
        ("1", "A02-6.00-S", "", PackType.PER_USER),
        (3, "A02-5.00-EX", "", PackType.BUILT_IN),
        ("", "C50-6.00-S", "", PackType.PER_USER),
        (2, "A02-6.00-S", "", PackType.PER_DEVICE),
        (None, None, "Built-in TS Per Device CAL", PackType.BUILT_IN),
        (None, None, "TS or RDS Per User CAL", PackType.PER_USER),
        (None, None, "RDS-CAL (pro Gerät)", PackType.PER_DEVICE),
        ("per-user", None, "", PackType.PER_USER),
        (2, None, "", None),
        (None, None, "VDI Standard Suite", None),
    ],
)
def test_whom_cals_are_for(product_type, code, words, wanted):
    assert type_of(product_type, code, words) == wanted
