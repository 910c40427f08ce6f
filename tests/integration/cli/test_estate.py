"""Does a newcomer with exported files see an estate, by the commands alone?"""

import json
import runpy
from collections import Counter
from pathlib import Path

import pytest

from calward.adapters.estates.estate_folder import EstateFolder
from calward.bootstrap.program import Wiring
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.insight.estate import LicenseStatus
from tests.integration.cli.conftest import RealApi
from tests.support.builders import USER
from tests.support.command_line import calward
from tests.support.exports import a_pack, an_issued, table

IMPORTS = Path(__file__).parents[3] / "examples" / "imports"


class Wired(Wiring):
    """The real thing, but for the way to a license server."""

    def __init__(self, server=None):
        self.api = RealApi(server=server) if server else None

    def admin(self, where):
        return self.api.admin(where) if self.api else super().admin(where)


@pytest.fixture
def estate(tmp_path):
    def run(*arguments, server=None, **options):
        away = {"CALWARD_ESTATES": str(tmp_path / "estates"), "CALWARD_SOCKET": str(tmp_path / "no.sock")}
        return calward("estate", *map(str, arguments), wiring=Wired(server), **away, **options)

    return run


@pytest.fixture
def files(tmp_path):
    (tmp_path / "packs.csv").write_text(table(a_pack(), a_pack(KeyPackId=4, ProductType=1, TotalLicenses=-1)))
    (tmp_path / "issued.csv").write_text(table(an_issued(), an_issued(LicenseId=8, IssueDate="x")))
    return tmp_path / "packs.csv", tmp_path / "issued.csv"


def test_two_files_are_an_estate(estate, files):
    made = estate("import", *files)
    assert made.code == Exit.OK
    assert made.lines == ["imported: 2 packs, 2 issued licenses, 0 hosts, 0 failed issuances, 1 license server"]
    assert "issued.csv:3: IssueDate 'x' is no date" in made.err
    assert "see it: calward estate show imported" in made.err
    shown = estate("show", "imported")
    assert "imported (imported, another system's)" in shown.out
    assert "issued.csv:3: IssueDate 'x' is no date" in shown.err


def test_scripts_get_the_documented_form(estate, files):
    estate("import", *files, "--taken-at", "2026-11-20T06:00:00Z")
    found = estate("show", "imported", "--json").json
    assert found["packs"] == [
        {
            "id": "3",
            "version": "2016",
            "type": "per-device",
            "program": "volume",
            "total": 250,
            "issued": 200,
            "available": 50,
            "over_used": 0,
            "expires_at": None,
            "server": "license-server",
        },
        {
            "id": "4",
            "version": "2016",
            "type": "per-user",
            "program": "volume",
            "total": None,
            "issued": 200,
            "available": None,
            "over_used": 0,
            "expires_at": None,
            "server": "license-server",
        },
    ]
    assert (found["issued"], found["hosts"], found["source"], found["taken_at"]) == (
        2,
        0,
        "import",
        "2026-11-20T06:00:00Z",
    )
    assert [(one["file"], one["line"]) for one in found["problems"]] == [("issued.csv", 3)]


def test_without_a_name_it_is_the_only_one_and_that_is_said(estate, files):
    estate("import", *files)
    shown = estate("show", "--json")
    assert shown.json["estate"] == "imported"
    assert shown.err.strip() == "no license server is running here: this is the imported estate imported"


def test_of_several_one_must_be_named(estate, files):
    estate("import", *files)
    estate("import", *files, "--name", "berlin")
    shown = estate("show")
    assert shown.code == Exit.UNAVAILABLE
    assert "of the imported estates name one: berlin, imported" in shown.err
    assert estate("show", "--json", "berlin").json["estate"] == "berlin"


def test_a_server_that_is_named_is_never_replaced_by_an_import(estate, files):
    estate("import", *files)
    shown = estate("show", "--server", "http://127.0.0.1:1")
    assert shown.code == Exit.UNAVAILABLE
    assert shown.out == ""


