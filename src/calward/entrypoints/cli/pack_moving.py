"""How do key packs come from another license server? ``calward pack move``, ``moves`` and ``cancel-move``."""

from pathlib import Path
from typing import Any, Final

import rich_click as click

from calward.domain.pack_requests import MoveReason, SourceState
from calward.entrypoints.cli.common.asking import ask, asking_options, show_results
from calward.entrypoints.cli.common.desk import Desk, admin_command
from calward.entrypoints.cli.common.everywhere import acts
from calward.entrypoints.cli.common.output import Column, Fit, cell, print_json, say, table
from calward.entrypoints.cli.common.wiring import Document

__all__ = ["cancel_move", "move", "moves"]

_COLUMNS: Final = (
    Column("move", "move"),
    Column("to or from", lambda one: f"{'from' if one.get('direction') == 'in' else 'to'} {one.get('other')}"),
    Column("packs", lambda one: one.get("packs") or "all", Fit.CUT),
    Column("state", "state", Fit.FOLDED),
    Column("since", "since"),
)
_NEXT: Final = {
    "connected": (
        "the source releases them when it hears of it: at its next contact within an hour, or by calward server contact there",
        "then they come here with this server's next contact; calward pack moves shows what is pending",
    ),
    "unreachable": (
        "they come when the source's right to issue has run out and a day more, or earlier when it releases them",
        "until then new clients get temporary licenses here; calward pack moves shows what is pending",
    ),
    "dead": (
        "they come when the source's right to issue has run out and a day more; until then new clients get temporary licenses here",
    ),
}


@click.command()
@click.option("--from", "source_id", metavar="ID", required=True, help="Server id of the license server they are on.")
@click.option("--pack", "packs", metavar="P", multiple=True, required=True, help="A key pack, or all; may be repeated.")
@click.option(
    "--source",
    type=click.Choice([one.value for one in SourceState]),
    default=SourceState.CONNECTED.value,
    show_default=True,
    help="Can it release them itself, is it out of reach, or will it never answer again?",
)
@click.option(
    "--reason",
    type=click.Choice([one.value for one in MoveReason]),
    default=MoveReason.REPLACED.value,
    show_default=True,
    help="Why they are moved.",
)
@click.option("--proof", metavar="N", help="A number of the purchase; needed where the servers are not known as one's.")
@asking_options
@admin_command
@acts()
def move(
    desk: Desk,
    /,
    source_id: str,
    packs: tuple[str, ...],
    source: str,
    reason: str,
    proof: str | None,
    request_file: Path | None,
    clearinghouse: str | None,
) -> None:
    """Move key packs from another license server to this one, with the licenses that are issued from them.

    Both sides change or neither. Clients keep their licenses and renew them here.

    \b
    Examples:
      calward pack move --from 5f0c… --pack all
      calward pack move --from 5f0c… --pack 7f3a… --request-file request.calward
      calward pack move --from 5f0c… --pack all --source dead --reason no-longer-working --proof 64210-85274-11096
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    if "all" in packs and len(packs) > 1:
        raise click.UsageError("--pack all stands alone: it is every pack of the source", desk.ctx)
    body: Document = {"kind": "move", "source": source_id, "state": source, "reason": reason}
    body |= {"packs": [] if packs == ("all",) else list(packs)} | ({"proof": proof} if proof else {})
    said = ask(desk, body, request_file, clearinghouse)
    if said is None:
        return
    arrived = any(one.get("kind") == "key-pack" for one in said.get("results", ()))
    show_results(desk, said, "the move is ordered")
    if not arrived and not desk.as_json:
        for line in _NEXT[source]:
            say(line)


@click.command()
@admin_command
def moves(desk: Desk) -> None:
    """Show moves that have not ended: what each waits for, and what leads out of it.

    \b
    Examples:
      calward pack moves
      calward pack moves --json
    """  # noqa: D301
    found = desk.ask("GET", "clearinghouse/moves")
    if desk.as_json:
        print_json(found)
    elif not table(_COLUMNS, found.get("items", [])):
        say("no move is pending", err=True)
    else:
        for one in found["items"]:
            say(f"\n{cell(one.get('move'))} waits for {cell(one.get('waits_for'))}")
            say(f"  {cell(one.get('way_out'))}")


@click.command("cancel-move")
@click.argument("number", metavar="MOVE")
@asking_options
@admin_command
@acts()
def cancel_move(desk: Desk, /, number: str, **way: Any) -> None:  # noqa: ANN401 - click's options
    """Give up a move to this server that has not taken effect; the source keeps its packs.

    \b
    Example:
      calward pack cancel-move 0a1b…
    """  # noqa: D301
    said = ask(desk, {"kind": "cancel", "move": number}, way["request_file"], way["clearinghouse"])
    if said is not None:
        show_results(desk, said, "the move is given up: its source hears of it with its next contact")
