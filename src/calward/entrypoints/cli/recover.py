"""What does an administrator do when the ledger went back in time, or is lost? ``calward server recover`` and ``rebuild``."""

from pathlib import Path
from typing import Any, Final

import rich_click as click

from calward.entrypoints.cli.common.desk import Desk, admin_command
from calward.entrypoints.cli.common.everywhere import acts
from calward.entrypoints.cli.common.files import read_bundle, write_text
from calward.entrypoints.cli.common.output import cell, facts, print_json, say
from calward.entrypoints.cli.common.safe_text import safe

__all__ = ["rebuild", "recover"]

_NAMES: Final = {
    "cause": "cause",
    "since": "temporary licenses only since",
    "own_size": "events in the ledger then",
    "seen_size": "events that were seen",
    "seen_at": "signed at",
    "seen_by": "seen by",
    "waits_for": "packs that have yet to be signed anew",
}
_file = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
_clearinghouse = click.option(
    "--clearinghouse",
    metavar="URL",
    help="Ask this clearinghouse.  [default: where the server was activated online]",
)
_request_file = click.option(
    "--request-file",
    metavar="FILE",
    type=_file,
    help="Write the request that the clearinghouse answers with a file; - is the terminal.",
)
_answer_file = click.option(
    "--answer-file", metavar="FILE", type=_file, help="Take the clearinghouse's answer from a file."
)


@click.command()
@click.option("--accept-loss", is_flag=True, help="Give up what was issued and is not known here.")
@click.option("--nothing-lost", is_flag=True, help="Say that nothing was issued after the restored backup was made.")
@_clearinghouse
@_request_file
@_answer_file
@admin_command
@acts()
def recover(desk: Desk, /, *, accept_loss: bool, nothing_lost: bool, **way: Any) -> None:  # noqa: ANN401 - click's options
    """Explain why the ledger is in quarantine and lead out of it; without an option nothing is changed.

    \b
    Examples:
      calward server recover
      calward server recover --accept-loss
      calward server recover --accept-loss --request-file request.json
      calward server recover --accept-loss --answer-file answer.json
      calward server recover --nothing-lost
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    if accept_loss and nothing_lost:
        raise click.UsageError("--accept-loss and --nothing-lost exclude each other", desk.ctx)
    if nothing_lost:
        desk.done(desk.ask("POST", "server:confirm-ledger"), ["the ledger is confirmed: full licenses are given again"])
    elif accept_loss:
        _recover(desk, "restored", **way)
    elif any(way.values()):
        raise click.UsageError("say --accept-loss: what is not known here is given up", desk.ctx)
    else:
        _explain(desk)


@click.command()
@_clearinghouse
@_request_file
@_answer_file
@admin_command
@acts()
def rebuild(desk: Desk, /, **way: Any) -> None:  # noqa: ANN401 - click's options
    """Get all key packs back into a new, empty ledger under the server's old id; needs no papers, the clearinghouse knows them.

    \b
    Examples:
      calward server rebuild --clearinghouse https://clearinghouse.example
      calward server rebuild --request-file request.json
      calward server rebuild --answer-file answer.json
    """  # noqa: D301
    _recover(desk, "rebuild", **way)


def _recover(
    desk: Desk, reason: str, clearinghouse: str | None, request_file: Path | None, answer_file: Path | None
) -> None:
    if sum(one is not None for one in (clearinghouse, request_file, answer_file)) > 1:
        raise click.UsageError("give one of --clearinghouse, --request-file and --answer-file", desk.ctx)
    if request_file is not None:
        write_text(request_file, desk.admin.text(f"server/recover-request?reason={reason}"))
        if str(request_file) != "-":
            said = {"file": str(request_file)}
            line = f"request written to {safe(request_file)}: give it to the clearinghouse, then use --answer-file"
            print_json(said) if desk.as_json else say(line)
        return
    if answer_file is not None:
        found = desk.admin.deliver("POST", "server:take-recovery", read_bundle(answer_file).strip())
    else:
        body = {"reason": reason, "accept_loss": True, "clearinghouse": clearinghouse}
        found = desk.ask("POST", "server:recover", body=body)
    desk.done(found, _lines(found))


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [
        f"recovered: {cell(found.get('packs', 0))} key packs are this server's; licenses it does not know are void"
    ]
    if found.get("removed"):
        lines.append(f"no longer here: {cell(found['removed'])}")
    if found.get("waits_for"):
        lines.append(f"temporary licenses only until these are signed anew: {cell(found['waits_for'])}")
    return lines


def _explain(desk: Desk) -> None:
    found = desk.ask("GET", "server/quarantine")
    if desk.as_json:
        print_json(found)
        return
    if not found.get("quarantined"):
        say("the ledger is not in quarantine: nobody has seen a newer one")
        return
    for sentence in found.get("happened", ()):
        say(safe(sentence))
    facts({key: found[key] for key in _NAMES if found.get(key)}, _NAMES)
    say("\nways out:")
    for way in found.get("ways_out", ()):
        say(f"  {safe(way)}")