def test_without_anything_the_way_is_told(estate):
    shown = estate("show")
    assert shown.code == Exit.UNAVAILABLE
    assert "no estate has been imported: calward estate import FILE makes one" in shown.err
    assert estate("show", "berlin").code == Exit.NOT_FOUND
    assert "no estate has been imported" in estate("list").err
    assert estate("list", "--json").json == {"items": [], "next": None}


def test_repeated_imports_are_a_history(estate, files):
    for day in ("2026-11-01", "2026-11-08"):
        estate("import", *files, "--taken-at", f"{day}T06:00:00Z")
    found = estate("history", "imported", "--json").json["items"]
    assert [(one["taken_at"], one["packs"], one["issued"], one["problems"]) for one in found] == [
        ("2026-11-01T06:00:00Z", 2, 2, 1),
        ("2026-11-08T06:00:00Z", 2, 2, 1),
    ]
    assert estate("list", "--json").json["items"] == [
        {"name": "imported", "snapshots": 2, "newest": "2026-11-08T06:00:00Z"}
    ]
    Path(found[0]["file"]).write_bytes(b"x")
    assert "is damaged" in estate("history", "imported").out
    assert estate("show", "imported").code == Exit.OK


def test_a_file_that_is_no_export_stops_the_import(estate, files, tmp_path):
    (tmp_path / "people.csv").write_text("Department,Phone\nIT,12\n")
    made = estate("import", *files, tmp_path / "people.csv")
    assert made.code == Exit.USAGE
    assert "'people.csv' begins with 'Department,Phone'" in made.err
    assert "key packs, issued licenses" in made.err
    assert estate("list", "--json").json["items"] == []


def test_a_file_that_is_not_there_stops_the_import(estate, files, tmp_path):
    made = estate("import", *files, tmp_path / "none.csv")
    assert made.code == Exit.NOT_FOUND
    assert estate("list", "--json").json["items"] == []


def test_a_server_is_named_beside_its_file(estate, files):
    packs, issued = files
    made = estate("import", f"ls1={packs}", f"ls1={issued}", f"ls2={packs}", "--json")
    assert (made.json["packs"], made.json["servers"]) == (4, 2)
    assert {pack["server"] for pack in estate("show", "imported", "--json").json["packs"]} == {"ls1", "ls2"}


def test_a_file_whose_name_has_an_equals_sign_is_that_file(estate, files, tmp_path):
    packs, _ = files
    path = packs.rename(tmp_path / "a=b.csv")
    assert estate("import", path).code == Exit.OK


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--name", "../x"), "no name of an estate"),
        (("--taken-at", "soon"), "--taken-at"),
        (("--ladder", "none"), "neither a shipped ladder"),
    ],
)
def test_what_is_wrong_is_told(estate, files, arguments, says):
    made = estate("import", *files, *arguments)
    assert made.code in {Exit.USAGE, Exit.NOT_FOUND}
    assert says in made.err


def test_names_from_files_do_nothing_to_a_terminal(estate, tmp_path):
    (tmp_path / "packs.csv").write_text(
        table(a_pack(KeyPackId="\x1b[2J", PSComputerName="\u202els", TotalLicenses="\x1b[31m"))
    )
    made = estate("import", tmp_path / "packs.csv")
    shown = estate("show", "imported")
    for text in (made.out, made.err, shown.out, shown.err):
        assert "\x1b" not in text
        assert "\u202e" not in text


def test_the_running_license_server_is_an_estate_too(estate, server):
    server.install("P1", total=2)
    server.prove(server.host("SH1"), "D1")
    server.host("SH2", mode=USER)
    found = estate("show", "--json", server=server).json
    assert (found["source"], found["issued"], found["hosts"]) == ("calward", 1, 2)
    assert [(pack["id"], pack["total"], pack["issued"], pack["expires_at"]) for pack in found["packs"]] == [
        ("P1", 2, 1, None)
    ]
    shown = estate("show", server=server)
    assert "another system" not in shown.out


# The examples.

