"""Who works at the clearinghouse over HTTP, and does its ledger hold? ``calward clearinghouse operator`` and ``audit``."""

from pathlib import Path
from typing import Final

import rich_click as click

from calward.app.clearinghouse.views import audit_view
from calward.domain.operators import ROLE_MEANINGS, OperatorRole
from calward.entrypoints.cli.clearinghouse.options import dir_option, json_option
from calward.entrypoints.cli.clearinghouse.output import OpensClearinghouse
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.files import read_text
from calward.entrypoints.cli.common.output import Column, Fit, print_json, say, table
from calward.entrypoints.cli.common.safe_text import safe

__all__ = ["audit", "operator", "operators"]

_OPERATORS: Final = (Column("operator", "name"), Column("role", "role"), Column("may", "may", Fit.FOLDED))
_FINDINGS: Final = (
    Column("check", "check"),
    Column("where", "where", Fit.FOLDED),
    Column("what", "detail", Fit.FOLDED),
)


@click.command()
@click.argument("name")
@click.option(
    "--role",
    type=click.Choice([one.value for one in OperatorRole]),
    default=OperatorRole.SELLER.value,
    show_default=True,
    help="What the operator may do.",
)
@click.option("--end", is_flag=True, help="Take the operator's token back.")
@dir_option
@json_option
@click.pass_obj
def operator(wiring: OpensClearinghouse, name: str, role: str, data_dir: Path, *, end: bool, as_json: bool) -> None:
    """Name somebody who may work at the clearinghouse over HTTP, and show the token, this once; or take it back.

    \b
    Examples:
      calward clearinghouse operator shop --dir ./ch
      calward clearinghouse operator hotline --role support --dir ./ch
      calward clearinghouse operator shop --end --dir ./ch
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    desk = wiring.open_clearinghouse(data_dir)
    if end:
        desk.end_operator(name)
        print_json({"name": name, "ended": True}) if as_json else say(f"the token of {safe(name)} is worth nothing now")
        return
    token = desk.name_operator(name, OperatorRole(role))
    if as_json:
        print_json({"name": name, "role": role, "token": token})
    else:
        for line in (f"operator {safe(name)}: {role}", f"token {token}", "it is shown this once"):
            say(line)


@click.command()
@dir_option
@json_option
@click.pass_obj
def operators(wiring: OpensClearinghouse, data_dir: Path, *, as_json: bool) -> None:
    """List who may work at the clearinghouse over HTTP, and as what.

    \b
    Example:
      calward clearinghouse operators --dir ./ch
    """  # noqa: D301
    found = wiring.open_clearinghouse(data_dir).operators()
    rows = [{"name": one.name, "role": one.role.value, "may": ROLE_MEANINGS[one.role]} for one in found]
    if as_json:
        print_json({"items": rows})
    elif not table(_OPERATORS, rows):
        say("nobody yet: calward clearinghouse operator NAME", err=True)


@click.group()
def audit() -> None:
    """Verify the clearinghouse's ledger, and keep checkpoints of it elsewhere.

    \b
    Examples:
      calward clearinghouse audit checkpoint --dir ./ch
      calward clearinghouse audit verify --dir ./ch
    """  # noqa: D301


@audit.command()
@click.option(
    "--checkpoint",
    "kept",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    help="A checkpoint that was kept elsewhere and must still hold; may be repeated.",
)
@dir_option
@json_option
@click.pass_context
def verify(ctx: click.Context, kept: tuple[Path, ...], data_dir: Path, *, as_json: bool) -> None:
    """Verify that nothing was changed, removed or added beside the rules; ends with 7 where something is wrong.

    \b
    Examples:
      calward clearinghouse audit verify --dir ./ch
      calward clearinghouse audit verify --checkpoint monday.note --dir ./ch
    """  # noqa: D301
    found = audit_view(ctx.obj.open_clearinghouse(data_dir).audit([read_text(one) for one in kept]))
    if as_json:
        print_json(found)
    elif found["holds"]:
        say(f"it holds: {found['size']} events, root {found['root']}")
    else:
        table(_FINDINGS, found["findings"])
    if not found["holds"]:
        ctx.exit(Exit.FINDINGS)


@audit.command()
@dir_option
@json_option
@click.pass_obj
def checkpoint(wiring: OpensClearinghouse, data_dir: Path, *, as_json: bool) -> None:
    """Sign a checkpoint of how the ledger stands now, to be kept elsewhere.

    \b
    Example:
      calward clearinghouse audit checkpoint --dir ./ch > monday.note
    """  # noqa: D301
    note = wiring.open_clearinghouse(data_dir).checkpoint()
    print_json({"checkpoint": note}) if as_json else click.echo(note, nl=False)
