"""Does a ladder load by name and from a file, and does a wrong one say why not?"""

import ast
from pathlib import Path

import pytest

import calward
from calward.adapters.ladders import load_ladder, shipped_ladders
from calward.domain.errors import LicensingError, Problem
from calward.ladders import DEFAULT_LADDER
from tests.support.ladders import HARBOR_FILE, harbor, windows_server

NAMES_NO_VERSION = ["domain", "wire", "insight", "app/licensing", "adapters", "entrypoints/api"]


def test_the_default_is_shipped():
    assert DEFAULT_LADDER in shipped_ladders()


@pytest.mark.parametrize("name", shipped_ladders())
def test_every_shipped_ladder_loads_and_bears_its_files_name(name):
    assert load_ladder(name).name == name


def test_a_shipped_ladder_is_read_once():
    assert load_ladder(DEFAULT_LADDER) is load_ladder(DEFAULT_LADDER)


def test_a_ladder_loads_from_a_file():
    assert load_ladder(str(HARBOR_FILE)) == harbor()


def test_a_shipped_name_wins_over_a_file_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path(DEFAULT_LADDER).write_bytes(HARBOR_FILE.read_bytes())
    assert load_ladder(DEFAULT_LADDER) == windows_server()
    assert load_ladder(f"./{DEFAULT_LADDER}") == harbor()


@pytest.mark.parametrize(
    ("name", "help_"),
    [("window-server", "did you mean windows-server"), ("Windows-Server", "did you mean windows-server"),
     ("/no/such/file", "shipped are windows-server"),
     (f"{HARBOR_FILE}/below", "shipped are windows-server"), ("nul\0", "shipped are windows-server")],
)  # fmt: skip
def test_what_is_neither_name_nor_file_gets_a_suggestion(name, help_):
    with pytest.raises(LicensingError) as error:
        load_ladder(name)
    assert error.value.problem is Problem.NOT_FOUND
    assert error.value.detail == f"{name!r} is neither a shipped ladder nor a file: {help_}"


def test_a_folder_cannot_be_read(tmp_path):
    with pytest.raises(LicensingError, match="cannot be read: is a directory") as error:
        load_ladder(str(tmp_path))
    assert error.value.problem is Problem.UNAVAILABLE


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name = ", "is not TOML: invalid value"),
        (b"\xff\xfe", "is not TOML: 'utf-8' codec"),
        (b"n = " + b"9" * 5_000, "is not TOML: exceeds the limit"),
        (b"n = " + b"[" * 50_000, "is not TOML: maximum recursion"),
        (b"#" * 1_048_577, "is larger than 1048576 bytes"),
        (b'name = "x"', "title is missing: it must be a line of text"),
    ],
)
def test_a_file_that_is_no_ladder_says_why(tmp_path, content, says):
    file = tmp_path / "wrong.toml"
    file.write_bytes(content)
    with pytest.raises(LicensingError) as error:
        load_ladder(str(file))
    assert error.value.problem is Problem.MALFORMED
    assert "wrong.toml" in error.value.detail
    assert says in error.value.detail


def test_an_error_in_a_file_keeps_its_key(tmp_path):
    file = tmp_path / "short.toml"
    file.write_text(HARBOR_FILE.read_text(encoding="utf-8").replace("grace_days = 7", "grace_days = -7"))
    with pytest.raises(LicensingError) as error:
        load_ladder(str(file))
    assert error.value.field == "rungs[3].grace_days"


def test_no_rule_use_case_or_adapter_names_a_version():
    known = {name.lower() for name in windows_server().versions}
    package = Path(calward.__file__).parent
    sources = [file for folder in NAMES_NO_VERSION for file in (package / folder).rglob("*.py")]
    named = [f"{file.relative_to(package)}:{node.lineno}" for file in sources for node in _texts(file)
             if node.value.lower() in known]  # fmt: skip
    assert sources
    assert named == []


def _texts(file: Path):
    nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
    return (node for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
