"""The daemon on a session host: ``calward agent run``, ``status``, ``install-pam``; ``doctor`` is in ``agent_doctor``."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import rich_click as click

from calward.entrypoints.cli.common.desk import json_option
from calward.entrypoints.cli.common.output import facts, print_json, say
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.sessionhost.agent_doctor import doctor

__all__ = ["RunsAgent", "agent"]


class RunsAgent(Protocol):
    """What the commands need of the context object; ``calward.bootstrap.agent`` has it. Both raise LicensingError."""

    def run_agent(self, config: Path | None, ready: Callable[[dict[str, str]], None]) -> None:
        """Run until stopped; ``ready`` hears where it listens."""

    def agent_status(self, config: Path | None) -> dict[str, Any]:
        """Ask the running agent how it is."""

    def plan_pam(self, folder: Path, service: str, config: Path | None, *, undo: bool) -> "PlannedChange":
        """Say what would be changed in the file of a PAM service."""


class PlannedChange(Protocol):
    """A change that waits for its word."""

    @property
    def diff(self) -> str:
        """A unified diff, empty where there is nothing to change."""

    def apply(self) -> None:
        """Do it."""


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
      calward agent doctor
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


agent.add_command(doctor)


@agent.command()
@_config
@json_option
@click.pass_obj
def run(runs: RunsAgent, config: Path | None, *, as_json: bool) -> None:
    """Answer PAM's helper and the relay until stopped; tell the license servers what is open here.

    \b
    Example:
      calward agent run --config ./host.toml
    """  # noqa: D301
    runs.run_agent(config, _told_as_json if as_json else _told)


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


@agent.command("install-pam")
@_config
@click.option("--service", default="xrdp-sesman", show_default=True, metavar="NAME", help="The PAM service.")
@click.option("--undo", is_flag=True, help="Take the lines out again.")
@click.option("--dry-run", is_flag=True, help="Only show what would be changed.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option(
    "--pam-folder",
    default=Path("/etc/pam.d"),
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the services' files are.",
)
@json_option
@click.pass_obj
def install_pam(
    runs: RunsAgent,
    config: Path | None,
    service: str,
    pam_folder: Path,
    *,
    undo: bool,
    dry_run: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Let a PAM service ask for licenses: show the change, and make it once confirmed. Keep a root shell open meanwhile.

    \b
    Examples:
      calward agent install-pam --dry-run
      calward agent install-pam --service sshd
      calward agent install-pam --undo --yes
    """  # noqa: D301
    change = runs.plan_pam(pam_folder, service, config, undo=undo)
    if not as_json:
        for line in change.diff.splitlines() or ["nothing to change"]:
            say(safe(line))
    wanted = bool(change.diff) and not dry_run
    if wanted and not yes:
        click.confirm("change it", abort=True, err=True)
    if wanted:
        change.apply()
    if as_json:
        print_json({"diff": change.diff, "changed": wanted})
    elif wanted:
        say("done")


def _told(places: dict[str, str]) -> None:
    for kind, place in places.items():
        say(f"{kind}: {safe(place)}")


def _told_as_json(places: dict[str, str]) -> None:
    say(json.dumps(places))  # One line: whoever has started us waits for it.
