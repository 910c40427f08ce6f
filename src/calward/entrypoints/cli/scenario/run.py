"""How does a change come out before it is made? ``calward scenario run`` plays scenario files, without any server."""

from collections.abc import Callable, Sequence
from pathlib import PurePath
from typing import Final, Protocol

import rich_click as click
from rich.console import Console

from calward.app.scenarios.player import play
from calward.app.scenarios.reader import read_scenario
from calward.app.scenarios.results import ScenarioReport
from calward.domain.errors import LicensingError
from calward.domain.ladder import Ladder
from calward.entrypoints.cli.common.output import print_json
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.scenario.view import document, print_report, print_sum

__all__ = ["PlaysScenarios", "scenario"]

_HELD: Final = 0
_FILE_WRONG: Final = 2
_DID_NOT_HOLD: Final = 7


class PlaysScenarios(Protocol):
    """What the commands need of the context object."""

    @property
    def load_ladder(self) -> Callable[[str], Ladder]:
        """Load a ladder by its name or the path of its file; raises LicensingError."""

    @property
    def read_scenario_file(self) -> Callable[[str], str]:
        """Read a file as text; raises LicensingError."""


@click.group()
def scenario() -> None:
    """Try what happens to an estate, in files and virtual time."""


@scenario.command()
@click.argument("files", metavar="FILE…", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: each file with its steps.")
@click.pass_context
def run(ctx: click.Context, files: Sequence[str], *, as_json: bool) -> None:
    """Play scenario files and hold every step against what is expected of it; needs no license server.

    Ends with 0 if all expectations hold, with 7 if one does not, with 2 if a file is wrong.

    \b
    Examples:
      calward scenario run examples/scenarios/article.toml
      calward scenario run before.toml after.toml --json
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    outcomes = [(file, _play(file, ctx.obj)) for file in files]
    if as_json:
        print_json(document(outcomes))
    for number, (file, outcome) in enumerate(outcomes):
        if number and not as_json:
            click.echo()
        if isinstance(outcome, LicensingError):
            click.echo(safe(f"{file}: {outcome.detail}"), err=True)
        elif not as_json:
            print_report(safe(file), outcome, Console(highlight=False))
    if not as_json:
        print_sum([outcome for _, outcome in outcomes], Console(highlight=False))
    ctx.exit(_exit_code([outcome for _, outcome in outcomes]))


def _play(file: str, context: PlaysScenarios) -> ScenarioReport | LicensingError:
    """Play one file; one that is wrong does not keep the others from being played."""

    def load_ladder(name: str) -> Ladder:
        is_path = "/" in name or name.endswith(".toml")
        return context.load_ladder(str(PurePath(file).parent / name) if is_path else name)

    try:
        return play(read_scenario(context.read_scenario_file(file), load_ladder))
    except LicensingError as error:
        return error


def _exit_code(outcomes: Sequence[ScenarioReport | LicensingError]) -> int:
    if any(isinstance(outcome, LicensingError) for outcome in outcomes):
        return _FILE_WRONG
    return _HELD if all(outcome.holds for outcome in outcomes) else _DID_NOT_HOLD  # type: ignore[union-attr]
