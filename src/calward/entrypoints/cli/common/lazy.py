"""How does the root group know its commands without loading them?

A web server or a database in one command's file must not slow down another command, nor ``--help``, nor a TAB.
"""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

import rich_click as click

from calward.entrypoints.cli.common.everywhere import equip

__all__ = ["LazyGroup", "Place"]


class Place(NamedTuple):
    """Where a command is: ``module:name``, and its one line in the list of commands."""

    where: str
    summary: str
    hidden: bool = False


class LazyGroup(click.RichGroup):
    """A group whose commands are loaded when one is run; its list of commands needs the table only."""

    def __init__(self, *args: object, places: Mapping[str, Place] | None = None, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type] # Handed on to click as they came.
        self.places = dict(places or {})
        for name, place in self.places.items():
            self.add_command(click.RichCommand(name=name, help=place.summary, hidden=place.hidden), name)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature.
        """Keep the order of the table: it is the order in which people need them."""
        return list(self.places)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Load what is to be run."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is None or command is None:
            return name, command, rest
        return name, self.load(name), rest

    def load(self, name: str) -> click.Command:
        """Give the command itself; KeyError for a name that is not in the table."""
        module, attribute = self.places[name].where.split(":")
        found: click.Command = getattr(import_module(module), attribute)
        equip(found, f"calward {name}")
        return found

    def loaded(self) -> Sequence[tuple[str, click.Command]]:
        """Every command, loaded, in order: for the reference page and its tests."""
        return [(name, self.load(name)) for name in self.places]
