"""Does the frame hold: packages that say what they are, pins, the dev script, fragments and decisions?"""

import ast
import importlib.machinery
import importlib.util
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = sorted((ROOT / "src/calward").rglob("__init__.py"))
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PINS = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if line and not line.startswith("#")]


@pytest.fixture
def dev() -> ModuleType:
    loader = importlib.machinery.SourceFileLoader("dev", str(ROOT / "dev"))
    spec = importlib.util.spec_from_loader("dev", loader)
    assert spec
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


def run_dev(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "dev", *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )


def well() -> None:
    """Do nothing, well."""


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.parent.relative_to(ROOT / "src")))
def test_every_package_says_what_lives_there(package):
    assert ast.get_docstring(ast.parse(package.read_text()))


def test_a_pin_is_a_name_and_a_version_and_nothing_of_the_machine_it_was_made_on():
    assert PINS
    assert not [pin for pin in PINS if not re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.+!]+", pin)]


def test_every_dependency_is_pinned():
    def normal(name: str) -> str:
        return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name)[0]).lower()

    extras = PYPROJECT["project"]["optional-dependencies"].values()
    wanted = {normal(name) for names in (PYPROJECT["project"]["dependencies"], *extras) for name in names}
    assert wanted <= {normal(pin) for pin in PINS}


@pytest.mark.parametrize("arguments", [(), ("help",), ("--help",)])
def test_dev_without_a_command_shows_each_command_from_any_folder(dev, tmp_path, arguments):
    answer = run_dev(*arguments, cwd=tmp_path)
    assert answer.returncode == 0
    assert all(f"./dev {name}" in answer.stderr for name in dev.COMMANDS)


def test_dev_refuses_an_unknown_command_and_shows_those_that_there_are(tmp_path):
    answer = run_dev("tset", cwd=tmp_path)
    assert answer.returncode == 2
    assert "tset" in answer.stderr
    assert "./dev test" in answer.stderr


def test_dev_goes_on_after_a_failed_stage_and_says_so_at_the_end(dev):
    ran = []

    def badly() -> None:
        raise dev.Stopped("mypy ended with 1")

    failures = dev.gather(("types", badly), ("docs", lambda: ran.append("docs")))
    assert ran == ["docs"]
    with pytest.raises(dev.Stopped, match=r"1 of 2 stages failed in \d+ s: types \(mypy ended with 1\)"):
        dev.report(failures)


def test_dev_says_in_its_last_line_that_all_went_well(dev, capsys):
    dev.report(dev.gather(("types", well)))
    assert re.fullmatch(r"all 1 stages passed in \d+ s", capsys.readouterr().err.splitlines()[-1])


def test_dev_names_what_was_not_tested_for_want_of_a_peer(dev, monkeypatch, capsys):
    monkeypatch.setattr(dev, "PEERS", (dev.Peer("no-such-peer", "bin/no-such-peer-*", "the tests of nothing"),))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    skipped = dev.install_peers()
    dev.report([], skipped)
    assert "no-such-peer" in capsys.readouterr().err.splitlines()[-1]


def test_dev_bench_is_started_by_the_whole_path_of_its_python(dev, monkeypatch):
    # Python finds its packages by the name that it is started with: "python" is whatever PATH has first.
    started = []
    monkeypatch.setattr(os, "execv", lambda program, words: started.append((program, words)))
    monkeypatch.chdir(ROOT)
    dev.command_bench(["--help"])
    assert started == [(dev.BIN / "python", [str(dev.BIN / "python"), "bench/main.py", "--help"])]


def test_dev_notices_a_changed_list_of_packages(dev, tmp_path, monkeypatch):
    monkeypatch.setattr(dev, "ROOT", tmp_path)
    (tmp_path / "constraints.txt").write_text("click==8.0\n")
    before = dev.digest("constraints.txt")
    (tmp_path / "constraints.txt").write_text("click==8.1\n")
    assert dev.digest("constraints.txt") != before


@pytest.mark.xdist_group("frame")
def test_groups_of_tests_are_kept_together(request):
    if not request.config.getoption("loadgroup", default=False):
        pytest.skip("nothing is spread over workers here")
    assert request.node.nodeid.endswith("@frame")  # How pytest-xdist tells its groups; not every pytest lets it.


def test_ci_runs_what_a_developer_runs():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert script.read_text().rstrip().endswith("exec ./dev test")


def test_every_changelog_fragment_has_a_known_kind():
    kinds = set(re.findall(r"^\| `(\w+)` \|", (ROOT / "changes.d/README.md").read_text(), re.MULTILINE))
    fragments = [path for path in (ROOT / "changes.d").iterdir() if path.name != "README.md"]
    assert not [path.name for path in fragments if path.suffixes[-2:-1] not in [[f".{kind}"] for kind in kinds]]


def test_no_two_decisions_share_a_number():
    numbers = [path.name[:4] for path in (ROOT / "docs/decisions").glob("[0-9]*.md")]
    assert len(numbers) == len(set(numbers))
