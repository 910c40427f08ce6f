"""What does somebody at the clearinghouse's desk do? ``calward clearinghouse answer``, ``register``, ``transfers``, ``cancel`` and others."""

import getpass
from pathlib import Path
from typing import Any, Final

import rich_click as click

from calward.app.clearinghouse.views import key_change_view, pack_view, server_view, transfer_view
from calward.domain.acceptance import NotAccepted
from calward.domain.envelope import fingerprint
from calward.domain.statements import Channel
from calward.entrypoints.cli.clearinghouse.options import dir_option, json_option, out_option
from calward.entrypoints.cli.clearinghouse.output import OpensClearinghouse, refuse
from calward.entrypoints.cli.common.files import read_bundle, write_text
from calward.entrypoints.cli.common.output import Column, Fit, print_json, say, table
from calward.entrypoints.cli.common.safe_text import safe

__all__ = ["answer", "cancel", "confirm_key", "register", "transfers"]

_SERVERS: Final = (
    Column("license server", "server_id"),
    Column("name", "name", Fit.FOLDED),
    Column("version", "version"),
    Column("may issue until", "issue_until"),
    Column("last heard", "last_contact", Fit.LEFT_OUT),
)
_PACKS: Final = (
    Column("pack", "pack_id", Fit.CUT),
    Column("CAL", lambda one: f"{one['version']}/{one['cal_type']}"),
    Column("total", "total"),
    Column("on", "server_id", Fit.CUT),
    Column("generation", "generation"),
    Column("state", "state"),
)
_TRANSFERS: Final = (
    Column("transfer", "transfer_id"),
    Column("pack", "pack_id", Fit.CUT),
    Column("from", "source_id", Fit.CUT),
    Column("to", lambda one: one["target_name"] or one["target_id"], Fit.FOLDED),
    Column("ordered", "ordered_at"),
    Column("source", "source"),
    Column("takes effect", lambda one: one["effective_at"] or "with the release"),
    Column("ended", lambda one: f"{one['outcome']}" if one["outcome"] else "pending"),
)
_KEYS: Final = (
    Column("license server", "server_id"),
    Column("fingerprint of the new key", "fingerprint"),
    Column("reason", "reason"),
    Column("asked", "asked_at"),
)


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@dir_option
@out_option
@json_option
@click.pass_context
def answer(ctx: click.Context, file: Path, data_dir: Path, output: Path, *, as_json: bool) -> None:
    """Answer whatever a license server asks in a file: activation, install, move, release, contact and all others.

    The same file gets the same answer.

    \b
    Examples:
      calward clearinghouse answer request.calward --dir ./ch -o answer.calward
      calward qr read photo.jpg | calward clearinghouse answer - --dir ./ch -o answer.calward
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    found = ctx.obj.open_clearinghouse(data_dir).answer(read_bundle(file), Channel.FILE)
    if isinstance(found, NotAccepted):
        refuse(ctx, found, as_json=as_json)
    to_terminal = str(output) == "-"
    code = fingerprint(found)
    if as_json:
        envelopes = found.decode().splitlines()
        print_json({"file": None if to_terminal else str(output), "fingerprint": code, "envelopes": envelopes})
    if not to_terminal or not as_json:
        write_text(output, found.decode())
    if not to_terminal and not as_json:
        say(f"answer written to {output}: the license server takes it by calward server take FILE")
        say(f"fingerprint {code}, to compare by telephone")


@click.command()
@click.option("--server", "server_id", metavar="ID", help="Only what this license server holds.")
@dir_option
@json_option
@click.pass_obj
def register(wiring: OpensClearinghouse, server_id: str | None, data_dir: Path, *, as_json: bool) -> None:
    """Show which key pack is on which license server, and new keys that wait to be confirmed.

    \b
    Examples:
      calward clearinghouse register --dir ./ch
      calward clearinghouse register --server 5f0c… --dir ./ch --json
    """  # noqa: D301
    found = wiring.open_clearinghouse(data_dir).overview()
    servers = [server_view(one) for one in found.servers if server_id in {None, one.server_id}]
    packs = [pack_view(one) for one in found.register if server_id in {None, one.statement.server_id}]
    keys = [key_change_view(one) for one in found.key_changes if one.confirmed_at is None]
    document: dict[str, Any] = {"servers": servers, "packs": packs, "keys_to_confirm": keys}
    if as_json:
        print_json(document)
        return
    if not table(_SERVERS, servers):
        say("no license server was activated here yet", err=True)
    for columns, rows in ((_PACKS, packs), (_KEYS, keys)):
        if rows:
            say()
            table(columns, rows)


@click.command()
@click.option("--all", "everything", is_flag=True, help="Those too that have ended.")
@dir_option
@json_option
@click.pass_obj
def transfers(wiring: OpensClearinghouse, data_dir: Path, *, everything: bool, as_json: bool) -> None:
    """Show moves of key packs between license servers that have not ended, and when each takes effect.

    \b
    Examples:
      calward clearinghouse transfers --dir ./ch
      calward clearinghouse transfers --all --dir ./ch --json
    """  # noqa: D301
    found = wiring.open_clearinghouse(data_dir).overview().transfers
    rows = [transfer_view(one) for one in found if everything or one.outcome is None]
    if as_json:
        print_json({"items": rows})
    elif not table(_TRANSFERS, rows):
        say("no move is pending", err=True)


@click.command()
@click.argument("transfer_id", metavar="TRANSFER")
@click.option("--by", metavar="NAME", help="Who says so, for the ledger.  [default: who is logged on]")
@dir_option
@json_option
@click.pass_context
def cancel(ctx: click.Context, transfer_id: str, by: str | None, data_dir: Path, *, as_json: bool) -> None:
    """Give up a move that has not taken effect: the pack stays where it is.

    \b
    Example:
      calward clearinghouse cancel 0a1b… --dir ./ch
    """  # noqa: D301
    found = ctx.obj.open_clearinghouse(data_dir).cancel_transfer(transfer_id, by or getpass.getuser())
    if isinstance(found, NotAccepted):
        refuse(ctx, found, as_json=as_json)
    if as_json:
        print_json({"transfer_id": transfer_id, "outcome": "cancelled"})
    else:
        say(f"{safe(transfer_id)} is given up: both license servers hear of it with their next contact")


@click.command("confirm-key")
@click.argument("server_id", metavar="SERVER")
@click.argument("code", metavar="FINGERPRINT")
@click.option("--by", metavar="NAME", help="Who compared it, for the ledger.  [default: who is logged on]")
@dir_option
@json_option
@click.pass_obj
def confirm_key(
    wiring: OpensClearinghouse, server_id: str, code: str, by: str | None, data_dir: Path, *, as_json: bool
) -> None:
    """Confirm the new key of a known license server, after its fingerprint was read out by telephone and compared.

    \b
    Example:
      calward clearinghouse confirm-key 5f0c… 7K2M-4QZ9-… --dir ./ch
    """  # noqa: D301
    found = wiring.open_clearinghouse(data_dir).confirm_key(server_id, code, by or getpass.getuser())
    if as_json:
        print_json(key_change_view(found))
    else:
        say(f"the new key of {safe(server_id)} is confirmed: it counts from its next activation request on")
