"""Does an estate come back as it was from the files that are written of it?"""

import csv
import io
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calward.adapters.exports.reading import ExportFiles
from calward.adapters.exports.wmi import NEVER
from calward.adapters.exports.writing.lsreport import lsreport_text
from calward.adapters.exports.writing.wmi_rows import WMI_KINDS, wmi_text
from calward.app.estates.join import join
from calward.domain.cals import CalType
from calward.insight.estate import (
    Estate,
    EstateFailure,
    EstateHost,
    EstateLicense,
    EstatePack,
    EstateServer,
    LicenseStatus,
    PackType,
    Source,
)
from tests.support.builders import ladder

EXAMPLES = Path(__file__).parents[5] / "examples" / "imports"
FOLDERS = sorted(one for one in EXAMPLES.iterdir() if one.is_dir() and one.name != "__pycache__")
TAKEN = 1_795_000_000


def read(*paths: Path) -> Estate:
    reader = ExportFiles()
    return join([(reader.read(path, ladder(), lambda *_: None), None) for path in paths], "example", TAKEN, ladder())


def example(folder: Path) -> Estate:
    return read(*sorted(one for one in folder.iterdir() if one.is_file()))


def save(path: Path, pieces) -> Path:
    path.write_text("".join(pieces), encoding="utf-8", newline="")
    return path


def written(estate: Estate, folder: Path, *reports: str) -> list[Path]:
    return [save(folder / f"{name}.csv", wmi_text(estate, WMI_KINDS[name])) for name in reports]


def content(estate: Estate):
    """What an estate holds, whatever the files were that it came from."""
    return (
        set(estate.servers),
        list(estate.packs),
        list(estate.licenses),
        list(estate.failures),
        list(estate.hosts),
    )


def files_for(estate: Estate) -> tuple[str, ...]:
    """The reports that hold anything: a file without rows says nothing of its own."""
    there = {"packs": estate.packs, "usage": estate.licenses, "failed": estate.failures, "hosts": estate.hosts}
    return tuple(name for name, rows in there.items() if rows)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_example_comes_back_from_its_wmi_files_as_it_was(folder, tmp_path):
    estate = example(folder)
    again = read(*written(estate, tmp_path, *files_for(estate)))
    assert content(again) == content(estate)
    assert not again.problems


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_example_comes_back_from_lsreport_and_its_packs(folder, tmp_path):
    estate = example(folder)
    if not estate.licenses:
        pytest.skip("lsreport lists licenses, and there are none here")
    listed = save(tmp_path / "lsreport.txt", lsreport_text(estate, hardware_ids=True))
    packs = written(estate, tmp_path, "packs") if estate.packs else []
    again = read(*packs, listed)
    assert list(again.licenses) == list(estate.licenses)


@pytest.mark.slow
@pytest.mark.timeout(300)  # Two hundred thousand lines are written and three hundred thousand read.
def test_a_hundred_thousand_licenses_come_back_as_they_were(tmp_path):
    made = tmp_path / "issued.csv"
    subprocess.run([sys.executable, EXAMPLES / "make.py", "--issued", "100000", made], check=True, timeout=200)
    estate = read(EXAMPLES / "powershell" / "packs.csv", made)
    assert len(estate.licenses) == 100_000
    again = read(*written(estate, tmp_path, "packs", "usage"))
    assert content(again) == content(estate)
    listed = save(tmp_path / "lsreport.txt", lsreport_text(estate, hardware_ids=True))
    assert list(read(*written(estate, tmp_path, "packs"), listed).licenses) == list(estate.licenses)


@pytest.mark.parametrize(("report", "type_"), [("devices", PackType.PER_DEVICE), ("users", PackType.PER_USER)])
def test_the_reports_about_holders_are_read_as_the_same_holders(tmp_path, report, type_):
    estate = example(EXAMPLES / "reports")
    again = read(*written(estate, tmp_path, report))
    assert list(again.licenses) == [one for one in estate.licenses if one.type is type_]


def test_the_summary_is_read_as_the_same_sums(tmp_path):
    estate = read(EXAMPLES / "reports" / "summary.csv")
    again = read(*written(estate, tmp_path, "summary"))
    assert sorted(again.packs, key=lambda one: one.id) == sorted(estate.packs, key=lambda one: one.id)


NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), min_size=1, max_size=12
)
TIMES = st.none() | st.integers(1_000_000_000, 2_100_000_000)
VERSIONS = st.sampled_from(["2000", "2003", "2008", "2012", "2016", "2019", "2022", "2025"])
WORTH = NAMES.filter(lambda name: name.casefold() not in {"-", "n/a", "null"} and "\x00" not in name)


