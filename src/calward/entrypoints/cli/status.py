"""What does an administrator fear: when does what stop? ``calward status``."""

import json
import sys
import time
from typing import Any, Final

import rich_click as click

from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import render_moment
from calward.domain.statements import NO_END
from calward.entrypoints.cli.common.desk import Desk, admin_command
from calward.entrypoints.cli.common.output import Column, Fit, facts, print_json, say, table
from calward.entrypoints.cli.common.safe_text import safe

__all__ = ["PACK_COLUMNS", "never_or", "status"]

_NEVER: Final = render_moment(NO_END)


def never_or(moment: object) -> object:
    """When a pack ends, as people say it: one that was bought for good has a last day, too, for programs to compute with."""
    return "never" if moment == _NEVER else moment


PACK_COLUMNS: Final[tuple[Column, ...]] = (
    Column("pack", "id", Fit.CUT),
    Column("CAL", lambda pack: f"{pack.get('version')}/{pack.get('type')}"),
    Column("total", "total"),
    Column("issued", "issued"),
    Column("available", lambda pack: "moving" if pack.get("moving") else pack.get("available")),
    Column("expires", lambda pack: never_or(pack.get("expires_at"))),
)

_EVERY_SECONDS: Final = 5.0
_PASSES: Final = frozenset({Problem.UNREACHABLE, Problem.UNAVAILABLE})
_STOPS: Final[tuple[Column, ...]] = (Column("when", "at"), Column("what", "sentence", Fit.FOLDED))
_SERVER: Final = {
    "name": "license server",
    "version": "runs as version",
    "issue_until": "may issue until",
    "blocked": "temporary licenses only, because",
}


@click.command()
@click.option(
    "--watch", is_flag=True, help="Go on, and show what changes, until Ctrl-C; with --json one object a line."
)
@admin_command
def status(desk: Desk, *, watch: bool) -> None:
    """Say in one line what stops first and when, then show server, packs and licenses.

    \b
    Examples:
      calward status
      calward status --json
      calward status --watch
      calward status --server https://ls1.example:8460 --token-file ./token
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    found = desk.ask("GET", "status")
    if watch:
        _watch(desk, found)
    elif desk.as_json:
        print_json(found)
    else:
        _tell(found)


def _watch(desk: Desk, found: dict[str, Any]) -> None:
    """Show it again whenever it is another one; a server that is away for a while is waited for."""
    shown: dict[str, Any] | None = None
    while True:
        if found != shown:
            _again(found, as_json=desk.as_json)
            shown = found
        sys.stdout.flush()
        time.sleep(_EVERY_SECONDS)
        try:
            found = desk.ask("GET", "status")
        except LicensingError as error:
            if error.problem not in _PASSES:
                raise
            say(f"{safe(error.detail)}: asked again", err=True)


def _again(found: dict[str, Any], *, as_json: bool) -> None:
    """The whole page on a terminal; a line for whoever keeps what comes."""
    if as_json:
        say(json.dumps(found))
    elif sys.stdout.isatty():
        click.clear()
        _tell(found)
    else:
        say(safe(found.get("line", "")))


def _tell(found: dict[str, Any]) -> None:
    say(safe(found.get("line", "the license server does not say what stops first")))
    say()
    _show(found)


def _show(found: dict[str, Any]) -> None:
    server = found.get("server", {})
    facts({key: server[key] for key in _SERVER if server.get(key) is not None}, _SERVER)
    facts({"licenses": found.get("licenses")}, {})
    for title, columns, key in (("what stops", _STOPS, "stops"), ("key packs", PACK_COLUMNS, "packs")):
        if found.get(key):
            say(f"\n{title}:")
            table(columns, found[key])
    for warning in found.get("warnings", ()):
        say(f"warning: {safe(warning)}")
