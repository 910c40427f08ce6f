"""``calward qr``: a signed file goes through pictures and comes back as it was."""

import json
from pathlib import Path

from click.testing import CliRunner

from calward.bootstrap.program import Wiring
from calward.domain.envelope import fingerprint
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.root import cli
from tests.support.signed import a_pack, sealed

FILE = sealed(a_pack()) + b"\n"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli, ["qr", *arguments], obj=Wiring(), catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_a_file_goes_through_pictures(tmp_path: Path) -> None:
    (tmp_path / "pack.calward").write_bytes(FILE)
    shown = json.loads(run("show", str(tmp_path / "pack.calward"), "-o", str(tmp_path / "p.png"), "--json"))
    assert len(shown["files"]) == 2
    assert shown["fingerprint"] == fingerprint(FILE)
    run("read", *reversed(shown["files"]), "-o", str(tmp_path / "back.calward"))
    assert (tmp_path / "back.calward").read_bytes() == FILE
    assert json.loads(run("read", *shown["files"], "--json"))["content"] == FILE.decode()


def test_a_page_a_terminal_and_json_show_all_codes(tmp_path: Path) -> None:
    file = tmp_path / "pack.calward"
    file.write_bytes(FILE)
    assert "written: " in run("show", str(file), "-o", str(tmp_path / "p.html"))
    assert (tmp_path / "p.html").read_text(encoding="utf-8").count("<svg") == 2
    assert "2 of 2" in run("show", str(file))
    assert len(json.loads(run("show", str(file), "--json"))["codes"]) == 2


def test_what_is_too_large_is_carried_as_a_file(tmp_path: Path) -> None:
    file = tmp_path / "large.calward"
    file.write_bytes(b"x" * 100_000)
    result = CliRunner().invoke(cli, ["qr", "show", str(file)], obj=Wiring())
    assert isinstance(result.exception, LicensingError)
    assert result.exception.problem is Problem.MALFORMED