OLD = {("2", "built-in", None), ("3", "per-device", 250), ("4", "per-user", 200), ("13", "per-device", None)}
FOLDERS = [
    # folder; packs, issued licenses, hosts, failed issuances, license servers; files with problems
    ("powershell", (4, 274, 0, 0, 1), set()),
    ("two-servers", (9, 371, 40, 0, 2), set()),
    ("wmic", (4, 200, 0, 0, 1), set()),
    ("german", (4, 274, 0, 0, 1), set()),
    ("json", (6, 244, 0, 0, 2), set()),
    ("lsreport", (4, 274, 0, 0, 1), set()),
    ("lsreport-bare", (0, 200, 0, 0, 1), set()),
    ("agent", (4, 0, 0, 0, 1), {"output.txt"}),
    ("reports", (2, 187, 0, 23, 1), set()),
]


@pytest.mark.parametrize(("folder", "numbers", "told"), FOLDERS, ids=[folder for folder, *_ in FOLDERS])
def test_every_example_is_read_whole(estate, folder, numbers, told):
    made = estate("import", *sorted((IMPORTS / folder).iterdir()), "--json").json
    assert tuple(made[key] for key in ("packs", "issued", "hosts", "failures", "servers")) == numbers
    assert {one["file"] for one in made["problems"]} == told


@pytest.mark.parametrize("folder", ["powershell", "wmic", "german", "lsreport", "agent"])
def test_every_form_says_the_same_of_the_same_packs(estate, folder):
    estate("import", *sorted((IMPORTS / folder).iterdir()))
    packs = estate("show", "imported", "--json").json["packs"]
    assert {(pack["id"], pack["type"], pack["total"]) for pack in packs} == OLD
    assert {pack["version"] for pack in packs} == {"2000", "2008"}
    assert {pack["program"] for pack in packs} == {"built-in", "volume", "open", "temporary"}
    assert {pack["expires_at"] for pack in packs} == {None}


def test_the_examples_are_what_their_script_makes():
    made = runpy.run_path(str(IMPORTS / "make.py"))["all_files"]()
    there = {
        path.relative_to(IMPORTS).as_posix(): path.read_bytes() for path in IMPORTS.glob("*/*") if path.suffix != ".pyc"
    }
    assert there == made


def test_files_of_one_name_are_told_apart(estate, files, tmp_path):
    (tmp_path / "more").mkdir()
    again = tmp_path / "more" / "issued.csv"
    again.write_text(table(an_issued(IssueDate="y")))
    told = estate("import", *files, again, "--json").json["problems"]
    assert {one["file"] for one in told} == {str(files[1]), str(again)}


@pytest.mark.slow
def test_a_hundred_thousand_licenses_are_read_to_the_last(estate, tmp_path):
    runpy.run_path(str(IMPORTS / "make.py"))["write_long_list"](tmp_path / "issued.csv", 100_000)
    made = estate("import", IMPORTS / "powershell" / "packs.csv", tmp_path / "issued.csv", "--json").json
    assert (made["issued"], made["problems"]) == (100_000, [])
    found = EstateFolder(tmp_path / "estates").newest("imported")
    assert Counter((one.pack, one.version, one.status) for one in found.licenses) == {
        ("3", "2008", LicenseStatus.ACTIVE): 88_889,
        ("13", "2008", LicenseStatus.TEMPORARY): 11_111,
    }


HOWTO = Path(__file__).parents[3] / "docs" / "howto" / "read-a-windows-license-server.md"


def test_the_page_shows_what_a_newcomer_sees(estate, monkeypatch):
    monkeypatch.chdir(IMPORTS / "powershell")
    made = estate("import", "packs.csv", "issued.csv")
    assert "$ calward estate import packs.csv issued.csv\n" + made.out in HOWTO.read_text(encoding="utf-8")


def test_the_page_shows_the_form_that_scripts_get(estate, monkeypatch):
    monkeypatch.chdir(IMPORTS / "powershell")
    estate("import", "packs.csv", "issued.csv")
    found = estate("show", "--json").json
    page = json.loads(HOWTO.read_text(encoding="utf-8").partition("```json\n")[2].partition("```")[0])
    assert set(page) == set(found)
    assert [set(pack) for pack in page["packs"]] == [set(found["packs"][0])]
    assert {key: value for key, value in page["packs"][0].items() if key != "server"} in [
        {key: value for key, value in pack.items() if key != "server"} for pack in found["packs"]
    ]
