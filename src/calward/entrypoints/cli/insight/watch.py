"""What has changed in an estate since somebody was last told? ``calward watch``."""

from pathlib import Path
from typing import Protocol

import rich_click as click

from calward.app.estates.watch import Outcome
from calward.entrypoints.cli.common.desk import json_option
from calward.entrypoints.cli.common.output import print_json, say
from calward.entrypoints.cli.common.wiring import Where
from calward.entrypoints.cli.insight.estate import estates_where
from calward.entrypoints.cli.insight.watch_loop import (
    Shown,
    Watches,
    WiresWatching,
    end_with_first,
    watch_options,
    watching,
)
from calward.insight.estate import Estate

__all__ = ["WiresWatches", "watch"]


class WiresWatches(WiresWatching[Watches], Protocol):
    """What the command needs of the context object."""

    def estate(self, name: str | None, where: Where, folder: Path | None) -> Estate:
        """The newest snapshot of an imported estate, or the running license server's; raises LicensingError."""

    def try_receivers(self, config: Path) -> Outcome:
        """Send a test notice to all whom a watch.toml names; raises LicensingError."""


@click.command()
@click.argument("name", required=False)
@watch_options
@click.option("--test", is_flag=True, help="Send a test notice to all whom the file of --config names, and end.")
@estates_where
@json_option
@click.pass_context
def watch(
    ctx: click.Context,
    name: str | None,
    config: Path | None,
    *,
    test: bool,
    once: bool,
    every: int,
    metrics_file: Path | None,
    folder: Path | None,
    server: str | None,
    token_file: Path | None,
    ca_file: Path | None,
    fingerprint: str | None,
    as_json: bool,
) -> None:
    """Tell what a diagnosis finds new, worse or gone, once per change: on standard output, by mail and by webhook.

    Without NAME it is the running license server's estate, or the only imported one where none runs. Ends by SIGTERM.

    \b
    Examples:
      calward watch --every 15m --config watch.toml
      calward watch berlin --once --json
      calward watch --test --config watch.toml
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    wiring: WiresWatches = ctx.obj
    if test:
        _try(ctx, config, as_json=as_json)
        return
    where = Where(server, token_file, ca_file, fingerprint)
    watcher = wiring.watcher(config, folder, metrics_file, Shown(as_json=as_json))
    ctx.call_on_close(watcher.close)

    def look() -> Outcome:
        return watcher.look(wiring.estate(name, where, folder))

    watching(ctx, look, once=once, every=every)


def _try(ctx: click.Context, config: Path | None, *, as_json: bool) -> None:
    """Say of each receiver whether it took a test notice; ends with the first one's error."""
    if config is None:
        raise click.UsageError("--test goes with --config, whose file says who is told", ctx)
    wiring: WiresWatches = ctx.obj
    outcome = wiring.try_receivers(config)
    if as_json:
        items = [{"receiver": one, "took_it": True, "error": None} for one in outcome.told]
        failed = [{"receiver": one, "took_it": False, "error": error.detail} for one, error in outcome.failed.items()]
        print_json({"items": items + failed})
    else:
        for one in outcome.told:
            say(f"{one}: took the test notice")
    end_with_first(ctx, outcome.failed)
