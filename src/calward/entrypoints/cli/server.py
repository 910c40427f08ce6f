"""What is this license server, and may it issue? ``calward server``."""

import json
from pathlib import Path
from typing import Any, Final

import rich_click as click

from calward.entrypoints.cli.common.desk import Desk, admin_command
from calward.entrypoints.cli.common.everywhere import acts
from calward.entrypoints.cli.common.files import read_envelope
from calward.entrypoints.cli.common.output import cell
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import Document
from calward.entrypoints.cli.recover import rebuild, recover
from calward.entrypoints.cli.touch import activate, contact, deactivate, take

__all__ = ["server"]

_NAMES: Final = {
    "name": "name",
    "id": "server id",
    "version": "runs as version",
    "ladder": "ladder",
    "activated": "activated",
    "issue_until": "may issue until",
    "blocked": "temporary licenses only, because",
    "settings": "settings",
    "key_fingerprint": "fingerprint of its key",
}


@click.group()
def server() -> None:
    """Show, activate and set up the license server itself.

    \b
    Examples:
      calward server show
      calward server activate --clearinghouse https://clearinghouse.example
      calward server set per_user=enforce
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


server.add_command(recover)
server.add_command(rebuild)


@server.command()
@admin_command
def show(desk: Desk) -> None:
    """Show name, id, version, activation and settings.

    \b
    Examples:
      calward server show
      calward server show --json
    """  # noqa: D301
    found = desk.ask("GET", "server")
    # Hosts know it by another key; people need it once.
    desk.show(found if desk.as_json else {key: one for key, one in found.items() if key != "server_id"}, _NAMES)


for _command in (activate, deactivate, contact, take):
    server.add_command(_command)


@server.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@admin_command
@acts()
def keyring(desk: Desk, file: Path) -> None:
    """Take the clearinghouse's keyring from a file, where it cannot be fetched: it says whose packs are genuine.

    \b
    Example:
      calward server keyring keyring.json
    """  # noqa: D301
    said = desk.admin.deliver("PUT", "server/keyring", read_envelope(file))
    desk.done(said, [f"the keyring is in force{_version(said)}"])


def _version(said: Document) -> str:
    return f": version {cell(said['version'])}" if "version" in said else ""


@server.command("set")
@click.argument("settings", metavar="KEY=VALUE…", nargs=-1, required=True)
@admin_command
@acts()
def set_(desk: Desk, settings: tuple[str, ...]) -> None:
    """Change settings of the license server.

    \b
    Examples:
      calward server set per_user=enforce
      calward server set prevent_license_upgrade=true low_share=0.05
    """  # noqa: D301
    body = dict(_setting(one, desk.ctx) for one in settings)
    desk.done(desk.ask("PATCH", "server/settings", body=body), [f"set {safe(one)}" for one in settings])


def _setting(text: str, ctx: click.Context) -> tuple[str, Any]:
    """Read one ``key=value``; a value that is no JSON is a text."""
    key, sign, value = text.partition("=")
    if not sign or not key:
        raise click.UsageError(f"{safe(text)!r} is no KEY=VALUE", ctx)
    try:
        return key, json.loads(value)
    except ValueError:
        return key, value
