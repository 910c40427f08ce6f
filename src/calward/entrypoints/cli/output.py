"""How does a command show what it found: to people as lines and tables, to scripts as JSON?

Standard output is the result, standard error is talk. A table on a terminal fits its width; piped, each row is one line.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import rich_click as click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from calward.domain.reasons import SENTENCES, Reason
from calward.entrypoints.cli.safe_text import safe

__all__ = ["Column", "cell", "facts", "print_json", "reason_lines", "say", "table"]

Column = tuple[str, str | Callable[[Mapping[str, Any]], object]]
"""A heading, and the key of its value or how to make it."""

_UNBOUNDED: Final = 10_000
"""Columns of a pipe: a row is never broken into two lines."""
_STYLES: Final = {"temporary": "yellow", "over-used": "yellow", "refused": "red", "revoked": "red"}


def say(line: str = "", *, err: bool = False) -> None:
    """Print one line; what is in it from outside has gone through ``safe`` by now."""
    click.echo(line, err=err)


def print_json(document: object) -> None:
    """Print a document; ASCII only, so that no name in it can do anything to a terminal."""
    click.echo(json.dumps(document, indent=2))


def table(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> bool:
    """Print rows as a table; gives False, and prints nothing, where there is none."""
    console = Console(highlight=False)
    width = console.width if console.is_terminal else _UNBOUNDED
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, 2, 0, 0), show_edge=False)
    for title, _ in columns:
        shown.add_column(Text(title), no_wrap=not console.is_terminal, overflow="fold")
    for row in rows:
        texts = [cell(row.get(key) if isinstance(key, str) else key(row)) for _, key in columns]
        shown.add_row(*(Text(text, style=_STYLES.get(text, "")) for text in texts))
    if not shown.row_count:
        return False
    Console(highlight=False, width=width).print(shown)
    return True


def facts(found: Mapping[str, object], names: Mapping[str, str]) -> None:
    """Print one thing as lines "what  value": what ``names`` has, in its order and words, then all others."""
    order = [*(key for key in names if key in found), *(key for key in found if key not in names)]
    titles = {key: names.get(key, key.replace("_", " ")) for key in order}
    width = max(map(len, titles.values()), default=0)
    for key in order:
        say(f"{safe(titles[key]):<{width}}  {cell(found[key])}")


def cell(value: object) -> str:
    """A value as people read it, in one line and harmless."""
    match value:
        case None | [] | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case list() | tuple():
            return ", ".join(map(cell, value))
        case dict():
            return ", ".join(f"{safe(key)} {cell(one)}" for key, one in value.items())
    return safe(value)


def reason_lines(reasons: Iterable[object]) -> list[str]:
    """Each reason with its sentence; one of a newer release stands alone."""
    known = {reason.value: SENTENCES[reason] for reason in Reason}
    return [f"{safe(one)}: {known[str(one)]}" if str(one) in known else safe(one) for one in reasons]
