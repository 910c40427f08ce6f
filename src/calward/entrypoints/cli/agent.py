"""The daemon on a session host: ``calward agent run`` and ``calward agent status``."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import rich_click as click

from calward.entrypoints.cli.desk import json_option
from calward.entrypoints.cli.output import facts, print_json, say
from calward.entrypoints.cli.safe_text import safe

__all__ = ["RunsAgent", "agent"]


class RunsAgent(Protocol):
    """What the commands need of the context object; ``calward.bootstrap_agent`` has it. Both raise LicensingError."""

    def run_agent(self, config: Path | None, ready: Callable[[dict[str, str]], None]) -> None:
        """Run until stopped; ``ready`` hears where it listens."""

    def agent_status(self, config: Path | None) -> dict[str, Any]:
        """Ask the running agent how it is."""


_config = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The host's settings.  [default: /etc/calward/host.toml]",
)


@click.group()
def agent() -> None:
    """Run the daemon of a session host, and see how it is.

    \b
    Examples:
      calward agent run
      calward agent status
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


@agent.command()
@_config
@click.pass_obj
def run(runs: RunsAgent, config: Path | None) -> None:
    """Answer PAM's helper and the relay until stopped; tell the license servers what is open here.

    \b
    Example:
      calward agent run --config ./host.toml
    """  # noqa: D301
    runs.run_agent(config, _told)


@agent.command()
@_config
@json_option
@click.pass_obj
def status(runs: RunsAgent, config: Path | None, *, as_json: bool) -> None:
    """Show how the running agent is.

    \b
    Example:
      calward agent status
    """  # noqa: D301
    said = runs.agent_status(config)
    if as_json:
        print_json(said)
        return
    servers = said.pop("servers", [])
    facts(said, {"agent": "agent", "mode": "licensing mode", "version": "version"})
    for one in servers:
        say(
            f"server {safe(str(one['name']))}: {safe(str(one['trouble'] or ('answers' if one['heard'] else 'not asked yet')))}"
        )


def _told(places: dict[str, str]) -> None:
    for kind, place in places.items():
        say(f"{kind}: {safe(place)}")
