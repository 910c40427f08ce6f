"""How wide is each column of a table on a terminal, and where does a text in it go on in the next line? Pure: texts in, widths out."""

from collections.abc import Sequence
from textwrap import wrap
from typing import NamedTuple

from rich.cells import cell_len

__all__ = ["Texts", "broken", "hanging", "widths"]


class Texts(NamedTuple):
    """A column: its heading, what stands below it, and whether that may go on in the next line."""

    title: str
    values: Sequence[str]
    folds: bool


def widths(columns: Sequence[Texts], room: int, least: int, *, headings_break: bool) -> list[int] | None:
    """The width of each column; None where they do not fit into ``room``, the spaces between them taken off.

    No column is narrower than what stands in it, unless it folds: then it has ``least`` at the least. Headings break between words.
    """
    found = [max(_least(one, least), _heading(one.title, breaks=headings_break)) for one in columns]
    spare = room - sum(found)
    if spare < 0:
        return None
    wanted = [[_longest(one) for one in columns], [cell_len(one.title) for one in columns]]
    for wants in wanted:
        spare = _share(found, wants, spare)
    return found


def _heading(title: str, *, breaks: bool) -> int:
    return max(map(cell_len, title.split() if breaks else [title]), default=0)


def _longest(column: Texts) -> int:
    return max(map(cell_len, column.values), default=0)


def _least(column: Texts, least: int) -> int:
    longest = _longest(column)
    return min(longest, least) if column.folds else longest


def _share(found: list[int], wanted: Sequence[int], spare: int) -> int:
    """Give the columns what they want of the spare room, evenly, and what one does not need to the others; return what is left."""
    while spare > 0 and (short := [number for number, want in enumerate(wanted) if found[number] < want]):
        each = max(spare // len(short), 1)
        for number in short:
            more = min(each, wanted[number] - found[number], spare)
            found[number] += more
            spare -= more
    return spare


def hanging(text: str, width: int, indent: int) -> str:
    """The text in lines between words, all but the first one indented; a word that is too long is left whole, as it is copied."""
    lines = wrap(text, max(width - indent, 1), break_long_words=False, break_on_hyphens=False)
    return f"\n{' ' * indent}".join(lines) if cell_len(text) == len(text) else text


def broken(text: str, width: int) -> str:
    """The text in lines: between words, within a word that is too long at its hyphens, and anywhere where there is no other way."""
    if cell_len(text) <= width or cell_len(text) != len(text):
        return text  # Letters of two columns are left to rich.
    lines = wrap(text, width, break_long_words=False, break_on_hyphens=False)
    return "\n".join(piece for line in lines for piece in (wrap(line, width) if len(line) > width else [line]))
