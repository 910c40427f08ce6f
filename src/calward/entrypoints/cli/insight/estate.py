"""What do we know of estates on other systems' license servers? ``calward estate``."""

from collections.abc import Callable, Sequence
from pathlib import Path
from time import monotonic
from typing import Final, Protocol

import rich_click as click

from calward.app.estates.import_estate import ImportFile
from calward.app.estates.ports import EstateStore
from calward.domain.answers import rfc3339
from calward.domain.fields import parse_moment
from calward.entrypoints.cli.common.desk import json_option
from calward.entrypoints.cli.common.output import Column, print_json, say, table
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.wiring import Where
from calward.entrypoints.cli.insight.estate_view import (
    estate_document,
    listed,
    numbers,
    problem_documents,
    show_estate,
    snapshot,
    summary,
    tell_problems,
)
from calward.entrypoints.cli.insight.estate_watch import estate_watch
from calward.entrypoints.cli.insight.estates_options import estates_option, estates_where
from calward.insight.estate import Estate
from calward.ladders import DEFAULT_LADDER

__all__ = ["DEFAULT_NAME", "WiresEstates", "estate", "estates_option", "estates_where"]

DEFAULT_NAME: Final = "imported"
"""The estate where nobody names one."""


class WiresEstates(Protocol):
    """What the commands need of the context object."""

    def estates(self, folder: Path | None) -> EstateStore:
        """The estates in a folder, None: in the usual one."""

    def import_estate(
        self,
        folder: Path | None,
        name: str,
        files: Sequence[ImportFile],
        ladder: str,
        taken_at: int | None,
        progress: Callable[[str, int], None],
    ) -> Estate:
        """Read files, keep them as a snapshot and give it; raises LicensingError."""

    def estate(self, name: str | None, where: Where, folder: Path | None) -> Estate:
        """The newest snapshot of an imported estate, or the running license server's; raises LicensingError."""


@click.group()
def estate() -> None:
    """Import what another system's license server exports, and look at it; needs no license server.

    \b
    Examples:
      calward estate import packs.csv issued.csv
      calward estate show
      calward estate history imported
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


estate.add_command(estate_watch)


@estate.command("import")
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--name", metavar="NAME", default=DEFAULT_NAME, show_default=True, help="The estate whose snapshot this is."
)
@estates_option
@click.option("--taken-at", metavar="TIME", help="When the files were made, in ISO 8601.  [default: now]")
@click.option(
    "--ladder",
    metavar="NAME|FILE",
    default=DEFAULT_LADDER,
    show_default=True,
    help="A shipped version ladder, or the path of a ladder file.",
)
@json_option
@click.pass_obj
def import_(
    wiring: WiresEstates,
    files: Sequence[str],
    name: str,
    folder: Path | None,
    taken_at: str | None,
    ladder: str,
    *,
    as_json: bool,
) -> None:
    """Read exported files (CSV, JSON, lsreport's text) as one snapshot; what could not be read is listed by file and line.

    Where a file does not name its license server, SERVER=FILE does. Each import adds to the estate's history.

    \b
    Examples:
      calward estate import packs.csv issued.csv
      calward estate import --name berlin packs.csv issued.csv hosts.csv
      calward estate import ls1=packs1.csv ls1=issued1.csv ls2=packs2.csv
    """  # noqa: D301
    at = None if taken_at is None else int(parse_moment(taken_at, "--taken-at").timestamp())
    made = wiring.import_estate(folder, name, [_file(one) for one in files], ladder, at, _Progress(silent=as_json))
    if as_json:
        print_json(
            {
                "estate": made.name,
                "taken_at": rfc3339(made.taken_at),
                **numbers(made),
                "problems": problem_documents(made),
            }
        )
        return
    say(f"{safe(made.name)}: {summary(made)}")
    tell_problems(made.problems)
    say(f"see it: calward estate show {safe(made.name)}", err=True)


class _Progress:
    """Tells once a second how far a long file is; ``silent``: scripts read standard error as well."""

    def __init__(self, *, silent: bool) -> None:
        self._silent = silent
        self._told = monotonic()

    def __call__(self, file: str, rows: int) -> None:
        if not self._silent and monotonic() - self._told >= 1:
            self._told = monotonic()
            say(f"{safe(file)}: {rows:,} rows", err=True)


def _file(text: str) -> ImportFile:
    """A file as it was named; ``SERVER=FILE`` unless a file has that whole name."""
    server, equals, path = text.partition("=")
    if equals and server and not Path(text).exists():
        return ImportFile(Path(path), server)
    return ImportFile(Path(text))


@estate.command("list")
@estates_option
@json_option
@click.pass_obj
def list_(wiring: WiresEstates, folder: Path | None, *, as_json: bool) -> None:
    """List the imported estates.

    \b
    Example:
      calward estate list
    """  # noqa: D301
    store = wiring.estates(folder)
    rows = [listed(store, name) for name in store.names()]
    if as_json:
        print_json({"items": rows, "next": None})
    elif not table([Column(one, one.replace(" ", "_")) for one in ("name", "snapshots", "newest")], rows):
        say("no estate has been imported: calward estate import FILE makes one", err=True)


@estate.command()
@click.argument("name", required=False)
@estates_where
@json_option
@click.pass_obj
def show(
    wiring: WiresEstates,
    name: str | None,
    folder: Path | None,
    server: str | None,
    token_file: Path | None,
    ca_file: Path | None,
    fingerprint: str | None,
    *,
    as_json: bool,
) -> None:
    """Show the packs of an estate, how many licenses and hosts it has, and what of its files could not be read.

    Without NAME it is the running license server's, or the only imported estate where none runs.

    \b
    Examples:
      calward estate show
      calward estate show berlin --json
    """  # noqa: D301
    found = wiring.estate(name, Where(server, token_file, ca_file, fingerprint), folder)
    if as_json:
        print_json(estate_document(found))
        return
    show_estate(found)


@estate.command()
@click.argument("name")
@estates_option
@json_option
@click.pass_obj
def history(wiring: WiresEstates, name: str, folder: Path | None, *, as_json: bool) -> None:
    """List the snapshots of an imported estate, oldest first.

    \b
    Example:
      calward estate history imported
    """  # noqa: D301
    store = wiring.estates(folder)
    rows = [snapshot(store, at, path) for at, path in store.history(name)]
    if as_json:
        print_json({"items": rows, "next": None})
    elif not table([Column(one, one) for one in ("taken_at", "packs", "issued", "hosts", "problems", "file")], rows):
        say("there is no snapshot: calward estate import FILE makes one", err=True)
