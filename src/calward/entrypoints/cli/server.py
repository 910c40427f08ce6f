"""What is this license server, and may it issue? ``calward server``."""

import json
from pathlib import Path
from typing import Any, Final

import rich_click as click

from calward.entrypoints.cli.desk import Desk, admin_command
from calward.entrypoints.cli.files import read_envelope, write_text
from calward.entrypoints.cli.output import cell, print_json, say
from calward.entrypoints.cli.recover import rebuild, recover
from calward.entrypoints.cli.safe_text import safe
from calward.entrypoints.cli.wiring import Document

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
    desk.show(desk.ask("GET", "server"), _NAMES)


@server.command()
@click.option("--clearinghouse", metavar="URL", help="Ask this clearinghouse, now and whenever the right is renewed.")
@click.option(
    "--request",
    "request_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Write the request that the clearinghouse answers with a file; - is the terminal.",
)
@click.option(
    "--answer",
    "answer_file",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="Take the clearinghouse's answer from a file.",
)
@admin_command
def activate(desk: Desk, clearinghouse: str | None, request_file: Path | None, answer_file: Path | None) -> None:
    """Activate the license server, so that it may issue CALs: over the network, or by two files.

    \b
    Examples:
      calward server activate --clearinghouse https://clearinghouse.example
      calward server activate --request request.json
      calward server activate --answer activation.json
    """  # noqa: D301
    if sum(one is not None for one in (clearinghouse, request_file, answer_file)) != 1:
        raise click.UsageError("give one of --clearinghouse, --request and --answer", desk.ctx)
    if request_file is not None:
        _write_request(desk, request_file)
        return
    if answer_file is not None:
        said = desk.admin.deliver("POST", "server:activate", read_envelope(answer_file))
    else:
        said = desk.ask("POST", "server:activate", body={"clearinghouse": clearinghouse})
    desk.done(said, [f"activated: may issue until {cell(said.get('issue_until', 'its activation says otherwise'))}"])


def _write_request(desk: Desk, path: Path) -> None:
    text = desk.admin.text("server/activation-request")
    write_text(path, text)
    if str(path) == "-":
        return
    if desk.as_json:
        print_json({"file": str(path)})
    else:
        say(f"activation request written to {safe(path)}: give it to the clearinghouse, then use --answer")


@server.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@admin_command
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


@server.command()
@admin_command
def deactivate(desk: Desk) -> None:
    """Give up the right to issue: temporary licenses only from now on; what runs stays.

    \b
    Example:
      calward server deactivate
    """  # noqa: D301
    desk.done(
        desk.ask("POST", "server:deactivate"),
        ["deactivated: temporary licenses only, running licenses stay, none is renewed"],
    )


@server.command("set")
@click.argument("settings", metavar="KEY=VALUE…", nargs=-1, required=True)
@admin_command
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
