"""Do reports come out of an imported estate and of a running license server, and go back in?"""

import re
from pathlib import Path

import pytest

from calward.bootstrap.program import Wiring
from calward.domain.answers import rfc3339
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.insight.reports.catalog import REPORTS
from tests.integration.cli.conftest import RealApi
from tests.support.builders import USER
from tests.support.command_line import calward

IMPORTS = Path(__file__).parents[3] / "examples" / "imports"


class Wired(Wiring):
    """The real thing, but for the way to a license server."""

    def __init__(self, server=None):
        self.api = RealApi(server=server) if server else None

    def admin(self, where):
        return self.api.admin(where) if self.api else super().admin(where)


@pytest.fixture
def run(tmp_path):
    wirings = {}

    def run(*arguments, server=None, **options):
        away = {"CALWARD_ESTATES": str(tmp_path / "estates"), "CALWARD_SOCKET": str(tmp_path / "no.sock")}
        wiring = wirings.setdefault(id(server), Wired(server))
        return calward(*map(str, arguments), wiring=wiring, **away, **options)

    return run


def take(run, folder, at, *more):
    files = sorted((IMPORTS / folder).glob("*.csv"))
    assert run("estate", "import", *files, "--taken-at", at, *more).code == Exit.OK


def test_a_table_is_read_and_a_file_takes_its_form_from_its_name(run, tmp_path):
    take(run, "two-servers", "2026-11-20T06:00:00Z")
    ran = run("report", "summary")
    assert ran.code == Exit.OK
    assert "source: imported, another system's" in ran.lines
    assert any(line.split() == ["2019", "per-user", "320", "318", "2", "0", "0", "Limited"] for line in ran.lines)
    for name, start in (("s.html", b"<!doctype html>"), ("s.xlsx", b"PK"), ("s.json", b"{"), ("s.csv", b"# report")):
        assert run("report", "summary", "-o", tmp_path / name).code == Exit.OK
        assert (tmp_path / name).read_bytes().startswith(start)


@pytest.mark.parametrize("name", REPORTS)
def test_no_number_and_no_version_is_cut_on_a_narrow_terminal(run, name):
    take(run, "two-servers", "2026-11-20T06:00:00Z")
    wide = run("report", name)
    narrow = run("report", name, columns=80, TTY_COMPATIBLE="1")
    shown = re.sub("\x1b\\[[0-9;]*m", "", narrow.out)
    assert max(map(len, shown.splitlines())) <= 80
    assert "…" not in shown
    for number in ("243", "2008/2008R2") if name in {"summary", "compliance", "history"} else ():
        assert number in wide.out
        assert number in shown


def test_what_is_written_for_wmi_is_imported_as_the_same_estate(run, tmp_path):
    take(run, "two-servers", "2026-11-20T06:00:00Z")
    files = [tmp_path / f"{name}.csv" for name in ("packs", "usage", "hosts")]
    for path in files:
        assert run("report", path.stem, "imported", "--wmi", "-o", path).code == Exit.OK
    assert run("estate", "import", "--name", "again", *files).code == Exit.OK
    first, again = (run("estate", "show", name, "--json").json for name in ("imported", "again"))
    assert again["packs"] == first["packs"]
    assert (again["issued"], again["hosts"], again["problems"]) == (371, 40, [])


def test_lsreport_s_columns_come_first_and_in_their_order(run):
    take(run, "powershell", "2026-11-20T06:00:00Z")
    lines = run("report", "usage", "--lsreport").out.splitlines()
    assert lines[0] == "licenseID\tkeypackID\tclient\tuser\tstart\tissueType\tlicenseType\tend"
    assert len(lines) == 275
    assert lines[1].split("\t")[2:4] == ["WS-HAM-7953", "NORDLICHT\\emma.peters"]


def test_a_filter_is_in_the_head_and_keeps_the_rest_out(run):
    take(run, "two-servers", "2026-11-20T06:00:00Z")
    found = run("report", "usage", "--license-server", "rdl01", "--version", "2008R2", "--json").json
    assert found["facts"]["filter"] == "version 2008R2, license server rdl01"
    assert {(row["server"], row["version"]) for row in found["rows"]} == {("RDL01", "2008")}


def test_history_has_every_snapshot_and_an_earlier_day_is_told_from_the_one_before_it(run):
    take(run, "two-servers", "2026-11-20T06:00:00Z")
    take(run, "powershell", "2026-11-22T06:00:00Z")
    rows = run("report", "history", "--json").json["rows"]
    assert {row["at"] for row in rows if row["origin"] == "snapshot"} == {
        "2026-11-20T06:00:00Z",
        "2026-11-22T06:00:00Z",
    }
    assert max(row["at"] for row in rows if row["origin"] == "inferred") < "2026-11-20T06:00:00Z"
    assert len(run("report", "usage", "--at", "2026-11-21", "--json").json["rows"]) == 371
    assert len(run("report", "usage", "--at", "2026-11-22", "--json").json["rows"]) == 274
    early = run("report", "usage", "--at", "2026-11-19", "--json")
    assert early.code == Exit.NOT_FOUND
    assert "no snapshot" in early.err


