"""How does whoever has typed a command want to see what it finds? Kept with click's context, for all commands alike."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from enum import StrEnum
from itertools import pairwise
from typing import Any, Final

import rich_click as click

__all__ = ["Form", "View", "change_view", "chosen", "view", "wants_json"]

_KEY: Final = "calward.view"


class Form(StrEnum):
    """What ``--output`` takes."""

    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class View:
    """``columns``: names of columns or keys, in their order; none: those that the command thinks of."""

    form: Form | None = None
    columns: tuple[str, ...] = ()
    headers: bool = True
    quiet: bool = False
    asks: bool = True
    """Whether a question may be asked, where a terminal is there."""
    yes: bool = False
    curl: bool = False
    dry_run: bool = False
    profile: str | None = None


_USUAL: Final = View()


def view() -> View:
    """What was wanted so far; the usual outside of a command."""
    context = click.get_current_context(silent=True)
    found: View = context.meta.get(_KEY, _USUAL) if context else _USUAL
    return found


def change_view(context: click.Context, **values: Any) -> None:  # noqa: ANN401 - fields of View
    """Keep what an option says."""
    context.meta[_KEY] = replace(context.meta.get(_KEY, _USUAL), **values)


def chosen(names: Sequence[str], known: Mapping[str, str]) -> list[str]:
    """The values of ``known`` for these names, however they are written; raises UsageError for one that is not there."""
    plain = {_plain(name): value for name, value in known.items()}
    found = []
    for name in names:
        value = plain.get(_plain(name))
        if value is None:
            raise click.UsageError(_unknown(name, known), click.get_current_context(silent=True))
        found.append(value)
    return found


def _unknown(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, list(known), 1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"there is no column {name!a}: {meant}there are {', '.join(known)}"


def _plain(name: str) -> str:
    return name.strip().lower().replace("-", "_").replace(" ", "_")


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for a form that programs read: then an error is JSON, also one of the command line itself."""
    forms = {Form.JSON.value, Form.YAML.value, Form.CSV.value}
    after = {one for name, one in pairwise(arguments) if name in {"-o", "--output"}}
    joined = {one.removeprefix("--output=") for one in arguments if one.startswith("--output=")}
    return "--json" in arguments or bool(forms & (after | joined | {one.removeprefix("-o") for one in arguments}))
