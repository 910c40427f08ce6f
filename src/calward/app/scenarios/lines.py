"""On which line of a TOML file does a table or a key stand?

``tomllib`` gives values without places. This looks for headers and keys only; where it does not find one (a table written
inline), the nearest thing around it answers.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

__all__ = ["Path", "lines_of"]

Path = tuple[str | int, ...]
"""The way to a value: keys, and for an array of tables the number of the table from 0."""

_WORD: Final = r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'"""
_HEADER: Final = re.compile(rf"\s*(\[\[?)\s*((?:{_WORD})(?:\s*\.\s*(?:{_WORD}))*)\s*\]")
_KEY: Final = re.compile(rf"\s*((?:{_WORD})(?:\s*\.\s*(?:{_WORD}))*)\s*=")
_PART: Final = re.compile(_WORD)
_QUOTES: Final = ('"""', "'''")


def lines_of(text: str) -> dict[Path, int]:
    """Give the line, from 1, of every table and key that stands at the beginning of a line."""
    found: dict[Path, int] = {(): 1}
    counts: Counter[str] = Counter()
    table: Path = ()
    for number, line in _outside_of_long_texts(text):
        header, key = _HEADER.match(line), _KEY.match(line)
        if header:
            table = _table(header, counts)
            found.setdefault(table, number)
        elif key:
            parts = _parts(key[1])
            for length in range(1, len(parts) + 1):
                found.setdefault((*table, *parts[:length]), number)
    return found


def _table(header: re.Match[str], counts: Counter[str]) -> Path:
    """Number the tables of an array; what stands below one belongs to the last."""
    parts = _parts(header[2])
    if header[1] == "[[":
        counts[".".join(parts)] += 1
    path: list[str | int] = []
    for length, part in enumerate(parts, 1):
        path.append(part)
        count = counts[".".join(parts[:length])]
        if count:
            path.append(count - 1)
    return tuple(path)


def _parts(dotted: str) -> Sequence[str]:
    return [part.strip("\"'") for part in _PART.findall(dotted)]


def _outside_of_long_texts(text: str) -> Iterator[tuple[int, str]]:
    """Leave out the lines within texts of several lines."""
    open_quote: str | None = None
    for number, line in enumerate(text.split("\n"), 1):
        if open_quote is None:
            yield number, line
        for quote in _QUOTES:
            if open_quote in {None, quote} and line.count(quote) % 2:
                open_quote = None if open_quote else quote
                break
