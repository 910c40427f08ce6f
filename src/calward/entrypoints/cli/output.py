"""How does a command show what it found: to people as lines and tables, to scripts as JSON?

Standard output is the result, standard error is talk. A table on a terminal fits its width; piped, each row is one line.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum, auto
from typing import Any, Final, NamedTuple

import rich_click as click
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from calward.domain.reasons import SENTENCES, Reason
from calward.entrypoints.cli.safe_text import safe

__all__ = ["Column", "Fit", "cell", "facts", "print_json", "reason_lines", "say", "table"]


class Fit(Enum):
    """What a column does on a terminal that is too narrow for all."""

    WHOLE = auto()
    """Stays as it is: a version or a number cut short is another one."""
    FOLDED = auto()
    """Goes on in the next line."""
    CUT = auto()
    """Ends with …: an id is long, and its first letters tell it from the others in most lists."""
    LEFT_OUT = auto()
    """Is not shown: the command that shows one thing has it."""


class Column(NamedTuple):
    """A heading, the key of its value or how to make it, and what it does where there is little room."""

    title: str
    key: str | Callable[[Mapping[str, Any]], object]
    fit: Fit = Fit.WHOLE


_UNBOUNDED: Final = 10_000
"""Columns of a pipe: a row is never broken into two lines."""
_ROOMY: Final = 120
"""Columns of a terminal from which on nothing is left out."""
_LETTERS: Final = 9
"""Of a value that is cut, with its …."""
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\dZ", re.ASCII)
_STYLES: Final = {"temporary": "yellow", "over-used": "yellow", "refused": "red", "revoked": "red"}


def say(line: str = "", *, err: bool = False) -> None:
    """Print one line; what is in it from outside has gone through ``safe`` by now."""
    click.echo(line, err=err)


def print_json(document: object) -> None:
    """Print a document; ASCII only, so that no name in it can do anything to a terminal."""
    click.echo(json.dumps(document, indent=2))


def table(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> bool:
    """Print rows as a table; gives False, and prints nothing, where there is none.

    On a terminal times are days, and a narrow one gets less of each row; piped, everything is there, one line a row.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _UNBOUNDED
        return _print(console, columns, rows, cell)
    roomy = console.width >= _ROOMY
    shown = columns if roomy else [_cut(one) for one in columns if one.fit is not Fit.LEFT_OUT]
    return _print(console, shown, rows, _day_or_cell)


def _print(
    console: Console,
    columns: Sequence[Column],
    rows: Iterable[Mapping[str, Any]],
    text_of: Callable[[object], str],
) -> bool:
    padding = 2 if console.width >= _ROOMY else 1
    shown = Table(box=box.SIMPLE_HEAD, padding=(0, padding, 0, 0), show_edge=False)
    for title, _, fit in columns:
        shown.add_column(Text(title), no_wrap=fit is not Fit.FOLDED, overflow="fold")
    for row in rows:
        texts = [text_of(row.get(key) if isinstance(key, str) else key(row)) for _, key, _ in columns]
        shown.add_row(*(Text(text, style=_STYLES.get(text, "")) for text in texts))
    if shown.row_count:
        console.print(shown)
    return bool(shown.row_count)


def _cut(column: Column) -> Column:
    """The same column with its values cut, where it may be cut."""
    if column.fit is not Fit.CUT:
        return column
    key = column.key

    def value(row: Mapping[str, Any]) -> object:
        text = cell(row.get(key) if isinstance(key, str) else key(row))
        return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 1]}…"

    return Column(column.title, value)


def _day_or_cell(value: object) -> str:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else cell(value)


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
