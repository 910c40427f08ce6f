"""How does a license server stay in touch with its clearinghouse? ``calward server activate``, ``contact``, ``take``, ``deactivate``."""

from pathlib import Path

import rich_click as click

from calward.domain.statements import ActivationReason
from calward.entrypoints.cli.common.asking import ask, asking_options, show_results
from calward.entrypoints.cli.common.desk import Desk, admin_command
from calward.entrypoints.cli.common.everywhere import acts
from calward.entrypoints.cli.common.files import read_bundle
from calward.entrypoints.cli.common.output import cell, print_json, say
from calward.entrypoints.cli.common.wiring import Document

__all__ = ["activate", "contact", "deactivate", "take"]

_file = click.Path(path_type=Path, dir_okay=False, allow_dash=True)
_REASONS = [one.value for one in ActivationReason if one is not ActivationReason.RENEWAL]


@click.command()
@click.option("--clearinghouse", metavar="URL", help="Ask this clearinghouse, now and whenever the right is renewed.")
@click.option(
    "--request-file",
    "--request",
    "request_file",
    metavar="OUT",
    type=_file,
    help="Write the request that the clearinghouse answers with a file; - is the terminal.",
)
@click.option(
    "--answer", "answer_file", metavar="FILE", type=_file, help="Take the clearinghouse's answer from a file."
)
@click.option(
    "--reason",
    type=click.Choice(_REASONS),
    default=ActivationReason.FIRST.value,
    show_default=True,
    help="Why it is activated once more; a new key of a known server is confirmed by telephone first.",
)
@admin_command
@acts()
def activate(
    desk: Desk, /, clearinghouse: str | None, request_file: Path | None, answer_file: Path | None, reason: str
) -> None:
    """Activate the license server, so that it may issue CALs: over the network, or by two files.

    \b
    Examples:
      calward server activate --clearinghouse https://clearinghouse.example
      calward server activate --request-file request.calward
      calward server take answer.calward
      calward server activate --clearinghouse https://clearinghouse.example --reason key-lost
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    if sum(one is not None for one in (clearinghouse, request_file, answer_file)) != 1:
        raise click.UsageError("give one of --clearinghouse, --request-file and --answer", desk.ctx)
    if answer_file is not None:
        _take_activation(desk, answer_file)
        return
    said = ask(desk, {"kind": "activate", "reason": reason}, request_file, clearinghouse)
    if said is None:
        return
    if said.get("outcome") == "activated":
        _activated(desk, said)
    else:
        show_results(desk, said)


def _take_activation(desk: Desk, file: Path) -> None:
    content = read_bundle(file).strip()
    if b"\n" in content:
        show_results(desk, desk.admin.deliver("POST", "clearinghouse:take", content + b"\n"))
        return
    _activated(desk, desk.admin.deliver("POST", "server:activate", content))


def _activated(desk: Desk, said: Document) -> None:
    desk.done(said, [f"activated: may issue until {cell(said.get('issue_until', 'its activation says otherwise'))}"])


@click.command()
@asking_options
@admin_command
@acts()
def contact(desk: Desk, /, request_file: Path | None, clearinghouse: str | None) -> None:
    """Say to the clearinghouse what is held here, take what waits there, and renew the right to issue. Happens hourly by itself.

    \b
    Examples:
      calward server contact
      calward server contact --request-file request.calward
    """  # noqa: D301
    said = ask(desk, {"kind": "contact"}, request_file, clearinghouse)
    if said is not None:
        show_results(desk, said)


@click.command()
@click.argument("file", type=_file)
@admin_command
def take(desk: Desk, file: Path) -> None:
    """Take what came from the clearinghouse as a file: an activation, key packs, orders, whatever stands in it.

    \b
    Examples:
      calward server take answer.calward
      calward qr read photo1.jpg photo2.jpg | calward server take -
    """  # noqa: D301
    show_results(desk, desk.admin.deliver("POST", "clearinghouse:take", read_bundle(file)))


@click.command()
@asking_options
@admin_command
@acts("no full license is issued until it is activated again")
def deactivate(desk: Desk, /, request_file: Path | None, clearinghouse: str | None) -> None:
    """Give up the right to issue, and tell the clearinghouse: temporary licenses only from now on; what runs stays.

    \b
    Examples:
      calward server deactivate
      calward server deactivate --request-file request.calward
    """  # noqa: D301
    said = ask(desk, {"kind": "deactivate"}, request_file, clearinghouse)
    line = "deactivated: temporary licenses only, running licenses stay, none is renewed"
    if said is None:
        if not desk.as_json:
            say(line, err=True)
        return
    if desk.as_json:
        print_json(said)
        return
    say(line)
    if said.get("told") is False:
        say("the clearinghouse was not told: calward server deactivate --request-file FILE makes the word for it")
