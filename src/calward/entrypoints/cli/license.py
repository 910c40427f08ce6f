"""Who holds which license, and why? ``calward license``; ``request`` and ``confirm`` act as a session host would."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import rich_click as click

from calward.domain.cals import CalType
from calward.entrypoints.cli.common.desk import (
    Desk,
    admin_command,
    fingerprint_option,
    json_option,
    limit_options,
    refuse,
    server_option,
    to,
)
from calward.entrypoints.cli.common.everywhere import acts
from calward.entrypoints.cli.common.output import Column, Fit, cell, print_json, reason_lines, say
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import Document, HostClient, Where, Wiring

__all__ = ["license_"]

_SECONDS: Final = 10.0
"""A person waits here, not a logon."""
_NONE: Final = "no license matches; without options the list shows all that run, with --ended those that do not"
_NAMES: Final = {
    "id": "license",
    "holder": "holder",
    "holder_kind": "holder is a",
    "hardware_id": "hardware id",
    "version": "version",
    "type": "type",
    "status": "status",
    "pack": "pack",
    "host": "given at host",
    "issued_at": "issued",
    "expires_at": "expires",
    "ended_at": "ended",
    "ending": "ended by",
    "decision": "decision",
    "why": "why not a full one",
}


def _why(row: Mapping[str, Any]) -> object:
    """Why it is not a full license; for one that has ended, how."""
    return row.get("why") or row.get("ending")


_COLUMNS: Final[tuple[Column, ...]] = (
    Column("license", "id"),
    Column("holder", "holder", Fit.FOLDED),
    Column("CAL", lambda row: f"{row.get('version')}/{row.get('type')}"),
    Column("status", "status"),
    Column("pack", "pack", Fit.LEFT_OUT),
    Column("expires", "expires_at"),
    Column("decision", "decision", Fit.LEFT_OUT),
    Column("why", _why, Fit.FOLDED),
)

_REVOCATIONS: Final[tuple[Column, ...]] = (
    Column("version", "family"),
    Column("CALs", "installed"),
    Column("limit", "limit"),
    Column("revoked", "used"),
    Column("left", "remaining"),
    Column("next place opens", "next_at"),
)


@click.group("license")
def license_() -> None:
    """List, request, revoke and release issued licenses.

    \b
    Examples:
      calward license list --status temporary
      calward license request --host-token-file ./sh1.token --user alice
      calward license revoke L12
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


@license_.command("list")
@click.option("--type", "cal_type", type=click.Choice([one.value for one in CalType]), help="Of this CAL type.")
@click.option("--status", type=click.Choice(["temporary", "active", "over-used"]), help="Of this status.")
@click.option("--version", help="Of this version, as 2008R2.")
@click.option("--pack", metavar="PACK", help="From this key pack.")
@click.option("--holder", metavar="NAME", help="Of this device (name or hardware id) or user.")
@click.option("--host", metavar="NAME", help="Given at the request of this session host.")
@click.option("--ended", is_flag=True, help="Those that have ended instead of those that run.")
@click.option("--all", "both", is_flag=True, help="Those that have ended beside those that run.")
@limit_options
@admin_command
def list_(
    desk: Desk, /, cal_type: str | None, *, limit: int, after: str | None, ended: bool, both: bool, **only: str | None
) -> None:
    """List issued licenses; each that is temporary or over-used shows why.

    \b
    Examples:
      calward license list
      calward license list --status temporary
      calward license list --holder alice --json
      calward license list --ended --limit 0
    """  # noqa: D301
    query = {"type": cal_type, **only, "ended": "all" if both else ended or None}
    desk.show_items(desk.items("licenses", query, limit, after), _COLUMNS, _NONE)


@license_.command()
@click.argument("license_id", metavar="LICENSE")
@admin_command
def show(desk: Desk, license_id: str) -> None:
    """Show one license, and the decision that it stands on.

    \b
    Example:
      calward license show L12
    """  # noqa: D301
    desk.show(desk.ask("GET", to("licenses", license_id)), _NAMES)


@license_.command()
@click.argument("license_id", metavar="LICENSE")
@admin_command
@acts("its holder loses it, and one of the few revocations is used up")
def revoke(desk: Desk, license_id: str) -> None:
    """Take a per-device license, so that its CAL is free; only so many at a time.

    \b
    Example:
      calward license revoke L12
    """  # noqa: D301
    said = desk.ask("POST", to("licenses", license_id, "revoke"))
    left = f"; {cell(said['remaining'])} more may be revoked now" if said.get("remaining") is not None else ""
    desk.done(said, [f"revoked {safe(license_id)}{left}"])


@license_.command()
@admin_command
def revocations(desk: Desk) -> None:
    """Show, before anyone tries, how many licenses may be revoked now and when the next place opens.

    \b
    Example:
      calward license revocations
    """  # noqa: D301
    desk.show_items(
        desk.ask("GET", "revocations"), _REVOCATIONS, "no per-device CAL is installed: nothing can be revoked"
    )


