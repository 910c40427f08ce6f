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
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from calward.domain.reasons import SENTENCES, Reason
from calward.entrypoints.cli.common.forms import csv_text, rows_of, yaml_text
from calward.entrypoints.cli.common.layout import Texts, broken, hanging, widths
from calward.entrypoints.cli.common.safe_text import safe
from calward.entrypoints.cli.common.view import Form, chosen, view

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
    """Is cut, and then not shown: the command that shows one thing has it."""


class Column(NamedTuple):
    """A heading, the key of its value or how to make it, and what it does where there is little room."""

    title: str
    key: str | Callable[[Mapping[str, Any]], object]
    fit: Fit = Fit.WHOLE


_UNBOUNDED: Final = 10_000
"""Columns of a pipe: a row is never broken into two lines."""
_ROOMY: Final = 120
"""Columns of a terminal from which on nothing is left out, and there is more air between columns."""
_PATIENCE: Final = ((24, False), (24, True), (12, True), (9, True))
"""What a reader is asked for, more and more: lines of a text as short as this, and headings in several lines."""
_LETTERS: Final = 10  # A day has as many.
_FEW_LETTERS: Final = 7
"""Of a value that is cut, with its …: usually, and where there is no room."""
_TIME: Final = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\dZ", re.ASCII)
_STYLES: Final = {"temporary": "yellow", "over-used": "yellow", "refused": "red", "revoked": "red"}


def say(line: str = "", *, err: bool = False) -> None:
    """Print one line; what is in it from outside has gone through ``safe`` by now. Talk is for those who want to hear it."""
    if not (err and view().quiet):
        click.echo(line, err=err)


def print_json(document: object, rows: Sequence[Mapping[str, Any]] | None = None) -> None:
    """Print a document for programs: as JSON, in ASCII only, so that no name in it can do anything to a terminal; or as was asked for.

    ``rows``: what it is as CSV, where that is not its items or itself.
    """
    wanted = view()
    if wanted.form is Form.CSV:
        shown = rows_of(document) if rows is None else rows
        columns = chosen(wanted.columns, {key: key for row in shown for key in row}) if shown else wanted.columns
        click.echo(csv_text(shown, columns, headers=wanted.headers), nl=False)
        return
    if wanted.columns:
        document = _reduced(document, wanted.columns)
    click.echo(yaml_text(document), nl=False) if wanted.form is Form.YAML else click.echo(
        json.dumps(document, indent=2)
    )


def _reduced(document: object, columns: Sequence[str]) -> object:
    """The same with these keys only; a list stays a list."""
    rows = rows_of(document)
    keys = chosen(columns, {key: key for row in rows for key in row}) if rows else []
    found = [{key: row.get(key) for key in keys} for row in rows]
    if isinstance(document, dict) and "items" in document:
        return document | {"items": found}
    return found if isinstance(document, list) or not found else found[0]


def table(columns: Sequence[Column], rows: Iterable[Mapping[str, Any]]) -> bool:
    """Print rows as a table; gives False, and prints nothing, where there is none.

    On a terminal times are days, and a narrow one gets less of each row; piped, everything is there, one line a row.
    """
    console = Console(highlight=False)
    rows = list(rows)
    if view().columns:
        columns = _chosen(columns, rows)
    if not console.is_terminal:
        console.width = _UNBOUNDED
        return _print(console, _texts(columns, rows, cell))
    shown = [_texts(one, rows, _day_or_cell) for one in _ways(columns, console)]
    for least, headings_break in _PATIENCE:
        for texts in shown:
            room = console.width - (_padding(console) + 1) * len(texts) + 1
            if found := widths(texts, room, least, headings_break=headings_break):
                return _print(console, texts, found)
    _blocks(shown[0])
    return bool(rows)


def _ways(columns: Sequence[Column], console: Console) -> list[list[Column]]:
    """The same table with more and more taken away."""
    ways = [list(columns)]
    if not view().columns:
        ways.append([_cut(one) for one in columns])
        if console.width < _ROOMY:
            kept = [one for one in columns if one.fit is not Fit.LEFT_OUT]
            ways += [[_cut(one, letters) for one in kept] for letters in (_LETTERS, _FEW_LETTERS)]
    return ways