def test_compliance_ends_with_7_where_cals_are_missing(run, tmp_path):
    packs = tmp_path / "packs.csv"
    packs.write_text("KeyPackId,KeyPackType,ProductType,ProductVersionID,TotalLicenses,IssuedLicenses\n3,2,1,6,10,12\n")
    assert run("estate", "import", packs).code == Exit.OK
    ran = run("report", "compliance", "--json")
    assert ran.code == Exit.FINDINGS
    assert [row["missing"] for row in ran.json["rows"]] == [2]


def test_a_running_license_server_has_reports_of_its_own(run, server):
    server.host("SH1", "2016", USER)
    found = run("report", "hosts", "--json", server=server).json
    assert found["facts"]["source"] == "Calward's own ledger"
    assert [(row["host"], row["mode"]) for row in found["rows"]] == [("SH1", "per-user")]
    assert run("report", "usage", "--at", "2001-01-01", server=server).code == Exit.NOT_FOUND


@pytest.mark.parametrize(
    "wrong",
    [
        ("usage", "--wmi", "--lsreport"),
        ("usage", "--wmi", "--json"),
        ("usage", "--format", "xlsx"),
        ("usage", "--format", "table", "-o", "x.csv"),
        ("hosts", "--lsreport"),
        ("history", "--by", "host"),
        ("failed", "--by", "moon"),
        ("users", "--lsreport"),
        ("compliance", "--at", "2026-02-30"),
        ("compliance", "--at", "yesterday"),
    ],
)
def test_what_cannot_be_is_a_usage_error_and_leaves_no_file(run, tmp_path, monkeypatch, wrong):
    monkeypatch.chdir(tmp_path)
    take(run, "powershell", "2026-11-20T06:00:00Z")
    before = set(tmp_path.iterdir())
    assert run("report", *wrong).code == Exit.USAGE
    assert set(tmp_path.iterdir()) == before


def test_refusals_are_counted_by_what_is_asked_for(run, server):
    host = server.host("SH1", "2016", USER)
    settings = {"per_user": "enforce"}
    server.client.patch("/api/v1/server/settings", json=settings, headers=server.admin(name="mine"))
    for user in ("CORP\\alice", "CORP\\bob", "carol"):
        server.ask(host, user)
    rows = run("report", "failed", "--by", "host", "--json", server=server).json["rows"]
    assert [(row["host"], row["times"], row["holders"]) for row in rows] == [("SH1", 3, 3)]
    found = run("report", "failed", "--by", "reason", "--json", server=server).json
    assert found["facts"]["report"] == "failed: failed issuances by reason"
    assert {row["times"] for row in found["rows"]} == {3}
    lines = run("report", "failed", "--by", "domain", "--wmi", server=server).out.splitlines()
    assert [line.rpartition(",")[0] for line in lines[1:]] == ['"","1"', '"CORP","2"']


def test_our_own_ledger_knows_what_has_ended_since(run, server):
    server.install("P1", type_=USER, total=5)
    host = server.host("SH1", "2016", USER)
    for user in ("alice", "bob"):
        server.ask(host, user)
    then = server.clock.now()
    server.clock.pass_days(70)
    server.ask(host, "carol")
    at = rfc3339(then + 10)
    (row,) = run("report", "compliance", "--at", at, "--json", server=server).json["rows"]
    assert (row["held"], row["in_use"], row["verdict"]) == (5, 2, "compliant")
    found = run("report", "history", "--json", server=server).json
    # The pack is there from the first of ten weeks on; two licenses end after sixty days.
    assert [row["issued"] for row in found["rows"]] == [2] * 9 + [0, 1]
    assert found["notes"] == []
    assert run("report", "history", "--version", "2008", "--json", server=server).json["rows"] == []
    assert run("report", "history", "--license-server", "LS9", "--json", server=server).json["rows"] == []
    ran = run("report", "compliance", "--at", at, "--wmi", server=server)
    assert '"Per User","5","2","Available"' in ran.out


def test_history_is_a_report_a_moment_for_wmi(run):
    take(run, "two-servers", "2026-11-20T06:00:00Z")
    lines = run("report", "history", "--wmi").out.splitlines()
    assert lines[0].startswith('"FileName","GenerationDateTime","Version","InstalledLicenses","LicenseUsageCount"')
    used = sum(row["issued"] for row in run("report", "summary", "--json").json["rows"] if row["type"] != "built-in")
    assert lines[-1].split(",")[1:5:3] == ['"20261120060000.000000+000"', f'"{used}"']
