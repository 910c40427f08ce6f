"""What is wrong with this session host: ``calward agent doctor``."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import rich_click as click

from calward.app.sessionhost.diagnosis import CHECKS, Diagnosis, Result, Severity
from calward.entrypoints.cli.common.desk import json_option
from calward.entrypoints.cli.common.exit_codes import Exit
from calward.entrypoints.cli.common.output import print_json, say
from calward.entrypoints.cli.insight.findings_view import list_lines, marks, sum_line, told_lines

__all__ = ["DiagnosesHosts", "doctor"]

_IDS: Final = [check.id for check in CHECKS]


class DiagnosesHosts(Protocol):
    """What the command needs of the context object."""

    def diagnose_host(self, config: Path | None, pam_folder: Path) -> Diagnosis:
        """Look at everything that licensing needs of this host, within about ten seconds."""


@click.command()
@click.option(
    "--config",
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The host's settings.  [default: /etc/calward/host.toml]",
)
@click.option(
    "--ignore",
    "ignored",
    multiple=True,
    metavar="ID",
    type=click.Choice(_IDS),
    help="Leave a check out whose finding is known and accepted; may be repeated.",
)
@click.option(
    "--pam-folder",
    default=Path("/etc/pam.d"),
    show_default=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the files of the PAM services are.",
)
@json_option
@click.pass_context
def doctor(
    ctx: click.Context, config: Path | None, pam_folder: Path, *, ignored: tuple[str, ...], as_json: bool
) -> None:
    """Say what is wrong with licensing on this host, why, and what helps; ends with 7 where it finds something.

    Looks at settings, license servers, agent, PAM, relay and memory; changes nothing. Run it as the user of the agent, usually root.

    \b
    Examples:
      calward agent doctor
      calward agent doctor --ignore single-server --json
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
    diagnoses: DiagnosesHosts = ctx.obj
    found = diagnoses.diagnose_host(config, pam_folder).without(frozenset(ignored))
    if as_json:
        print_json(found.document())
    else:
        for line in _lines(found, marks()):
            say(line)
    ctx.exit(Exit.FINDINGS if found.findings else Exit.OK)


def _lines(found: Diagnosis, shown: dict[str, str]) -> Iterator[str]:
    """All checks as a list, then every finding in full: what has to be done stands last, where the eye is."""
    yield from list_lines(found.checked, shown)
    for check, finding in found.findings:
        yield ""
        yield from told_lines(finding, check.page, shown[Result.FOUND.value])
    yield ""
    yield sum_line(found.checked, [finding.severity for _, finding in found.findings], Severity)
