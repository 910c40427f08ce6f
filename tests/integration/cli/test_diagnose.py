"""Does a newcomer get from two exported files to a diagnosis, and a license server's administrator from nothing but the command?"""

from pathlib import Path

import pytest

from calward.bootstrap.program import Wiring
from calward.entrypoints.cli.common.exit_codes import Exit
from tests.integration.cli.conftest import RealApi
from tests.support.builders import USER
from tests.support.command_line import calward

IMPORTS = Path(__file__).parents[3] / "examples" / "imports"
SNOOZE = ("--snooze", "headroom", "--reason", "ordered", "--until", "9999-12-31")


class Wired(Wiring):
    """The real thing, but for the way to a license server."""

    def __init__(self, server=None):
        self.api = RealApi(server=server) if server else None

    def admin(self, where):
        return self.api.admin(where) if self.api else super().admin(where)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    wirings = {}

    def run(*arguments, server=None, **options):
        away = {"CALWARD_ESTATES": str(tmp_path / "estates"), "CALWARD_SOCKET": str(tmp_path / "no.sock")}
        wiring = wirings.setdefault(id(server), Wired(server))
        return calward(*map(str, arguments), wiring=wiring, **away, **options)

    return run


@pytest.fixture
def two_servers(run):
    files = sorted((IMPORTS / "two-servers").glob("*.csv"))
    assert run("estate", "import", *files, "--taken-at", "2026-11-24T12:00:00Z").code == Exit.OK


def test_files_alone_lead_to_findings(run, two_servers):
    ran = run("diagnose", "--json")
    assert ran.code == Exit.FINDINGS
    found = {one["key"]: one for one in ran.json["findings"]}
    assert found["server-in-list-twice@rdl01 and RDL01"]["names"]
    assert found["over-used-though-free@rdl02.nordlicht.example 2019/per-user"]["inferred"]
    assert "this is the imported estate imported" in ran.err


def test_a_snooze_is_kept_in_the_folder_of_the_estate(run, two_servers, tmp_path):
    keys = {one["id"] for one in run("diagnose", *SNOOZE, "--json").json["findings"]}
    assert "headroom" not in keys
    assert (tmp_path / "estates" / "imported" / "snoozes.json").is_file()
    again = run("diagnose", "imported")
    assert "snoozed until 9999-12-31 (ordered): headroom@RDL01 2008/2008R2/per-device" in again.out
    assert run("estate", "list", "--json").json["items"][0]["snapshots"] == 1


def test_an_empty_license_server_is_looked_at_with_what_it_has(run, server):
    ran = run("diagnose", "--json", server=server)
    assert ran.json["source"] == "calward"
    checked = {one["id"]: one["result"] for one in ran.json["checked"]}
    assert checked["nothing-issued"] == "not-checked"


def test_a_license_servers_snoozes_are_in_the_users_state_folder(run, server, tmp_path):
    server.host("SH1", "2016", USER)
    ran = run("diagnose", *SNOOZE, "--json", server=server)
    assert ran.code == Exit.FINDINGS, "the host was never seen"
    kept = list((tmp_path / "state" / "calward" / "snoozes").iterdir())
    assert len(kept) == 1
    assert run("diagnose", "--unsnooze", "headroom", "--json", server=server).json["snoozed"] == []


def test_the_explanation_of_an_imported_license_needs_no_server(run, two_servers):
    ran = run("explain", "WS-MUC-2607", "--estate", "imported")
    assert ran.code == Exit.OK
    assert "temporary license of 2008/2008R2/per-device on RDL01" in ran.lines[0]
    assert ran.lines[0].endswith("(inferred)")
    assert run("explain", "WS-MUC-2607").lines[-len(ran.lines) :] == ran.lines, (
        "there is only one estate, and no server"
    )
    assert "pack 'no-such'" in run("explain", "no-such").err
    assert "calward diagnose" in run("explain", "--estate", "imported", "--user", "x").err


def test_a_name_is_explained_by_the_running_server_too(run, server):
    server.install(total=10)
    server.ask(server.host(), "5f3a")
    ran = run("explain", "5f3a", server=server)
    assert "temporary license of 2016/per-device" in ran.lines[0]
    assert not ran.lines[0].endswith("(inferred)") or "recorded reason" in ran.out
