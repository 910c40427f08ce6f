"""What does an administrator fear: when does what stop? ``calward status``."""

from typing import Any, Final

import rich_click as click

from calward.entrypoints.cli.desk import Desk, admin_command
from calward.entrypoints.cli.output import Column, Fit, facts, print_json, say, table
from calward.entrypoints.cli.safe_text import safe

__all__ = ["PACK_COLUMNS", "status"]

PACK_COLUMNS: Final[tuple[Column, ...]] = (
    Column("pack", "id", Fit.CUT),
    Column("CAL", lambda pack: f"{pack.get('version')}/{pack.get('type')}"),
    Column("total", "total"),
    Column("issued", "issued"),
    Column("available", lambda pack: "moving" if pack.get("moving") else pack.get("available")),
    Column("expires", "expires_at"),
)

_STOPS: Final[tuple[Column, ...]] = (Column("when", "at"), Column("what", "sentence", Fit.FOLDED))
_SERVER: Final = {
    "name": "license server",
    "version": "runs as version",
    "issue_until": "may issue until",
    "blocked": "temporary licenses only, because",
}


@click.command()
@admin_command
def status(desk: Desk) -> None:
    """Say in one line what stops first and when, then show server, packs and licenses.

    \b
    Examples:
      calward status
      calward status --json
      calward status --server https://ls1.example:8460 --token-file ./token
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    found = desk.ask("GET", "status")
    if desk.as_json:
        print_json(found)
        return
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
