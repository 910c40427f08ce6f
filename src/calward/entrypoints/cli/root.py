"""What can ``calward`` do? The root group: a table of commands, each loaded when it is asked for."""

from types import MappingProxyType
from typing import Final

import rich_click as click

from calward.entrypoints.cli.lazy import LazyGroup, Place

__all__ = ["COMMANDS", "cli"]

_HERE: Final = "calward.entrypoints.cli"

COMMANDS: Final = MappingProxyType(
    {
        "matrix": Place(f"{_HERE}.matrix:matrix", "Show which versions go together; needs no license server."),
        "scenario": Place(f"{_HERE}.scenario:scenario", "Try what happens to an estate, in files and virtual time."),
        "pam": Place(f"{_HERE}.pam:pam", "Ask for a user's license at logon; started by pam_exec on a session host."),
        "clearinghouse": Place(
            f"{_HERE}.clearinghouse:clearinghouse",
            "Activate license servers and sign key packs for them: for whoever sells the CALs.",
        ),
        "version": Place(f"{_HERE}.version:version", "Show which Calward this is."),
    }
)
"""Name, place and summary of each command, in the order of the help page."""


@click.group(
    cls=LazyGroup,
    places=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
def cli() -> None:
    """License server for remote desktop session hosts, and for anything licensed by a ladder of versions.

    \b
    Examples:
      calward status
      calward license list --status temporary
      calward explain D12
      calward matrix
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
