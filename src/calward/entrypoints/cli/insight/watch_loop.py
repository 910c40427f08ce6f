"""How is something watched: looked at once, or again and again until the command is told to end?"""

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final, Protocol, TypeVar

import rich_click as click

from calward.app.estates.watch import Outcome, Receiver
from calward.domain.errors import LicensingError, Problem
from calward.domain.time_spans import SPAN_FORM, seconds_of
from calward.entrypoints.cli.common.exit_codes import EXIT_OF, Exit
from calward.entrypoints.cli.common.output import say
from calward.entrypoints.cli.common.safe_text import safe
from calward.insight.estate import Estate
from calward.insight.notices import Notice

__all__ = ["Shown", "Watches", "WiresWatching", "end_with_first", "watch_options", "watching"]


_AGAIN: Final = "; it is tried again at the next look"


class Watches(Protocol):
    """Tells what has changed."""

    def look(self, estate: Estate) -> Outcome:
        """Look at one snapshot; raises LicensingError, CONFLICT where somebody else tells about the estate already."""

    def close(self) -> None:
        """Let others watch."""


_Watcher_co = TypeVar("_Watcher_co", bound=Watches, covariant=True)


class WiresWatching(Protocol[_Watcher_co]):
    """What watching needs of the context object."""

    def watcher(self, config: Path | None, folder: Path | None, metrics: Path | None, show: Receiver) -> _Watcher_co:
        """Make a watcher of these settings; raises LicensingError."""

    def signals_wait(self) -> AbstractContextManager[None]:
        """Hold signals back that would end the command in the middle of a step."""

    def pause(self, seconds: float) -> bool:
        """Wait; True where the command is to end."""


class Shown:
    """Prints notices, as text or as one JSON document each."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json

    def send(self, told: Notice) -> None:
        """Print one."""
        if self._as_json:
            say(json.dumps(told.document))  # In one line: scripts read notices as they come.
            return
        for line in told.text.splitlines():
            say(line)


def _seconds(ctx: click.Context, param: click.Parameter, value: str) -> int:
    """Seconds of ``90s``, ``15m``, ``6h`` or ``1d``."""
    seconds = seconds_of(value)
    if not seconds:
        raise click.BadParameter(f"{value!a} is not {SPAN_FORM}", ctx, param)
    return seconds


def watch_options(function: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of watching: ``config``, ``once``, ``every`` and ``metrics_file``."""
    for option in (
        click.option(
            "--metrics-file",
            metavar="PATH",
            type=click.Path(path_type=Path, dir_okay=False),
            help="Write the number of findings here at each look, for Prometheus' node exporter.",
        ),
        click.option(
            "--every",
            metavar="TIME",
            callback=_seconds,
            default="15m",
            show_default=True,
            help="Look so often: 90s, 15m, 6h.",
        ),
        click.option("--once", is_flag=True, help="Look once and end: with 7 where something was told."),
        click.option(
            "--config",
            metavar="FILE",
            type=click.Path(path_type=Path, dir_okay=False),
            help="watch.toml: who is told by mail or webhook, and thresholds.  [default: only standard output]",
        ),
    ):
        function = option(function)
    return function


def watching(ctx: click.Context, look: Callable[[], Outcome | None], *, once: bool, every: int) -> None:
    """Look once, or until a signal; a look that fails is told on standard error, and the next one tries again."""
    if once:
        outcome = look()
        if outcome is not None:
            end_with_first(ctx, outcome.failed, _AGAIN)
        ctx.exit(Exit.FINDINGS if outcome is not None and outcome.told else Exit.OK)
    wiring: WiresWatching[Watches] = ctx.obj
    with wiring.signals_wait():
        while True:
            try:
                outcome = look()
                for error in outcome.failed.values() if outcome is not None else ():
                    _complain(error)
            except LicensingError as error:
                if error.problem is Problem.CONFLICT:  # It would be so at each look.
                    raise
                _complain(error)
            if wiring.pause(every):
                return


def end_with_first(ctx: click.Context, failed: Mapping[str, LicensingError], then: str = "") -> None:
    """Say all errors, and end as the first one asks for; what usually helps against errors of its kind is about license servers."""
    for error in failed.values():
        _complain(error, then)
    for error in failed.values():
        ctx.exit(EXIT_OF[error.problem])


def _complain(error: LicensingError, then: str = _AGAIN) -> None:
    click.echo(f"error: {safe(error.detail)}{then}", err=True)  # Said also where talk is not wanted.
