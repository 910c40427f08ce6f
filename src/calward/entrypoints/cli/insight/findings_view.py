"""How are the checks of a diagnosis and their findings shown, whether of one host or of an estate?"""

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final, Protocol

from calward.entrypoints.cli.common.safe_text import safe

__all__ = ["MARKS", "list_lines", "marks", "sum_line", "told_lines", "wrapped"]

FOUND: Final = "found"
OK: Final = "ok"
NOT_CHECKED: Final = "not-checked"
MARKS: Final = {OK: "✓", FOUND: "✗", NOT_CHECKED: "-"}
_PLAIN_MARKS: Final = {OK: "+", FOUND: "!", NOT_CHECKED: "-"}
"""Where the terminal's encoding has no better ones."""
_NARROWEST: Final = 40
_IN_FINDING: Final = 13
_IN_LIST: Final = 4
"""Columns before what goes on in the next line."""


class LooksAt(Protocol):
    """A check, as far as it is shown."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def looks_at(self) -> str:
        """What it looks at, in a few words."""


class Ended(Protocol):
    """A check that was made, or not."""

    @property
    def check(self) -> LooksAt:
        """Which."""

    @property
    def result(self) -> StrEnum:
        """``ok``, ``found`` or ``not-checked``."""

    @property
    def detail(self) -> str:
        """What was seen, or why it was not looked at."""


class Tells(Protocol):
    """A finding, as far as it is shown."""

    @property
    def severity(self) -> StrEnum:
        """How much it matters."""

    @property
    def what(self) -> str:
        """What is wrong."""

    @property
    def evidence(self) -> str:
        """What was seen."""

    @property
    def cause(self) -> str:
        """The likely cause."""

    @property
    def fix(self) -> str:
        """What helps."""

    @property
    def command(self) -> str | None:
        """What to type."""


def marks() -> dict[str, str]:
    """A mark for each result, as the terminal can show it."""
    try:
        "".join(MARKS.values()).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _PLAIN_MARKS
    return MARKS


def list_lines(checked: Iterable[Ended], shown: dict[str, str]) -> Iterator[str]:
    """Every check in a line, and below them those that were not made, by what they lacked."""
    all_ = list(checked)
    made = [one for one in all_ if one.result.value != NOT_CHECKED]
    width = max((len(one.check.looks_at) for one in made), default=0)
    for one in made:
        seen = one.detail if one.result.value == OK else f"{one.check.id}, see below"
        yield from wrapped(f"{shown[one.result.value]} {one.check.looks_at:<{width}}  ", seen, _IN_LIST)
    for why, ids in _not_made(all_).items():
        yield from wrapped(f"{shown[NOT_CHECKED]} not checked, as {safe(why)}: ", ", ".join(ids), _IN_LIST)


def _not_made(checked: Iterable[Ended]) -> dict[str, list[str]]:
    """The checks that were not made, by what they lacked."""
    reasons: dict[str, list[str]] = {}
    for one in checked:
        if one.result.value == NOT_CHECKED:
            reasons.setdefault(one.detail, []).append(one.check.id)
    return reasons


def told_lines(finding: Tells, page: str, mark: str, *, seen: str = "seen") -> Iterator[str]:
    """One finding in full; ``seen``: what its evidence is called."""
    yield from wrapped(f"{mark} {finding.severity.value}: ", finding.what, hang=2)
    yield from wrapped(f"    {seen:<9}", finding.evidence)
    yield from wrapped("    cause    ", finding.cause)
    yield from wrapped("    fix      ", finding.fix)
    if finding.command:
        yield f"    command  {safe(finding.command)}"
    # JSON names the page of the built documentation; people have the source of it, in a checkout and where that is shown.
    yield f"    more     docs/{page.replace('.html', '.md')}"


def wrapped(head: str, text: str, hang: int = _IN_FINDING) -> Iterator[str]:
    """A text below its own beginning, as wide as the terminal; piped, one line."""
    line = head + safe(text)
    if not sys.stdout.isatty():
        yield line
        return
    width = max(_NARROWEST, shutil.get_terminal_size().columns)
    indent = " " * hang
    yield from textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def sum_line(checked: Iterable[Ended], severities: Sequence[StrEnum], order: Iterable[StrEnum]) -> str:
    """What it comes to: ``1 error, 2 warnings; 24 checks are fine, 14 were not made``."""
    results = Counter(one.result.value for one in checked)
    numbers = Counter(severities)
    told = [f"{numbers[one]} {one.value}{'s' if numbers[one] > 1 else ''}" for one in order if numbers[one]]
    rest = f"{results[OK]} checks are fine, {results[NOT_CHECKED]} were not made"
    return f"{', '.join(told) or 'nothing is wrong'}; {rest}"
