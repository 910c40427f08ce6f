"""What is set centrally for groups of session hosts? ``calward host policy``."""

from typing import Final

import rich_click as click

from calward.domain.cals import CalType
from calward.entrypoints.cli.common.desk import Desk, admin_command, limit_options, to
from calward.entrypoints.cli.common.everywhere import acts
from calward.entrypoints.cli.common.output import Column, Fit
from calward.entrypoints.cli.common.safe_text import safe

__all__ = ["policy"]

_COLUMNS: Final[tuple[Column, ...]] = (
    Column("group", "group", Fit.FOLDED),
    Column("mode", "mode"),
    Column("license servers", "servers", Fit.FOLDED),
)
_NONE: Final = "no policy: every host's own setting is in force"


@click.group()
def policy() -> None:
    """Set licensing mode and license servers for groups of hosts; a policy wins over a host's own setting.

    \b
    Examples:
      calward host policy set farm1 --mode per-device
      calward host policy list
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


@policy.command("list")
@limit_options
@admin_command
def list_(desk: Desk, limit: int, after: str | None) -> None:
    """List the policies.

    \b
    Example:
      calward host policy list
    """  # noqa: D301
    desk.show_items(desk.items("policies", {}, limit, after), _COLUMNS, _NONE)


@policy.command("set")
@click.argument("group")
@click.option("--mode", type=click.Choice([one.value for one in CalType]), help="The licensing mode of its hosts.")
@click.option(
    "--license-server", "servers", metavar="URL", multiple=True, help="In the order in which hosts ask; repeatable."
)
@admin_command
@acts()
def set_(desk: Desk, group: str, mode: str | None, servers: tuple[str, ...]) -> None:
    """Set the policy of a group; what is not named is left to each host.

    \b
    Examples:
      calward host policy set farm1 --mode per-user
      calward host policy set farm1 --license-server https://ls1.example --license-server https://ls2.example
    """  # noqa: D301
    body = {"servers": list(servers)} | ({"mode": mode} if mode else {})
    desk.done(desk.ask("PUT", to("policies", group), body=body), [f"set the policy of {safe(group)}"])


@policy.command()
@click.argument("group")
@admin_command
@acts()
def remove(desk: Desk, group: str) -> None:
    """Remove the policy of a group: its hosts' own settings are in force again.

    \b
    Example:
      calward host policy remove farm1
    """  # noqa: D301
    desk.done(desk.ask("DELETE", to("policies", group)), [f"removed the policy of {safe(group)}"])