@st.composite
def estates(draw) -> Estate:
    total = draw(st.none() | st.integers(0, 1_000_000))
    issued = draw(st.integers(0, 1_000_000))
    pack = EstatePack(
        id=draw(st.integers(0, 99).map(str)),
        server="ls1",
        version=draw(VERSIONS),
        type=draw(st.sampled_from([PackType.PER_DEVICE, PackType.PER_USER])),
        program=draw(st.sampled_from(["retail", "volume", "open", "temporary", "unknown"])),
        total=total,
        issued=issued,
        over_used=0 if total is None else max(0, issued - total),
        expires_at=draw(TIMES),
    )
    licenses = [
        EstateLicense(
            id=str(number),
            server="ls1",
            pack=pack.id if draw(st.booleans()) else None,
            type=pack.type,
            status=draw(st.sampled_from(LicenseStatus).filter(lambda one: one is not LicenseStatus.OVER_USED)),
            version=pack.version,
            device=draw(st.none() | WORTH),
            user=draw(st.none() | WORTH),
            hardware_id=draw(st.none() | st.text("0123456789ABCDEF", min_size=1, max_size=32)),
            issued_at=draw(TIMES),
            expires_at=draw(TIMES),
        )
        for number in range(draw(st.integers(1, 4)))
    ]
    return Estate("e", Source.IMPORT, TAKEN, ladder(), [EstateServer("ls1")], packs=[pack], licenses=licenses)


@settings(max_examples=60, deadline=None)
@given(estate=estates())
def test_any_estate_comes_back_whatever_names_its_devices_have(tmp_path_factory, estate):
    folder = tmp_path_factory.mktemp("round")
    again = read(*written(estate, folder, "packs", "usage"))
    assert content(again) == content(estate)


def test_a_refusal_that_came_again_is_as_many_rows(tmp_path):
    failure = EstateFailure(TAKEN, "ls1", None, "CORP\\anna", PackType.PER_USER, "2019", (), times=3)
    estate = Estate("e", Source.CALWARD, TAKEN, ladder(), [EstateServer("ls1")], failures=[failure])
    again = read(*written(estate, tmp_path, "failed"))
    assert list(again.failures) == [replace(failure, times=1)] * 3


def test_hosts_come_back_with_their_lists_and_times(tmp_path):
    hosts = [
        EstateHost("sh1", "2008R2", None, ("ls1", "ls2"), TAKEN, None),
        EstateHost("sh2", None, None, (), None, TAKEN + 1),
    ]
    estate = Estate("e", Source.CALWARD, TAKEN, ladder(), hosts=hosts)
    assert list(read(*written(estate, tmp_path, "hosts")).hosts) == hosts


@st.composite
def host_lists(draw) -> list[EstateHost]:
    names = draw(st.lists(WORTH, min_size=1, max_size=4, unique_by=str.casefold))
    says_states, says_events = draw(st.booleans()), draw(st.booleans())
    hosts = []
    for name in names:
        servers = tuple(draw(st.lists(st.from_regex(r"ls[a-z0-9.-]{0,9}", fullmatch=True), max_size=3)))
        mode = draw(st.none() | st.sampled_from(CalType))
        unset = ("mode",) * (mode is None and draw(st.booleans())) + ("servers",) * (
            not servers and draw(st.booleans())
        )
        reach = tuple(draw(st.integers(0, 11)) for _ in servers) if says_states else ()
        events = tuple(draw(st.lists(st.integers(1000, 1200), max_size=3))) if says_events else None
        version = draw(st.none() | VERSIONS)
        times = draw(TIMES), draw(TIMES.filter(lambda at: at is None or at < NEVER[1]))
        hosts.append(EstateHost(name, version, mode, servers, *times, unset, reach, events))
    return hosts


@settings(max_examples=60, deadline=None)
@given(
    hosts=host_lists(), separator=st.sampled_from(",;\t"), encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"])
)
def test_any_hosts_come_back_in_any_encoding_and_with_any_separator(tmp_path_factory, hosts, separator, encoding):
    estate = Estate("e", Source.IMPORT, TAKEN, ladder(), hosts=hosts)
    rows = csv.reader(io.StringIO("".join(wmi_text(estate, WMI_KINDS["hosts"])), newline=""))
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=separator).writerows(rows)
    path = tmp_path_factory.mktemp("hosts") / "hosts.csv"
    path.write_text(out.getvalue(), encoding=encoding, newline="")
    again = read(path)
    assert list(again.hosts) == hosts
    assert list(again.problems) == []


def test_our_own_over_used_license_is_an_active_one_there(tmp_path):
    one = EstateLicense("L1", "ls1", None, PackType.PER_USER, LicenseStatus.OVER_USED, "2019", None, "anna", None, 1, 2)
    estate = Estate("e", Source.CALWARD, TAKEN, ladder(), [EstateServer("ls1")], licenses=[one])
    (again,) = read(*written(estate, tmp_path, "usage")).licenses
    assert again == replace(one, status=LicenseStatus.ACTIVE)
