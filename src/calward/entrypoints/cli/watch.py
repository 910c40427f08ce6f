"""What has changed in an estate since somebody was last told? ``calward watch``."""

from pathlib import Path
from typing import Protocol

import rich_click as click

from calward.app.estates.watch import Outcome
from calward.entrypoints.cli.desk import json_option
from calward.entrypoints.cli.estate import estates_where
from calward.entrypoints.cli.watch_loop import Shown, WiresWatching, watch_options, watching
from calward.entrypoints.cli.wiring import Where
from calward.insight.estate import Estate

__all__ = ["WiresWatches", "watch"]


class WiresWatches(WiresWatching, Protocol):
    """What the command needs of the context object."""

    def estate(self, name: str | None, where: Where, folder: Path | None) -> Estate:
        """The newest snapshot of an imported estate, or the running license server's; raises LicensingError."""


@click.command()
@click.argument("name", required=False)
@watch_options
@estates_where
@json_option
@click.pass_context
def watch(
    ctx: click.Context,
    name: str | None,
    config: Path | None,
    *,
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
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    wiring: WiresWatches = ctx.obj
    where = Where(server, token_file, ca_file, fingerprint)
    watcher = wiring.watcher(config, folder, metrics_file, Shown(as_json=as_json))

    def look() -> Outcome:
        return watcher.look(wiring.estate(name, where, folder))

    watching(ctx, look, once=once, every=every)
