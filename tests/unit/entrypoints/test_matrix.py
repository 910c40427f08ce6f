"""Does `calward matrix` show what the rules say, to people and to scripts?"""

import json
from types import SimpleNamespace

import pytest
from click.testing import CliRunner, Result

from calward.adapters.ladders import load_ladder
from calward.domain.compatibility import MatrixKind
from calward.domain.compatibility import matrix as work_out
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.matrix import matrix
from tests.support.ladders import HARBOR_FILE, harbor, windows_server

HARBOR_TABLE = """\
Coast pilotage: which CAL opens which host
CAL \\ host                               sloop  Ketch  ketch-II  barque  4.2
─────────────────────────────────────────────────────────────────────────────
Sloop rules rope permit                    ✔      ✔       ✔
Ketch rules rope permit                    ✔      ✔       ✔
Ketch rules, second edition rope permit    ✔      ✔       ✔
Barque rules chain permit                  ✔      ✔       ✔        ✔
Steam rules steam permit                   ✔      ✔       ✔        ✔      ✔
✔  yes: a CAL opens hosts of its own version and of every older one.
Versions that share a CAL count as one: sloop/Ketch/ketch-II.
Hosts are called: jetty (sloop, Ketch), quay (ketch-II, barque), dock (4.2).
"""
NARROW_TABLE = """\
CAL \\ host           2000 2003 2008 2008R2 2012 2012R2 2016 2019 2022 2025
──────────────────────────────────────────────────────────────────────────
2000 TS CAL           ✔
2003 TS CAL           ✔    ✔
2008 TS or RDS CAL    ✔    ✔    ✔     ✔
2008R2 TS or RDS CAL  ✔    ✔    ✔     ✔
"""


def run(*arguments: str, columns: int = 80, charset: str = "utf-8") -> Result:
    runner = CliRunner(charset=charset)
    context = SimpleNamespace(load_ladder=load_ladder)
    return runner.invoke(matrix, arguments, obj=context, env={"COLUMNS": str(columns)})


def lines_of(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return "".join(f"{line.rstrip()}\n" for line in result.output.splitlines())


@pytest.mark.parametrize("kind", MatrixKind)
def test_json_is_the_matrix_of_the_rules(kind):
    result = run("--kind", kind.value, "--json")
    assert json.loads(result.output) == work_out(windows_server(), kind).document()
    assert list(json.loads(result.output)) == ["rows", "columns", "cells"]


def test_a_ladder_file_is_shown_like_a_shipped_one():
    result = run("--ladder", str(HARBOR_FILE), "--json")
    assert json.loads(result.output) == work_out(harbor(), MatrixKind.CAL_HOST).document()


def test_people_see_a_table_with_the_names_of_its_product():
    assert lines_of(run("--ladder", str(HARBOR_FILE))) == HARBOR_TABLE


def test_a_narrow_terminal_gets_short_names():
    assert NARROW_TABLE in lines_of(run())


def test_a_wide_terminal_gets_whole_names():
    assert "\nWindows Server 2008 R2 TS or RDS CAL  " in lines_of(run(columns=120))


def test_no_version_is_ever_cut_short():
    assert NARROW_TABLE in lines_of(run(columns=20))


@pytest.mark.parametrize(
    ("kind", "corner", "names"),
    [
        ("server-cal", "license server \\ CAL", "CALs are called: TS CAL (2000, 2003), TS or RDS CAL (2008, 2008R2), "),
        ("server-host", "license server \\ host", "Hosts are called: terminal server (2000, 2003, 2008), session host"),
    ],
)
def test_every_kind_names_its_rows_and_columns(kind, corner, names):
    shown = lines_of(run("--kind", kind, columns=200))
    assert f"\n{corner}" in shown
    assert f"\n{names}" in shown
    assert "\nWindows Server 2008 R2  " in shown


def test_a_terminal_without_check_marks_gets_letters():
    shown = lines_of(run(charset="ascii"))
    assert shown.isascii()
    assert "2003 TS CAL         | x  | x  |" in shown


def test_a_ladder_without_shared_cals_says_nothing_of_them(tmp_path):
    file = tmp_path / "plain.toml"
    file.write_text('name="p"\ntitle="P"\n[[rungs]]\nid="a"\ntitle="[b]A[/b]"\nhost_name="h"\ncal_name="c"\n')
    shown = lines_of(run("--ladder", str(file)))
    assert "share" not in shown
    assert "[b]A[/b] c" in shown


def test_an_unknown_ladder_is_an_error_for_the_command_line_to_render():
    result = run("--ladder", "nowhere")
    assert isinstance(result.exception, LicensingError)
    assert result.exception.problem is Problem.NOT_FOUND


def test_help_has_examples():
    shown = lines_of(run("--help"))
    assert "calward matrix --kind server-host --json" in shown