def _texts(
    columns: Sequence[Column], rows: Sequence[Mapping[str, Any]], text_of: Callable[[object], str]
) -> list[Texts]:
    titled = view().headers
    return [
        Texts(one.title if titled else "", [text_of(_value(one, row)) for row in rows], one.fit is Fit.FOLDED)
        for one in columns
    ]


def _blocks(columns: Sequence[Texts]) -> None:
    """Where a row has no room in one line: a line for each of its values."""
    width = max(cell_len(one.title) for one in columns)
    for number, row in enumerate(zip(*(one.values for one in columns), strict=True)):
        if number:
            say()
        for column, text in zip(columns, row, strict=True):
            say(f"{column.title:<{width}}  {text}" if column.title else text)


def _value(column: Column, row: Mapping[str, Any]) -> object:
    return row.get(column.key) if isinstance(column.key, str) else column.key(row)


def _padding(console: Console) -> int:
    return 2 if console.width >= _ROOMY else 1


def _print(console: Console, columns: Sequence[Texts], found: Sequence[int] | None = None) -> bool:
    """``found``: the width of each column; without, as wide as they are."""
    form = box.SIMPLE_HEAD if view().headers else None
    shown = Table(box=form, padding=(0, _padding(console), 0, 0), show_edge=False, show_header=view().headers)
    exact: Sequence[int | None] = found or [None] * len(columns)
    for one, width in zip(columns, exact, strict=True):
        shown.add_column(Text(one.title), width=width, no_wrap=width is None, overflow="fold")
    for row in zip(*(one.values for one in columns), strict=True):
        parts = [text if width is None else broken(text, width) for text, width in zip(row, exact, strict=True)]
        shown.add_row(*(Text(part, style=_STYLES.get(text, "")) for part, text in zip(parts, row, strict=True)))
    if shown.row_count:
        console.print(shown)
    return bool(shown.row_count)


def _chosen(columns: Sequence[Column], rows: Sequence[Mapping[str, Any]]) -> list[Column]:
    """The columns that were asked for: those of the table by their titles, and whatever else a row has by its key."""
    titled = {one.title: one for one in columns}
    keyed = {one.key: one for one in columns if isinstance(one.key, str)}
    others = {key: Column(key.replace("_", " "), key) for row in rows for key in row}
    known = {**others, **keyed, **titled}
    return [known[one] for one in chosen(view().columns, {name: name for name in known})]


def _cut(column: Column, letters: int = _LETTERS) -> Column:
    """The same column with its values cut, where it may be cut or left out."""
    if column.fit not in {Fit.CUT, Fit.LEFT_OUT}:
        return column

    def value(row: Mapping[str, Any]) -> object:
        text = _day_or_cell(_value(column, row))
        return text if len(text) <= letters else f"{text[: letters - 1]}…"

    return Column(column.title, value, column.fit)


def _day_or_cell(value: object) -> str:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    return found[1] if found else cell(value)


def facts(found: Mapping[str, object], names: Mapping[str, str]) -> None:
    """Print one thing as lines "what  value": what ``names`` has, in its order and words, then all others.

    On a terminal a long value goes on below itself; piped, each is one line.
    """
    order = [*(key for key in names if key in found), *(key for key in found if key not in names)]
    titles = {key: names.get(key, key.replace("_", " ")) for key in order}
    if view().columns:
        order = chosen(view().columns, {title: key for key, title in titles.items()} | {key: key for key in order})
    if not view().headers:
        for key in order:
            say(cell(found[key]))
        return
    width, console = max((len(titles[key]) for key in order), default=0), Console(highlight=False)
    for key in order:
        text = cell(found[key])
        shown = hanging(text, console.width, width + 2) if console.is_terminal else text
        say(f"{safe(titles[key]):<{width}}  {shown}")


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
