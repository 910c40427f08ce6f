"""Which key packs are installed, and how do they come and go? ``calward pack``."""

from pathlib import Path
from typing import Final

import rich_click as click

from calward.entrypoints.cli.desk import Desk, admin_command, limit_options, to
from calward.entrypoints.cli.files import read_envelope
from calward.entrypoints.cli.output import cell
from calward.entrypoints.cli.safe_text import safe
from calward.entrypoints.cli.status import PACK_COLUMNS

__all__ = ["pack"]

_NAMES: Final = {
    "id": "pack",
    "version": "version",
    "type": "type",
    "total": "total",
    "issued": "issued",
    "available": "available",
    "installed_at": "installed",
    "expires_at": "expires",
    "opens": "opens hosts of",
}
_NONE: Final = "no key pack is installed: get one from your clearinghouse, then calward pack install FILE"


@click.group()
def pack() -> None:
    """Show, install and remove key packs.

    \b
    Examples:
      calward pack list
      calward pack install pack.json
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


@pack.command("list")
@limit_options
@admin_command
def list_(desk: Desk, limit: int, after: str | None) -> None:
    """List the installed key packs with what is issued and what is left.

    \b
    Examples:
      calward pack list
      calward pack list --json
    """  # noqa: D301
    desk.show_items(desk.items("packs", {}, limit, after), PACK_COLUMNS, _NONE)


@pack.command()
@click.argument("pack_id", metavar="PACK")
@admin_command
def show(desk: Desk, pack_id: str) -> None:
    """Show one key pack and which hosts its CALs open.

    \b
    Example:
      calward pack show P7F3A
    """  # noqa: D301
    desk.show(desk.ask("GET", to("packs", pack_id)), _NAMES)


@pack.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@admin_command
def install(desk: Desk, file: Path) -> None:
    """Install a key pack from the file that the clearinghouse has signed for this server; - is standard input.

    \b
    Examples:
      calward pack install pack.json
      calward pack install - < pack.json
    """  # noqa: D301
    said = desk.admin.deliver("POST", "packs", read_envelope(file))
    new = said["pack"] if isinstance(said.get("pack"), dict) else said
    what = f"{cell(new.get('total'))} CALs {cell(new.get('version'))}/{cell(new.get('type'))}"
    desk.done(said, [f"installed {cell(new.get('id'))}: {what}, until {cell(new.get('expires_at'))}"])


@pack.command()
@click.argument("pack_id", metavar="PACK")
@admin_command
def remove(desk: Desk, pack_id: str) -> None:
    """Remove a key pack; refused while licenses of it are running.

    \b
    Example:
      calward pack remove P7F3A
    """  # noqa: D301
    desk.done(desk.ask("DELETE", to("packs", pack_id)), [f"removed {safe(pack_id)}"])
