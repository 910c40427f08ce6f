"""Who buys CALs, and what was bought? ``calward clearinghouse organization`` and ``purchase``."""

from datetime import datetime
from pathlib import Path
from typing import Final

import rich_click as click

from calward.app.clearinghouse.add_organization import AddOrganization
from calward.app.clearinghouse.add_purchase import MAX_QUANTITY, AddPurchase
from calward.app.clearinghouse.views import organization_view, purchase_view
from calward.domain.cals import CalType
from calward.domain.statements import NO_END, Program
from calward.entrypoints.cli.clearinghouse.options import Moment, dir_option, json_option
from calward.entrypoints.cli.clearinghouse.output import OpensClearinghouse
from calward.entrypoints.cli.common.output import Column, Fit, print_json, say, table
from calward.ladders import DEFAULT_LADDER

__all__ = ["organization", "purchase"]

_ORGANIZATIONS: Final = (
    Column("organization", "organization_id"),
    Column("name", "name", Fit.FOLDED),
    Column("contact", "contact", Fit.FOLDED),
    Column("since", "added_at"),
)
_PURCHASES: Final = (
    Column("program", "program"),
    Column("numbers", "numbers", Fit.FOLDED),
    Column("CAL", lambda one: f"{one['version']}/{one['cal_type']}"),
    Column("bought", "quantity"),
    Column("left", "left"),
    Column("organization", "organization_name", Fit.FOLDED),
    Column("until", "expires_at", Fit.LEFT_OUT),
)


@click.group()
def organization() -> None:
    """Add and list the organizations that buy CALs.

    \b
    Examples:
      calward clearinghouse organization add "Example Ltd" --contact licenses@example.com --dir ./ch
      calward clearinghouse organization list --dir ./ch
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


@organization.command("add")
@click.argument("name")
@click.option("--contact", default="", help="Whom to call there.")
@dir_option
@json_option
@click.pass_obj
def add_organization(wiring: OpensClearinghouse, name: str, contact: str, data_dir: Path, *, as_json: bool) -> None:
    """Add an organization that buys CALs.

    \b
    Example:
      calward clearinghouse organization add "Example Ltd" --contact licenses@example.com --dir ./ch
    """  # noqa: D301
    added = wiring.open_clearinghouse(data_dir).add_organization(AddOrganization(name, contact))
    if as_json:
        print_json(organization_view(added))
    else:
        say(f"organization {added.name} is {added.organization_id}")


@organization.command("list")
@dir_option
@json_option
@click.pass_obj
def list_organizations(wiring: OpensClearinghouse, data_dir: Path, *, as_json: bool) -> None:
    """List the organizations.

    \b
    Example:
      calward clearinghouse organization list --dir ./ch
    """  # noqa: D301
    rows = [organization_view(one) for one in wiring.open_clearinghouse(data_dir).overview().organizations]
    if as_json:
        print_json({"items": rows})
    elif not table(_ORGANIZATIONS, rows):
        say("there is no organization yet: calward clearinghouse organization add NAME", err=True)


@click.group()
def purchase() -> None:
    """Add and list purchases: the numbers under which CALs are claimed.

    \b
    Examples:
      calward clearinghouse purchase add --program retail --version 2022 --type per-user --quantity 5 --dir ./ch
      calward clearinghouse purchase list --dir ./ch
    """  # noqa: D301


@purchase.command("add")
@click.option(
    "--program", required=True, type=click.Choice([one.value for one in Program]), help="How the CALs are sold."
)
@click.option("--version", required=True, help="The version of the CALs, as 2008R2.")
@click.option(
    "--type", "cal_type", required=True, type=click.Choice([one.value for one in CalType]), help="Their type."
)
@click.option("--quantity", required=True, type=click.IntRange(1, MAX_QUANTITY), help="How many CALs.")
@click.option(
    "--organization", "organization_name", metavar="NAME", help="Who bought them; a retail code needs nobody."
)
@click.option("--expires", metavar="DATE", type=Moment(), default=NO_END, help="Last day; a subscription needs one.")
@click.option("--convertible", is_flag=True, help="The agreement allows to convert between per device and per user.")
@click.option("--ladder", metavar="NAME", default=DEFAULT_LADDER, show_default=True, help="The version ladder.")
@click.option("--order", help="The number of the sale: the same order is the same purchase, never a second one.")
@dir_option
@json_option
@click.pass_obj
def add_purchase(
    wiring: OpensClearinghouse,
    /,
    *,
    program: str,
    version: str,
    cal_type: str,
    quantity: int,
    organization_name: str | None,
    expires: datetime,
    convertible: bool,
    ladder: str,
    order: str | None,
    data_dir: Path,
    as_json: bool,
) -> None:
    """Add a purchase and make its numbers: who knows the last one may claim the CALs.

    \b
    Examples:
      calward clearinghouse purchase add --program retail --version 2022 --type per-user --quantity 5 --dir ./ch
      calward clearinghouse purchase add --program open --version 2022 --type per-device --quantity 100 --order A-1 --dir ./ch
    """  # noqa: D301
    command = AddPurchase(
        Program(program),
        ladder,
        version,
        CalType(cal_type),
        quantity,
        organization_name,
        expires,
        convertible,
        order,
    )
    added = wiring.open_clearinghouse(data_dir).add_purchase(command)
    if as_json:
        print_json(purchase_view(added))
        return
    say(f"{added.quantity} CALs {added.version}/{added.cal_type} can be claimed by")
    say(f"  calward pack install --program {added.program} {' '.join(added.numbers)}")


@purchase.command("list")
@dir_option
@json_option
@click.pass_obj
def list_purchases(wiring: OpensClearinghouse, data_dir: Path, *, as_json: bool) -> None:
    """List purchases with what is left of each to claim.

    \b
    Example:
      calward clearinghouse purchase list --dir ./ch
    """  # noqa: D301
    found = wiring.open_clearinghouse(data_dir).overview()
    names = {one.organization_id: one.name for one in found.organizations}
    rows = [purchase_view(one, claimed, names.get(one.organization or "")) for one, claimed in found.purchases]
    if as_json:
        print_json({"items": rows})
    elif not table(_PURCHASES, rows):
        say("nothing was bought yet: calward clearinghouse purchase add", err=True)
