"""Do the tutorials work as they are written? Their commands run in a shell, against the programs that users start."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.running_server import CALWARD, serving

TUTORIAL = Path(__file__).parents[3] / "docs" / "tutorial"
PAGES = ("first-license", "move-to-a-new-server")
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


class Step(NamedTuple):
    """A command as it is typed, and what the page shows below it."""

    command: str
    shown: list[str]


def steps(page: str) -> Iterator[Step]:
    text = (TUTORIAL / f"{page}.md").read_text(encoding="utf-8")
    for block in re.findall(r"^```console\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            yield Step(command, shown)


def matches(shown: list[str], printed: str) -> bool:
    """A ``…`` within a line stands for anything; alone it stands for any lines, none too."""
    lines = ["(?:.*\n)*" if line == "…" else re.escape(line).replace("…", ".*") + "\n" for line in shown]
    return re.fullmatch("".join(lines), "".join(f"{line.rstrip()}\n" for line in printed.splitlines())) is not None


class Shell:
    """Runs one command after another; variables and functions that are set stay set. ``free``: a port for each of the page's."""

    def __init__(self, folder: Path) -> None:
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        self.folder = folder
        self.environment = {"PATH": path, "HOME": str(folder), "COLUMNS": "200", "LANG": "C.UTF-8"}
        self.free: dict[str, str] = {}

    def run(self, command: str) -> str:
        """What it prints: standard output, then standard error. Fails the test if the command fails."""
        script = f"set -eua\n{self._with_places(command)}\nfor name in $(compgen -A function); do export -f $name; done\nenv -0 > .env"
        ended = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, (command, ended)
        pairs = [pair.partition("=") for pair in (self.folder / ".env").read_text().split("\0") if pair]
        self.environment |= {key: value for key, _, value in pairs}
        return self._as_written(ended.stdout + ended.stderr)

    @contextmanager
    def serve(self, command: str) -> Iterator[str]:
        """Start what a page leaves running in another terminal; what it prints when it is ready."""
        start = _serving_clearinghouse if command.startswith("calward clearinghouse ") else _serving_license_server
        options = shlex.split(self.run(f"printf '%q ' {command}"))[1:]
        place = next((i for i, x in enumerate(options) if x in {"--listen", "--port"}), None)
        written = None if place is None else f"http://127.0.0.1:{options[place + 1].rpartition(':')[2]}"
        if place is not None:
            options[place + 1] = re.sub(r"\d+$", "0", options[place + 1])
        with start(self.folder, options) as printed:
            found = ADDRESS.search(printed)
            if written and found:
                self.free[written] = found[0]
            yield self._as_written(printed)

    def _with_places(self, command: str) -> str:
        for place, free in self.free.items():
            command = command.replace(place, free)
        return command

    def _as_written(self, printed: str) -> str:
        for place, free in self.free.items():
            printed = printed.replace(free, place)
        return printed


@contextmanager
def _serving_license_server(folder: Path, options: list[str]) -> Iterator[str]:
    with serving(folder, *options[1:]) as server:
        yield server.printed


@contextmanager
def _serving_clearinghouse(folder: Path, options: list[str]) -> Iterator[str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen([CALWARD, *options], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline()
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


@pytest.mark.slow
@pytest.mark.timeout(300)  # Dozens of programs are started, one after another.
@pytest.mark.parametrize("page", PAGES)
def test_the_tutorial_works_as_it_is_written(page, tmp_path):
    shell = Shell(tmp_path)
    with ExitStack() as running:
        for step in steps(page):
            if re.match(r"calward (clearinghouse )?serve ", step.command):
                printed = running.enter_context(shell.serve(step.command))
            else:
                printed = shell.run(step.command)
            assert matches(step.shown, printed), (step, printed)


def test_every_page_of_commands_is_played():
    assert {page.stem for page in TUTORIAL.glob("*.md") if "$ calward serve " in page.read_text()} == set(PAGES)
