"""Licensing on the wire, seen from outside: ``calward rdp``."""

from types import MappingProxyType
from typing import Final

import rich_click as click

from calward.entrypoints.cli.common.lazy import LazyGroup, Place

__all__ = ["rdp"]

_HERE: Final = "calward.entrypoints.cli"
_COMMANDS: Final = MappingProxyType(
    {
        "decode": Place(
            f"{_HERE}.sessionhost.rdp_decode:decode", "Print what a captured connection says of licensing."
        ),
        "probe": Place(f"{_HERE}.sessionhost.rdp_probe:probe", "Say what a session host's licensing phase says."),
    }
)


@click.group(cls=LazyGroup, places=_COMMANDS)
def rdp() -> None:
    """Look at licensing on the wire; needs no license server.

    \b
    Examples:
      calward rdp probe sh1.example
      calward rdp decode capture.txt
    """  # noqa: D301 -- click wants the character itself, which keeps the lines below it apart
