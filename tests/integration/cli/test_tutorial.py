"""Does the tutorial work as it is written? Its commands run in a shell, against the server that users start."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.running_server import serving

PAGE = Path(__file__).parents[3] / "docs" / "tutorial" / "first-license.md"


class Step(NamedTuple):
    """A command as it is typed, and what the page shows below it."""

    command: str
    shown: list[str]


def steps() -> Iterator[Step]:
    for block in re.findall(r"^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            yield Step(command, shown)


def matches(shown: list[str], printed: str) -> bool:
    """A ``…`` within a line stands for anything; alone it stands for any lines, none too."""
    lines = ["(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + "\n" for line in shown]
    return re.fullmatch("".join(lines), "".join(f"{line.rstrip()}\n" for line in printed.splitlines())) is not None


class Shell:
    """Runs one command after another; variables that are set stay set."""

    def __init__(self, folder: Path) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.folder = folder
        self.environment = {"PATH": path, "HOME": str(folder), "COLUMNS": "200", "LANG": "C.UTF-8"}

    def run(self, command: str) -> str:
        """What it prints: standard output, then standard error. Fails the test if the command fails."""
        script = f"set -eu\n{command}\nexport SERVER\nenv -0 > .env"
        script = script.replace("export SERVER\n", "export SERVER=${SERVER-}\n")
        ended = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, (command, ended)
        pairs = [pair.partition("=") for pair in (self.folder / ".env").read_text().split("\0") if pair]
        self.environment |= {key: value for key, _, value in pairs}
        return ended.stdout + ended.stderr


@pytest.mark.slow
@pytest.mark.timeout(300)  # Thirty programs are started, one after another.
def test_the_tutorial_works_as_it_is_written(tmp_path):
    shell, found = Shell(tmp_path), list(steps())
    number = next(at for at, step in enumerate(found) if step.command.startswith("calward serve "))
    for step in found[:number]:
        assert matches(step.shown, printed := shell.run(step.command)), (step, printed)
    options = shlex.split(shell.run(f"printf '%q ' {found[number].command}"))[2:]
    with serving(tmp_path, *options) as server:
        assert matches(found[number].shown, server.printed), (found[number], server.printed)
        for step in found[number + 1 :]:
            assert matches(step.shown, printed := shell.run(step.command)), (step, printed)
