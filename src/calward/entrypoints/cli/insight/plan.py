"""What comes of a change before it is made, and which CALs does an estate need? ``calward plan``."""

from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any, Final, Protocol

import rich_click as click

from calward.app.plans.edit_tables import HOLDERS_MAX
from calward.app.plans.prices import NO_PRICES, PriceList, read_price_tables
from calward.app.plans.reader import PlanFile, parse_table, read_plan
from calward.app.scenarios.known import Known
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.domain.ladder import Ladder
from calward.entrypoints.cli.common.desk import json_option
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.output import print_json
from calward.entrypoints.cli.common.wiring import Where
from calward.entrypoints.cli.insight.compare_view import compared, print_compared
from calward.entrypoints.cli.insight.estate import estates_where
from calward.entrypoints.cli.insight.plan_view import Shown, document, print_needs, print_plan
from calward.insight.estate import Estate
from calward.insight.planner import plan as work_out
from calward.insight.planner.compare import compare as compare_types

__all__ = ["WiresPlans", "plan"]

_HOLDERS: Final = click.IntRange(0, HOLDERS_MAX)


class WiresPlans(Protocol):
    """What the commands need of the context object."""

    def estate(self, name: str | None, where: Where, folder: Path | None) -> Estate:
        """The newest snapshot of an imported estate, or the running license server's; raises LicensingError."""

    @property
    def load_ladder(self) -> Callable[[str], Ladder]:
        """Load a ladder by its name or the path of its file; raises LicensingError."""

    @property
    def read_scenario_file(self) -> Callable[[str], str]:
        """Read a file as text; raises LicensingError."""


@click.group()
def plan() -> None:
    """See what comes of a change before it is made; changes nothing.

    \b
    Examples:
      calward plan needs
      calward plan compare --users 95 --prices prices.toml
      calward plan run upgrade.toml
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


@plan.command()
@click.argument("file", metavar="FILE")
@estates_where
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    file: str,
    folder: Path | None,
    server: str | None,
    token_file: Path | None,
    ca_file: Path | None,
    fingerprint: str | None,
    *,
    as_json: bool,
) -> None:
    """Play a plan file: who goes without a CAL on which day, whom newer packs serve, and what is cheapest to buy.

    Ends with 7 if anybody goes without. A plan may begin from an imported estate, the license server's ledger, or nothing but itself.

    \b
    Examples:
      calward plan run examples/plans/upgrade.toml
      calward plan run upgrade.toml --json
    """  # noqa: D301
    where = Where(server, token_file, ca_file, fingerprint)
    wiring: WiresPlans = ctx.obj
    found = _read(file, wiring, lambda name: wiring.estate(name, where, folder))
    with _about(file):
        result = work_out(found.estate, found.edits, found.prices.offers, found.until, given=found.given)
    shown = Shown(found.title, found.estate, found.prices, result, found.alone)
    if as_json:
        print_json(document(shown))
    else:
        print_plan(shown)
    ctx.exit(Exit.OK if result.holds else Exit.FINDINGS)


@plan.command()
@click.argument("name", required=False)
@click.option("--prices", metavar="FILE", help="A file of [[price]] tables: the purchase list is then the cheapest.")
@estates_where
@json_option
@click.pass_context
def needs(
    ctx: click.Context,
    name: str | None,
    prices: str | None,
    folder: Path | None,
    server: str | None,
    token_file: Path | None,
    ca_file: Path | None,
    fingerprint: str | None,
    *,
    as_json: bool,
) -> None:
    """Say which CALs an estate needs as it is today, which it has, and what is missing.

    Without NAME it is the running license server's, or the only imported estate where none runs. Ends with 7 if CALs are missing.

    \b
    Examples:
      calward plan needs
      calward plan needs berlin --prices prices.toml
    """  # noqa: D301
    wiring: WiresPlans = ctx.obj
    estate = wiring.estate(name, Where(server, token_file, ca_file, fingerprint), folder)
    listed = _prices(prices, wiring, estate.ladder) if prices else NO_PRICES
    result = work_out(estate, prices=listed.offers, until=estate.taken_at)
    shown = Shown(f"CALs that {estate.name} needs", estate, listed, result)
    if as_json:
        print_json(document(shown))
    else:
        print_needs(shown)
    ctx.exit(Exit.OK if result.holds else Exit.FINDINGS)


@plan.command()
@click.argument("name", required=False)
@click.option("--prices", metavar="FILE", help="A file of [[price]] tables, of both types.")
@click.option("--users", type=_HOLDERS, help="Users in place of the devices of today.  [default: as many]")
@click.option("--devices", type=_HOLDERS, help="Devices in place of the users of today.  [default: as many]")
@estates_where
@json_option
@click.pass_context
def compare(
    ctx: click.Context,
    /,
    name: str | None,
    prices: str | None,
    users: int | None,
    devices: int | None,
    folder: Path | None,
    *,
    as_json: bool,
    **where: Any,  # noqa: ANN401 - click's, of the types that Where names
) -> None:
    """Say what it takes to license an estate per device, per user, or as it is, and which of them is cheapest.

    Without NAME it is the running license server's, or the only imported estate where none runs.

    \b
    Examples:
      calward plan compare --users 95 --prices prices.toml
      calward plan compare berlin --users 95 --devices 60 --prices prices.toml --json
    """  # noqa: D301
    wiring: WiresPlans = ctx.obj
    estate = wiring.estate(name, Where(**where), folder)
    listed = _prices(prices, wiring, estate.ladder) if prices else NO_PRICES
    found = compare_types(estate, listed.offers, {CalType.PER_USER: users, CalType.PER_DEVICE: devices})
    shown = Shown(f"Per device or per user: {estate.name}", estate, listed, found.ways[0].result)
    if as_json:
        print_json(compared(found, shown))
    else:
        print_compared(found, shown)


def _read(file: str, wiring: WiresPlans, load_estate: Callable[[str | None], Estate]) -> PlanFile:
    """Read a plan file; a ladder's path is seen from it."""

    def load_ladder(name: str) -> Ladder:
        is_path = "/" in name or name.endswith(".toml")
        return wiring.load_ladder(str(PurePath(file).parent / name) if is_path else name)

    with _about(file):
        return read_plan(wiring.read_scenario_file(file), load_ladder, load_estate)


def _prices(file: str, wiring: WiresPlans, ladder: Ladder) -> PriceList:
    with _about(file):
        top = parse_table(wiring.read_scenario_file(file), "a file of prices")
        found = read_price_tables(top, Known(ladder))
        top.end()
        return found


class _about:  # noqa: N801 - reads as a word
    """Put the file's name before what is wrong in it."""

    def __init__(self, file: str) -> None:
        self.file = file

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: object, _trace: object) -> None:
        if isinstance(error, LicensingError) and error.detail.startswith("line "):
            raise LicensingError(error.problem, f"{self.file}, {error.detail}", field=error.field) from error
