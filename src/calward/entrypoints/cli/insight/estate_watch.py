"""Are there fresh exports in a folder, and what has changed in the estate they are of? ``calward estate watch``."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import rich_click as click

from calward.app.estates.ports import EstateStore
from calward.app.estates.watch import Outcome
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.cli.common.desk import json_option
from calward.entrypoints.cli.common.output import say
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.insight.estate_view import summary, tell_problems
from calward.entrypoints.cli.insight.estates_options import estates_option
from calward.entrypoints.cli.insight.watch_loop import Shown, Watches, WiresWatching, watch_options, watching
from calward.insight.estate import Estate
from calward.ladders import DEFAULT_LADDER

__all__ = ["ImportsAndWatches", "WiresFolderWatching", "estate_watch"]


class ImportsAndWatches(Watches, Protocol):
    """Imports fresh exports, and tells what has changed."""

    def import_fresh(self, source: Path, name: str, ladder: str) -> Estate | None:
        """Import fresh exports of a folder as a snapshot, None where there are none; raises LicensingError."""


class WiresFolderWatching(WiresWatching[ImportsAndWatches], Protocol):
    """What the command needs of the context object."""

    def estates(self, folder: Path | None) -> EstateStore:
        """The estates in a folder, None: in the usual one."""


@click.command("watch")
@click.argument("source", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", required=True, help="The estate whose exports these are.")
@watch_options
@estates_option
@click.option(
    "--ladder",
    metavar="NAME|FILE",
    default=DEFAULT_LADDER,
    show_default=True,
    help="A shipped version ladder, or the path of a ladder file.",
)
@json_option
@click.pass_context
def estate_watch(
    ctx: click.Context,
    source: Path,
    name: str,
    config: Path | None,
    *,
    once: bool,
    every: int,
    metrics_file: Path | None,
    folder: Path | None,
    ladder: str,
    as_json: bool,
) -> None:
    """Import fresh exports that appear in a folder, and tell what a diagnosis then finds new, worse or gone.

    Files that have not changed from one look to the next are imported together, as one snapshot. Ends by SIGTERM.

    \b
    Examples:
      calward estate watch exports --name berlin --every 5m --config watch.toml
      calward estate watch exports --name berlin --once
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    wiring: WiresFolderWatching = ctx.obj
    watcher = wiring.watcher(config, folder, metrics_file, Shown(as_json=as_json))
    ctx.call_on_close(watcher.close)

    def import_fresh() -> None:
        made = watcher.import_fresh(source, name, ladder)
        if made is not None:
            say(f"{safe(made.name)}: {summary(made)}", err=True)
            tell_problems(made.problems)

    def look() -> Outcome | None:
        return _look(import_fresh, wiring.estates(folder), name, watcher)

    watching(ctx, look, once=once, every=every)


def _look(import_fresh: Callable[[], None], store: EstateStore, name: str, watcher: Watches) -> Outcome | None:
    """Import and tell; exports that cannot be read keep nothing from being told that the last ones say."""
    refused: LicensingError | None = None
    try:
        import_fresh()
    except LicensingError as error:
        if error.problem is Problem.CONFLICT:  # Somebody else does all of it.
            raise
        refused = error
    if name not in store.names():
        if refused is not None:
            raise refused
        say(f"{safe(name)}: there is no whole export yet", err=True)
        return None
    outcome = watcher.look(store.newest(name))
    return outcome if refused is None else replace(outcome, failed={"import": refused, **outcome.failed})
