"""What can ``calward`` do? The root group: a table of commands, each loaded when it is asked for."""

from types import MappingProxyType
from typing import Final

import rich_click as click

import calward.entrypoints.cli.common.powershell  # noqa: F401 - one more shell that click knows from then on
from calward.entrypoints.cli.common.help_page import examples_apart
from calward.entrypoints.cli.common.lazy import LazyGroup, Place

__all__ = ["COMMANDS", "cli"]

_HERE: Final = "calward.entrypoints.cli"

COMMANDS: Final = MappingProxyType(
    {
        "status": Place(f"{_HERE}.status:status", "Say in one line what stops first and when, then show the rest."),
        "pack": Place(f"{_HERE}.pack:pack", "Show, install, move, change and remove key packs."),
        "license": Place(f"{_HERE}.license:license_", "List, request, revoke and release issued licenses."),
        "host": Place(f"{_HERE}.host:host", "Enroll session hosts and set what they are."),
        "explain": Place(
            f"{_HERE}.insight.explain:explain", "Tell the story of a decision, or what would be decided now."
        ),
        "matrix": Place(f"{_HERE}.matrix:matrix", "Show which versions go together; needs no license server."),
        "scenario": Place(
            f"{_HERE}.scenario.run:scenario", "Try what happens to an estate, in files and virtual time."
        ),
        "estate": Place(
            f"{_HERE}.insight.estate:estate", "Import what other systems' license servers export, and look at it."
        ),
        "diagnose": Place(
            f"{_HERE}.insight.diagnose:diagnose", "Say what is wrong in an estate, and whether somebody can log on."
        ),
        "watch": Place(
            f"{_HERE}.insight.watch:watch", "Tell what a diagnosis finds new, worse or gone, once per change."
        ),
        "plan": Place(f"{_HERE}.insight.plan:plan", "See what comes of a change, and which CALs an estate needs."),
        "forecast": Place(f"{_HERE}.insight.forecast:forecast", "Say between which days CALs run out."),
        "report": Place(f"{_HERE}.insight.report:report", "Make reports of use, purchases, refusals and compliance."),
        "server": Place(f"{_HERE}.server:server", "Show, activate and set up the license server itself."),
        "servers": Place(f"{_HERE}.servers:servers", "Look at several license servers at once."),
        "token": Place(f"{_HERE}.token:token", "Make and end administrators' tokens."),
        "audit": Place(f"{_HERE}.audit:audit", "Verify, follow and export the audit trail."),
        "backup": Place(f"{_HERE}.backup:backup", "Back up and restore a license server or a clearinghouse."),
        "serve": Place(f"{_HERE}.serve:serve", "Run the license server until it is stopped."),
        "setup": Place(f"{_HERE}.setup:setup", "Make the first license administrator, with the server's setup link."),
        "clearinghouse": Place(
            f"{_HERE}.clearinghouse.root:clearinghouse", "Activate license servers and sell them CALs."
        ),
        "qr": Place(f"{_HERE}.qr:qr", "Carry signed files as QR codes."),
        "agent": Place(f"{_HERE}.sessionhost.agent:agent", "Run the daemon of a session host, and see how it is."),
        "rdp": Place(f"{_HERE}.sessionhost.rdp:rdp", "Look at licensing on the wire: probe a host, decode a capture."),
        "pam": Place(f"{_HERE}.sessionhost.pam:pam", "Ask for a user's license at logon; started by pam_exec."),
        "completion": Place(f"{_HERE}.completion:completion", "Print the script that lets a shell complete commands."),
        "version": Place(f"{_HERE}.version:version", "Show which Calward this is."),
        "devrun": Place(f"{_HERE}.serve:devrun", "Run license server and clearinghouse on loopback.", hidden=True),
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


examples_apart(cli)
