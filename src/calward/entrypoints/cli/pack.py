"""Which key packs are installed, and how do they come and go? ``calward pack``."""

from typing import Final

import rich_click as click

from calward.entrypoints.cli.common.desk import Desk, admin_command, limit_options, to
from calward.entrypoints.cli.common.everywhere import acts
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.pack_buying import convert, downgrade, give_up_change, install, upgrade
from calward.entrypoints.cli.pack_moving import cancel_move, move, moves
from calward.entrypoints.cli.status import PACK_COLUMNS, never_or

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
    "bought_as": "bought as",
    "generation": "generation",
    "moving": "moving in transfer",
    "aside": "waiting to be converted",
}
_NONE: Final = "no key pack is installed: get one from your clearinghouse, then calward pack install FILE"


@click.group()
def pack() -> None:
    """Show, install, move, change and remove key packs.

    \b
    Examples:
      calward pack list
      calward pack install --program retail 3B6XQ-9QZ4T-R6V2A-V1GKC-W0NDE
      calward pack move --from 5f0c… --pack all
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
      calward pack show 7f3a0c5d9e1b4f6a8c2d0e4f6a8b0c1d
    """  # noqa: D301
    found = desk.ask("GET", to("packs", pack_id))
    desk.show(found if desk.as_json else found | {"expires_at": never_or(found.get("expires_at"))}, _NAMES)


for _command in (install, move, moves, cancel_move, downgrade, upgrade, convert, give_up_change):
    pack.add_command(_command)


@pack.command()
@click.argument("pack_id", metavar="PACK")
@admin_command
@acts("the clearinghouse has to sign it again before it can come back")
def remove(desk: Desk, pack_id: str) -> None:
    """Remove a key pack; refused while licenses of it are running.

    \b
    Example:
      calward pack remove P7F3A
    """  # noqa: D301
    desk.done(desk.ask("DELETE", to("packs", pack_id)), [f"removed {safe(pack_id)}"])
