"""Is the ledger what it was, and what happened last? ``calward audit``."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import rich_click as click

from calward.domain.answers import rfc3339
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.common.desk import Desk, admin_command
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.files import read_text
from calward.entrypoints.cli.common.output import cell, print_json, say
from calward.entrypoints.cli.common.safe_text import safe

__all__ = ["audit"]

_EVERY_SECONDS: Final = 1.0
"""How long ``tail --follow`` waits for news."""
_AT_A_TIME: Final = 500
_PASSES: Final = frozenset({Problem.UNREACHABLE, Problem.UNAVAILABLE})
"""What is over again by itself."""
_APART: Final = frozenset({"id", "at", "kind", "trace"})
"""Fields of an event that have a place of their own in its line, or none."""
_TIMES: Final = frozenset({"expires", "until", "ended"})
"""Fields of an event that are times, in seconds since 1970."""


@click.group()
def audit() -> None:
    """Verify, follow and export the audit trail.

    \b
    Examples:
      calward audit verify
      calward audit tail --follow
      calward audit export -o events.jsonl
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


@audit.command()
@click.option(
    "--checkpoint",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="A checkpoint that was kept elsewhere: the ledger must still agree with it.",
)
@admin_command
def verify(desk: Desk, checkpoint: Path | None) -> None:
    """Refold the ledger from its events and check the tree; ends with 7 where something does not hold.

    \b
    Examples:
      calward audit verify
      calward audit verify --checkpoint kept.txt --json
    """  # noqa: D301
    body = {"checkpoint": read_text(checkpoint)} if checkpoint else {}
    said = desk.ask("POST", "audit/verify", body=body)
    findings = said.get("findings") or []
    if desk.as_json:
        print_json(said)
    else:
        for finding in findings:
            say(f"finding: {_finding(finding)}")
        say("the ledger holds" if said.get("holds") else f"the ledger does not hold: findings: {len(findings)}")
    if not said.get("holds"):
        desk.ctx.exit(Exit.FINDINGS)


def _finding(finding: object) -> str:
    if not isinstance(finding, dict):
        return safe(finding)
    return ", ".join(f"{safe(key)} {cell(value)}" for key, value in finding.items())


@audit.command()
@click.option("--after", metavar="N", type=click.IntRange(0), help="Begin after this place.  [default: the last ones]")
@click.option(
    "-n", "--limit", default=20, show_default=True, type=click.IntRange(1, _AT_A_TIME), help="How many at most."
)
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens, until Ctrl-C.")
@admin_command
def tail(desk: Desk, after: int | None, limit: int, *, follow: bool) -> None:
    """Show the last events; with --json one JSON object a line.

    \b
    Examples:
      calward audit tail
      calward audit tail --follow --json
      calward audit tail --after 1200 --limit 50
    """  # noqa: D301
    where: dict[str, int | bool] = {"last": True} if after is None else {"after": after}
    reached = _show(desk, where, limit, after or 0, unplaced=after is None and not follow)
    while follow:
        sys.stdout.flush()
        time.sleep(_EVERY_SECONDS)
        reached = _go_on(desk, reached)


def _go_on(desk: Desk, reached: int) -> int:
    """Show what is new; a server that is away for a while is waited for, and nothing is missed."""
    try:
        return _show(desk, {"after": reached}, _AT_A_TIME, reached)
    except LicensingError as error:
        if error.problem not in _PASSES:
            raise
        say(f"{safe(error.detail)}: asked again", err=True)
        return reached


def _show(desk: Desk, where: dict[str, int | bool], limit: int, reached: int, *, unplaced: bool = False) -> int:
    """Show events, and give the place of the last one: where to go on. One without a place yet gets it within a second."""
    page = desk.ask("GET", "audit/events", query={**where, "limit": limit})
    for item in page.get("items", []):
        if item["position"] is not None or unplaced:
            _print(item, as_json=desk.as_json)
        reached = max(reached, item["position"] or 0)
    return reached


def _print(item: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say(json.dumps(item))
        return
    event = item["event"]
    rest = {key: value for key, value in event.items() if key not in _APART and value is not None}
    rest |= {key: _when(rest[key]) for key in _TIMES & rest.keys()}
    say(f"{cell(item['position'])} {_when(event.get('at'))} {cell(event.get('kind'))} #{event['id']}: {cell(rest)}")


def _when(at: object) -> str:
    return rfc3339(at) if isinstance(at, int) else cell(at)


@audit.command()
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default="-",
    show_default=True,
    help="Where to write; - is standard output.",
)
@admin_command
def export(desk: Desk, output: Path) -> None:
    """Write every event, one JSON object a line, and the signed checkpoint as the last line.

    \b
    Examples:
      calward audit export -o events.jsonl
      calward audit export | gzip > events.jsonl.gz
    """  # noqa: D301
    lines = desk.admin.lines("audit/export")
    if str(output) == "-":
        for line in lines:
            say(line)
        return
    count = _write(output, lines)
    facts = {"file": str(output), "lines": count}
    desk.done(facts, [f"{count} lines written to {safe(output)}"])


def _write(path: Path, lines: Iterator[str]) -> int:
    """Write lines to a file beside its place and move it there when it is whole."""
    partial = path.with_name(f".{path.name}.part")
    count = 0
    try:
        with partial.open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(f"{line}\n")
                count += 1
        partial.replace(path)
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{str(path)!a} cannot be written: {error.strerror}") from None
    finally:
        partial.unlink(missing_ok=True)
    return count
