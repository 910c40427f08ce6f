"""Pages of commands, played as a reader would: what a page shows must come, and what it names by example is named as it really is.

A prompt says where a command is typed: ``old$`` at the license server old, ``ch$`` at the clearinghouse. Ids and numbers of a page are
examples: where a shown line has one, the real one of that place is remembered and put into the commands that follow.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

_BLOCK = re.compile(r"^ *```console\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^([a-z0-9]+)\$ ", re.MULTILINE)
_EXAMPLE = re.compile(
    r"\b(?:[0-9a-f]{32}|[0-9A-Z]{5}(?:-[0-9A-Z]{5}){4}|[0-9A-Z]{5}(?:-[0-9A-Z]{5}){2}|[0-9A-Z]{4}(?:-[0-9A-Z]{4}){3}|[0-9]{8})\b"
)


class Step(NamedTuple):
    """A command, where it is typed, and what the page shows below it."""

    where: str
    command: str
    shown: list[str]


def steps(page: Path) -> Iterator[Step]:
    for block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        text = "\n".join(line.strip() if line.startswith("   ") else line for line in block.splitlines())
        _, *parts = _PROMPT.split(text)
        for where, part in zip(parts[::2], parts[1::2], strict=True):
            command, *shown = part.rstrip("\n").splitlines()
            yield Step(where, command, shown)


@dataclass
class Player:
    """Plays steps in a folder; ``places``: variables of the environment by prompt."""

    folder: Path
    places: dict[str, dict[str, str]]
    real: dict[str, str] = field(default_factory=dict)

    def play(self, step: Step) -> None:
        command = _EXAMPLE.sub(lambda found: self.real.get(found[0], found[0]), step.command)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(self.folder), "COLUMNS": "200", "LANG": "C.UTF-8"}
        ended = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=environment | self.places[step.where],
            capture_output=True,
            text=True,
            check=False,
        )
        printed = "".join(f"{line.rstrip()}\n" for line in (ended.stdout + ended.stderr).splitlines())
        wanted, examples = self._pattern(step.shown)
        found = re.fullmatch(wanted, printed)
        assert found is not None, (command, step.shown, printed)
        refused = any("refused" in line or "not accepted" in line for line in step.shown)
        assert (ended.returncode == 0) is not refused, (command, printed)
        self.real |= {example: found[f"x{at}"] for at, example in enumerate(examples)}

    def _pattern(self, shown: list[str]) -> tuple[str, list[str]]:
        examples: list[str] = []
        lines = []
        for line in shown:
            if line == "…":
                lines.append("(?:.*\n)*?")
                continue
            at, made = 0, ""
            for found in _EXAMPLE.finditer(line):
                made += self._words(line[at : found.start()]) + self._example(found[0], examples)
                at = found.end()
            lines.append(made + self._words(line[at:]) + " *\n")
        return "".join(lines), examples

    def _example(self, text: str, examples: list[str]) -> str:
        if text in self.real:
            return re.escape(self.real[text])
        if text in examples:
            return f"(?P=x{examples.index(text)})"
        examples.append(text)
        return f"(?P<x{len(examples) - 1}>{_EXAMPLE.pattern})"

    def _words(self, text: str) -> str:
        """Blanks of a table count as one; … stands for anything in a line."""
        parts = [re.sub(r"(?:\\ )+", " +", re.escape(part)) for part in text.split("…")]
        return ".*".join(parts)