@license_.command()
@click.argument("license_id", metavar="LICENSE")
@admin_command
@acts("the user has to ask for a CAL again")
def release(desk: Desk, license_id: str) -> None:
    """End a user's license before it lapses, so that its CAL is free.

    \b
    Example:
      calward license release L12
    """  # noqa: D301
    desk.done(desk.ask("POST", to("licenses", license_id, "release")), [f"released {safe(license_id)}"])


@license_.command()
@click.option("--device", metavar="NAME|ID", help="The device, by hardware id or by what it is called.")
@click.option("--user", metavar="NAME", help="The user, instead of a device.")
@admin_command
@acts("nobody can say any more whose licenses these were")
def forget(desk: Desk, device: str | None, user: str | None) -> None:
    """Erase the name of a device or user without a running license; the audit trail still verifies.

    \b
    Example:
      calward license forget --user alice
    """  # noqa: D301
    named = {key: value for key, value in (("device", device), ("user", user)) if value is not None}
    desk.done(
        desk.ask("POST", "holders:erase", body=named), ["erased: nobody can say any more whose licenses these were"]
    )


_host_token = click.option(
    "--host-token-file",
    metavar="FILE",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File with the session host's token, from calward host enroll or join.",
)


@license_.command()
@_host_token
@click.option("--device", metavar="NAME", help="The name of the device; needs --hardware-id.")
@click.option("--hardware-id", metavar="TEXT", help="What the device is known by: any text, compared as it is.")
@click.option("--user", metavar="NAME", help="The user, instead of a device.")
@click.option("--request-id", metavar="ID", help="The same id gets the same answer.  [default: a new one]")
@click.option("--full-only", is_flag=True, help="Ask for a full license or nothing.")
@server_option
@fingerprint_option
@json_option
@click.pass_context
def request(
    ctx: click.Context,
    *,
    host_token_file: Path,
    device: str | None,
    hardware_id: str | None,
    user: str | None,
    request_id: str | None,
    full_only: bool,
    server: str | None,
    fingerprint: str | None,
    as_json: bool,
) -> None:
    """Request a license for a device or a user, as a session host does at a connection.

    \b
    Examples:
      calward license request --host-token-file ./sh1.token --user alice
      calward license request --host-token-file ./sh1.token --device PC1 --hardware-id 5f3a --json
      calward license request --host-token-file ./sh1.token --user alice --request-id 2026-11-24-1
    """  # noqa: D301
    wiring: Wiring = ctx.obj
    # An empty id is somebody's mistake and goes along to be refused: a new one could take a second CAL.
    question = _holder(ctx, device, hardware_id, user) | {
        "request_id": wiring.new_id() if request_id is None else request_id
    }
    client = wiring.host(Where(server, host_token_file, fingerprint=fingerprint))
    said = client.ask_license(question, full_only=full_only, seconds=_SECONDS)
    if said["outcome"] == "refused":
        refuse(ctx, said, as_json=as_json)
    if as_json:
        print_json(said)
    else:
        _tell(said)


def _holder(ctx: click.Context, device: str | None, hardware_id: str | None, user: str | None) -> Document:
    if user is not None and device is None and hardware_id is None:
        return {"user": user}
    if device is not None and hardware_id is not None and user is None:
        return {"device": {"name": device, "hardware_id": hardware_id}}
    raise click.UsageError("give either --user, or --device together with --hardware-id", ctx)


def _tell(said: Document) -> None:
    given = said["license"]
    pack = f", pack {cell(given['pack'])}" if given.get("pack") else ""
    say(
        f"granted {cell(given['id'])}: {cell(given['version'])}/{cell(given['type'])} {cell(given['status'])}"
        f" ({cell(given['change'])}), until {cell(given['expires_at'])}{pack}"
    )
    for line in reason_lines(said.get("reason") or ()):
        say(f"  {line}")
    if said.get("decision"):
        say(f"why: calward explain {safe(said['decision'])}")


@license_.command()
@_host_token
@click.option(
    "--license", "license_id", metavar="LICENSE", required=True, help="The license that the holder presented."
)
@server_option
@fingerprint_option
@json_option
@click.pass_context
def confirm(
    ctx: click.Context,
    *,
    host_token_file: Path,
    license_id: str,
    server: str | None,
    fingerprint: str | None,
    as_json: bool,
) -> None:
    """Say, as a session host does, that the holder of a license has logged on: its device is proven from now on.

    \b
    Example:
      calward license confirm --host-token-file ./sh1.token --license L12
    """  # noqa: D301
    client: HostClient = ctx.obj.host(Where(server, host_token_file, fingerprint=fingerprint))
    said = client.confirm_license(license_id, seconds=_SECONDS)
    if said.get("outcome") == "refused":
        refuse(ctx, said, as_json=as_json)
    if as_json:
        print_json(said)
    else:
        say(f"confirmed {safe(license_id)}")
