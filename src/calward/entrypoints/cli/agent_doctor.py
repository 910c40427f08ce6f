"""What is wrong with this session host: ``calward agent doctor``."""

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import rich_click as click

from calward.app.sessionhost.diagnosis import CHECKS, Check, Diagnosis, Finding, Result, Severity
from calward.entrypoints.cli.desk import json_option
from calward.entrypoints.cli.exit_codes import Exit
from calward.entrypoints.cli.output import print_json, say
from calward.entrypoints.cli.safe_text import safe

__all__ = ["DiagnosesHosts", "doctor"]

_MARKS: Final = {Result.OK: "✓", Result.FOUND: "✗", Result.NOT_CHECKED: "-"}
_PLAIN_MARKS: Final = {Result.OK: "+", Result.FOUND: "!", Result.NOT_CHECKED: "-"}
"""Where the terminal's encoding has no better ones."""
_NARROWEST: Final = 40
_IN_FINDING: Final = 13
_IN_LIST: Final = 4
"""Columns before what goes on in the next line."""
_IDS: Final = [check.id for check in CHECKS]


class DiagnosesHosts(Protocol):
    """What the command needs of the context object."""

    def diagnose_host(self, config: Path | None, pam_folder: Path) -> Diagnosis:
        """Look at everything that licensing needs of this host, within about ten seconds."""


@click.command()
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The host's settings.  [default: /etc/calward/host.toml]",
)
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="ID",
    type=click.Choice(_IDS),
    help="Leave a check out whose finding is known and accepted; may be repeated.",
)
@click.option(
    "--pam-folder",
    default=Path("/etc/pam.d"),
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the files of the PAM services are.",
)
@json_option
@click.pass_context
def doctor(
    ctx: click.Context, config: Path | None, pam_folder: Path, *, ignored: tuple[str, ...], as_json: bool
) -> None:
    """Say what is wrong with licensing on this host, why, and what helps; ends with 7 where it finds something.

    Looks at settings, license servers, agent, PAM, relay and memory; changes nothing. Run it as the user of the agent, usually root.

    \b
    Examples:
      calward agent doctor
      calward agent doctor --ignore single-server --json
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    diagnoses: DiagnosesHosts = ctx.obj
    found = diagnoses.diagnose_host(config, pam_folder).without(frozenset(ignored))
    if as_json:
        print_json(found.document())
    else:
        for line in _lines(found, _marks()):
            say(line)
    ctx.exit(Exit.FINDINGS if found.findings else Exit.OK)


def _marks() -> dict[Result, str]:
    try:
        "".join(_MARKS.values()).encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return _PLAIN_MARKS
    return _MARKS


def _lines(found: Diagnosis, marks: dict[Result, str]) -> Iterator[str]:
    """All checks as a list, then every finding in full: what has to be done stands last, where the eye is."""
    made = [one for one in found.checked if one.result is not Result.NOT_CHECKED]
    width = max((len(one.check.looks_at) for one in made), default=0)
    for one in made:
        seen = one.detail if one.result is Result.OK else f"{one.check.id}, see below"
        yield from _wrapped(f"{marks[one.result]} {one.check.looks_at:<{width}}  ", seen, _IN_LIST)
    for why, ids in _not_made(found).items():
        yield from _wrapped(f"{marks[Result.NOT_CHECKED]} not checked, as {safe(why)}: ", ", ".join(ids), _IN_LIST)
    for check, finding in found.findings:
        yield ""
        yield from _told(check, finding, marks[Result.FOUND])
    yield ""
    yield _sum(found)


def _not_made(found: Diagnosis) -> dict[str, list[str]]:
    """The checks that were not made, by what they lacked."""
    reasons: dict[str, list[str]] = {}
    for one in found.checked:
        if one.result is Result.NOT_CHECKED:
            reasons.setdefault(one.detail, []).append(one.check.id)
    return reasons


def _told(check: Check, finding: Finding, mark: str) -> Iterator[str]:
    yield from _wrapped(f"{mark} {finding.severity.value}: ", finding.what, hang=2)
    yield from _wrapped("    seen     ", finding.evidence)
    yield from _wrapped("    cause    ", finding.cause)
    yield from _wrapped("    fix      ", finding.fix)
    if finding.command:
        yield f"    command  {safe(finding.command)}"
    yield f"    more     {check.page}"


def _wrapped(head: str, text: str, hang: int = _IN_FINDING) -> Iterator[str]:
    """A text below its own beginning, as wide as the terminal; piped, one line."""
    line = head + safe(text)
    if not sys.stdout.isatty():
        yield line
        return
    width = max(_NARROWEST, shutil.get_terminal_size().columns)
    indent = " " * hang
    yield from textwrap.wrap(line, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _sum(found: Diagnosis) -> str:
    results = Counter(one.result for one in found.checked)
    severities = Counter(finding.severity for _, finding in found.findings)
    counted = [
        f"{severities[one]} {one.value}{'s' if severities[one] > 1 else ''}" for one in Severity if severities[one]
    ]
    rest = f"{results[Result.OK]} checks are fine, {results[Result.NOT_CHECKED]} were not made"
    return f"{', '.join(counted) or 'nothing is wrong'}; {rest}"
