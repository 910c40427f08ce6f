"""Does every command explain itself, and does the reference page have it?"""

import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from calward.config import ServerConfig
from calward.entrypoints.cli.common.wiring import RunOptions
from calward.entrypoints.cli.reference import commands, page
from calward.entrypoints.cli.root import COMMANDS, cli
from tests.support.command_line import FakeWiring, calward

PAGE = Path(__file__).parents[4] / "docs" / "reference" / "cli.md"
ALL = list(commands())
LEAVES = [(path, command) for path, command in ALL if not isinstance(command, click.Group)]
NO_JSON = {"calward pam account", "calward pam session", "calward completion"}
"""What speaks to PAM or to a shell has a form already."""
ASKED_FOR = ("serve setup status server.show server.activate pack.list pack.show pack.install pack.remove license.list license.show "
    "license.request license.confirm license.revoke license.release host.list host.show host.enroll host.join host.set host.remove "
    "host.policy.list host.policy.set explain matrix scenario.run audit.verify audit.tail audit.export token.list token.make token.end "
    "clearinghouse.serve clearinghouse.activate clearinghouse.sign pam.account pam.session completion version")  # fmt: skip
NUMERIC_MODULES = {"statsmodels", "scipy", "numpy", "pandas"}
CLIENT_MODULES = {"fastapi", "starlette", "uvicorn", "sqlalchemy", "pysqlite3", "alembic", "cryptography", "pydantic"}


def examples_of(command):
    return [
        line.strip()
        for line in (command.help or "").splitlines()
        if line.strip().startswith(("calward ", "sudo calward "))
    ]


@pytest.mark.parametrize("words", ASKED_FOR.split())
def test_what_was_asked_for_is_there(words):
    assert f"calward {words.replace('.', ' ')}" in dict(ALL)


@pytest.mark.parametrize("path", [path for path, _ in ALL])
def test_every_command_has_help(path):
    ran = calward(*path.split()[1:], "--help", wiring=FakeWiring())
    assert ran.code == 0, ran
    assert "Usage: calward" in ran.out


@pytest.mark.parametrize("path", [path for path, _ in LEAVES])
def test_every_help_has_an_example(path):
    text = dict(ALL)[path].help or ""
    assert "Example" in text
    assert path in text


@pytest.mark.parametrize("columns", ["60", "80", "120"])
def test_examples_stand_on_lines_that_a_shell_takes(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    for path, command in ALL:
        out = calward(*path.split()[1:], "--help", wiring=FakeWiring()).out
        words = " ".join(out.replace(" \\\n", " ").split())
        assert all(" ".join(example.split()) in words for example in examples_of(command)), out


def test_an_example_is_not_broken_between_an_option_and_its_value(monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    lines = [line.strip() for line in calward("host", "enroll", "--help").out.splitlines()]
    assert "--token-file ./sh1.token" in lines


@pytest.mark.parametrize("path", [path for path, _ in LEAVES if path not in NO_JSON])
def test_every_command_speaks_json(path):
    assert "--json" in {opt for param in dict(ALL)[path].params for opt in param.opts}


@pytest.mark.parametrize("example", sorted({example for _, command in ALL for example in examples_of(command)}))
def test_every_example_is_a_command_line_that_exists(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "request.json").write_text("{}")  # The one file that click opens for itself.
    words = shlex.split(example.partition(" > ")[0].partition(" < ")[0].partition(" | ")[0])
    words = words[words.index("calward") + 1 :]
    context = click.Context(cli, info_name="calward")
    command: click.Command = cli
    while isinstance(command, click.Group):
        _, found, words = command.resolve_command(context, words)
        assert found is not None
        command = found
    with command.make_context("calward", list(words), parent=context):
        pass  # The context closes what it has opened.


def test_the_list_of_commands_needs_none_of_them_loaded():
    shown = calward("--help").out
    for name, place in COMMANDS.items():
        assert (f"│ {name} " in shown) == (not place.hidden)


def test_a_summary_in_the_list_is_the_beginning_of_the_help():
    for name, command in cli.loaded():
        first = (command.help or "").split("\n\n")[0].replace("\n", " ").rstrip(".")
        summary = COMMANDS[name].summary.rstrip(".")
        assert first[:8] == summary[:8], f"{name}: {summary!r} stands for {first!r}"


def test_serve_has_an_option_for_every_setting():
    options = {param.name for param in cli.load("serve").params}
    settings = {name for name in ServerConfig.__slots__ if not name.startswith("bench")}
    assert settings <= options


def test_devrun_has_an_option_for_everything_it_can_do():
    assert set(RunOptions.__slots__) <= {param.name for param in cli.load("devrun").params}


@pytest.mark.parametrize(
    "arguments", [["version"], ["matrix"], ["--help"], ["status"], ["license", "--help"], ["forecast", "--help"]]
)
def test_a_client_s_command_loads_no_server_and_no_database(arguments, tmp_path):
    program = (
        "import sys; from calward.bootstrap.program import main; "
        f"main({arguments!r}); "
        f"sys.stderr.write('loaded ' + ' '.join(sorted({CLIENT_MODULES | NUMERIC_MODULES!r} & set(sys.modules))))"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert ended.stderr.rpartition("loaded ")[2] == ""


@pytest.mark.parametrize("program", ["serve", "license_server", "clearinghouse", "agent", "pam", "watch", "estates"])
def test_no_program_loads_what_only_the_forecast_needs(program):
    asked = f"import sys, calward.bootstrap.{program}; print(*sorted({NUMERIC_MODULES!r} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""


def test_the_reference_page_is_up_to_date():
    assert page() == PAGE.read_text(encoding="utf-8"), (
        "run: python -m calward.entrypoints.cli.reference > docs/reference/cli.md"
    )


@pytest.mark.parametrize("path", [path for path, _ in ALL])
def test_every_command_is_in_the_reference(path):
    assert f"# {path}\n" in PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "cword", "expected"),
    [("calward pac", 1, "pack"), ("calward pack in", 2, "install"), ("calward license list --st", 3, "--status")],
)
def test_a_tab_completes_commands_and_options(words, cword, expected, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", "from calward.bootstrap.program import main; main([])"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"_CALWARD_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(cword), "PATH": ""},
    )
    assert f"plain,{expected}" in ended.stdout.split()
