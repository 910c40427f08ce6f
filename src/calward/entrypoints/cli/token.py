"""Who may administer? ``calward token``."""

from pathlib import Path
from typing import Final

import rich_click as click

from calward.domain.roles import Role
from calward.entrypoints.cli.common.desk import Desk, admin_command, limit_options, to
from calward.entrypoints.cli.common.everywhere import acts
from calward.entrypoints.cli.common.output import Column, Fit, cell
from calward.entrypoints.cli.common.safe_text import safe

__all__ = ["token"]

_MAX_DAYS: Final = 3650
_COLUMNS: Final[tuple[Column, ...]] = (
    Column("token", "id"),
    Column("name", "name", Fit.FOLDED),
    Column("role", "role"),
    Column("made", "made_at", Fit.LEFT_OUT),
    Column("expires", "expires_at"),
)
_NONE: Final = "there is no token: calward token make NAME --role ROLE"


@click.group()
def token() -> None:
    """Make and end administrators' tokens.

    \b
    Examples:
      calward token make backup --role auditor --days 365
      calward token list
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


@token.command("list")
@limit_options
@admin_command
def list_(desk: Desk, limit: int, after: str | None) -> None:
    """List tokens: names, roles and ends, never the tokens themselves.

    \b
    Example:
      calward token list
    """  # noqa: D301
    desk.show_items(desk.items("tokens", {}, limit, after), _COLUMNS, _NONE)


@token.command()
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([one.value for one in Role]), help="What it allows.")
@click.option("--days", default=90, show_default=True, type=click.IntRange(1, _MAX_DAYS), help="How long it is valid.")
@click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the token to this new file, readable by its owner only, instead of showing it.",
)
@admin_command
@acts()
def make(desk: Desk, name: str, role: str, days: int, output: Path | None) -> None:
    """Make a token and show it, this once.

    \b
    Examples:
      calward token make alice --role license-administrator -o ~/.calward-token
      calward token make dashboard --role viewer --days 365 --json
    """  # noqa: D301
    if output is not None:
        desk.wiring.check_free(output)
    said = desk.ask("POST", "tokens", body={"name": name, "role": role, "days": days})
    secret = said.get("token")
    if output is not None and secret is not None:
        desk.wiring.write_secret(output, secret)
        said = {**said, "token": None, "token_file": str(output)}
        desk.done(said, [f"made {safe(name)}, {role}; the token is in {safe(output)}"])
        return
    desk.done(said, [f"made {safe(name)}, {role}; the token is shown this once:", cell(secret)])


@token.command()
@click.argument("token_id", metavar="TOKEN")
@admin_command
@acts("whoever uses it is shut out at once")
def end(desk: Desk, token_id: str) -> None:
    """End a token at once; TOKEN is its id from the list.

    \b
    Example:
      calward token end T3
    """  # noqa: D301
    desk.done(desk.ask("DELETE", to("tokens", token_id)), [f"ended {safe(token_id)}"])
