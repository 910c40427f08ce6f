"""May this user log on, as PAM asks on a session host: ``calward pam account`` and ``calward pam session``."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import rich_click as click

__all__ = ["RunsPam", "pam"]


class RunsPam(Protocol):
    """What the commands need of the context object; ``calward.bootstrap.pam`` has it."""

    def run_pam(self, stack: str, config: Path | None, environment: Mapping[str, str]) -> int:
        """Answer one question of PAM with an exit code; None is /etc/calward/host.toml."""


_config = click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The host's settings.  [default: /etc/calward/host.toml]",
)


@click.group()
def pam() -> None:
    """Ask for a user's license at logon; started by pam_exec on a session host.

    \b
    What to write into a PAM service, say /etc/pam.d/xrdp-sesman:
      account required pam_exec.so quiet stdout /usr/bin/calward pam account
      session optional pam_exec.so quiet stdout /usr/bin/calward pam session
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart


@pam.command()
@_config
@click.option("--user", metavar="NAME", help="Ask as this user's logon would, to try it out; a license may be issued.")
@click.pass_context
def account(context: click.Context, config: Path | None, user: str | None) -> None:
    """Let the user of PAM_USER in (exit 0) or not (exit 1, with the reason on standard output).

    \b
    Examples:
      calward pam account --user alice
      calward pam account --user alice --config ./host.toml
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    environment = dict(os.environ) if user is None else {**os.environ, "PAM_USER": user, "PAM_TYPE": "account"}
    _finish(context, "account", config, environment)


@pam.command()
@_config
@click.pass_context
def session(context: click.Context, config: Path | None) -> None:
    """Note that a session opened or closed, as PAM_TYPE says; always exit 0.

    \b
    Example:
      PAM_TYPE=open_session PAM_USER=alice PAM_TTY=:10 calward pam session
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    _finish(context, "session", config, os.environ)


def _finish(context: click.Context, stack: str, config: Path | None, environment: Mapping[str, str]) -> None:
    runs: RunsPam = context.obj
    context.exit(runs.run_pam(stack, config, environment))
