"""How does a text become rows: which separator, where is the header, where does a row begin?

Knows what writers put around a table: the line ``#TYPE …`` of Export-Csv, ``sep=;``, blank lines first (wmic), a monitoring agent's section
lines. A second header begins a second table: files are often joined. lsreport's text is a table too, with or without a header.
"""

import csv
import re
from collections.abc import Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from calward.adapters.exports.columns import LSREPORT_ORDER, Shape, known_names, plain, recognize
from calward.domain.errors import LicensingError, Problem

__all__ = ["Row", "Trouble", "read_table"]

Row = tuple[int, Shape, Mapping[str, object]]
"""Its line, what it is about, and its cells by the names of ``Shape.names``."""
Trouble = tuple[int, str]
"""A line, and why it could not be read."""

_SEPARATORS: Final = ",;\t|"
_TYPE: Final = "#TYPE"
_SECTION: Final = "<<<"
"""How a section of a monitoring agent's output begins."""
_MARKS: Final = (_TYPE, "sep=", _SECTION)
"""How lines begin that belong to a writer, not to the table."""
_FORWARD: Final = 50
"""Lines within which a header must come, unless the file has sections."""
_LEAST: Final = 2
"""Columns that make a header: one known word may stand anywhere."""


@dataclass(frozen=True, slots=True)
class _Header:
    """The columns of a table, and how they are separated."""

    separator: str
    names: list[str]
    shape: Shape

    def wanted(self) -> tuple[list[tuple[int, str]], list[tuple[int, str]]]:
        """Places and names of the columns that matter, and those of further columns of the same name: for where the first is empty."""
        found: dict[str, int] = {}
        further: list[tuple[int, str]] = []
        for place, name in enumerate(self.names):
            own = self.shape.names.get(plain(name))
            if own is not None and found.setdefault(own, place) != place:
                further.append((place, own))
        return [(place, name) for name, place in found.items()], further


class _Lines:
    """Lines on their way to the CSV reader: remembers how many have gone, and takes one back."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.number = 0
        self._lines = iter(lines)
        self._back: str | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line, self._back = (next(self._lines) if self._back is None else self._back), None
        self.number += 1
        return line

    def back(self, line: str) -> None:
        """Give the last line once more."""
        self._back = line
        self.number -= 1


def read_table(lines: Iterable[str], file: str) -> Iterator[Row | Trouble]:
    """Give each row, or why it is none; blank lines and writers' marks are no rows.

    Raises: LicensingError(MALFORMED): no table of a known kind is in it; says what was seen and what is known.
    """
    source = _Lines(lines)
    found = _look(source)
    if found.header is None:
        raise LicensingError(Problem.MALFORMED, _unknown(file, found.seen))
    header: _Header | None = found.header
    while True:
        if found.trouble:
            yield found.trouble
        if header is None:
            return
        ended = yield from _rows(source, header)
        found = _look(source) if ended is None else _Found(ended)
        header = found.header


@dataclass(slots=True)
class _Found:
    """The next header, and what was passed over on the way to it."""

    header: _Header | None = None
    first: int = 0
    last: int = 0
    seen: str = ""

    def skip(self, number: int, line: str) -> None:
        """Pass over a line."""
        self.first, self.last = self.first or number, number
        self.seen = self.seen or line.strip()

    @property
    def trouble(self) -> Trouble | None:
        """What to tell of the lines that were passed over."""
        if not self.first:
            return None
        some = f"lines {self.first} to {self.last} are" if self.last > self.first else "is"
        return self.first, f"{some} no part of a table that is known here, beginning with {self.seen[:40]!a}"


def _look(source: _Lines) -> _Found:
    """Look for the next header. A file with sections is looked through to its end; else a header comes early or not at all."""
    found = _Found()
    sections = source.number > 0
    for line in source:
        if not line.strip() or line.startswith(_MARKS):
            sections = sections or line.startswith(_SECTION)
            continue
        if header := _header(line):
            found.header = header
            break
        if _is_lsreport(line):
            source.back(line)
            found.header = _made("\t", list(LSREPORT_ORDER))
            break
        found.skip(source.number, line)
        if source.number >= _FORWARD and not sections:
            break
    return found


def _unknown(file: str, seen: str) -> str:
    begins = f"begins with {seen[:60]!a}" if seen else "has no line with columns"
    if _LISTED.match(seen) or _DRAWN.match(seen):
        begins += ", as PowerShell shows things on the screen (in a file it writes them with Export-Csv)"
    return (
        f"{file!a} {begins}: that is no export that is known here; known are key packs, issued licenses and reports of a license server "
        "(CSV or JSON by property name, or lsreport's text) and session hosts (name, version, mode, license servers)"
    )


_LISTED: Final = re.compile(r"\w+ *: ")
_DRAWN: Final = re.compile(r"(?:\w+ +){2,}\w+$")


def _header(line: str) -> _Header | None:
    """The header that a line is."""
    found = [(known_names(cells), separator, cells) for separator in _SEPARATORS for cells in _split(line, separator)]
    known, separator, cells = max(found, key=lambda one: one[0], default=(0, "", []))
    return _made(separator, cells) if known >= _LEAST else None


def _header_of(cells: list[str], separator: str) -> _Header | None:
    """The header that a row is, of another table in the same file."""
    if len(cells) == 1:
        return _header(cells[0]) if any(one in cells[0] for one in _SEPARATORS) else None
    known = known_names(cells)
    return _made(separator, cells) if known >= _LEAST and known * 2 >= len(cells) else None


def _made(separator: str, names: list[str]) -> _Header | None:
    shape = recognize(names)
    return _Header(separator, names, shape) if shape else None


def _split(line: str, separator: str) -> list[list[str]]:
    try:
        return list(csv.reader([line], delimiter=separator))
    except csv.Error:
        return []


def _is_lsreport(line: str) -> bool:
    """Whether a line is one of lsreport's without a header above it: numbers of license and pack, then six more columns."""
    cells = line.rstrip("\r\n").split("\t")
    return len(cells) >= len(LSREPORT_ORDER) - 1 and cells[0].strip().isdecimal() and cells[1].strip().isdecimal()


def _rows(source: _Lines, header: _Header) -> Generator[Row | Trouble, None, _Header | None]:
    """The rows below a header; returns the next header where it follows at once."""
    names, (wanted, further), began = header.names, header.wanted(), source.number
    rows = 0
    for line, cells in _cells(source, header.separator):
        if isinstance(cells, str):
            yield line, cells
        elif cells[0].startswith(_SECTION):
            break
        elif cells[0].startswith(_MARKS):
            continue
        elif _may_be_header(cells, names) and (again := _header_of(cells, header.separator)):
            return again
        elif len(cells) < len(names) or any(map(str.strip, cells[len(names) :])):
            yield line, _odd(cells, names)
        else:
            row: dict[str, object] = {name: cells[place] for place, name in wanted}
            for place, name in further:
                row[name] = row[name] or cells[place]
            yield line, header.shape, row
        rows += 1
    if not rows:
        yield began, "the table has a header and no rows"
    return None


def _cells(source: _Lines, separator: str) -> Iterator[tuple[int, list[str] | str]]:
    """Each row that is not blank, with the line on which it begins; a text says why it is none."""
    reader = csv.reader(source, delimiter=separator, strict=True)
    while True:
        line = source.number + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            yield line, _broken(line, source.number, error)
            continue
        if cells is None:
            return
        if (cells and cells[0].strip()) or any(map(str.strip, cells)):
            yield line, cells


def _may_be_header(cells: list[str], names: list[str]) -> bool:
    """Looked at before each row: cheap, and true for every header of another table."""
    first = cells[0]
    return len(cells) != len(names) or (not first[:1].isdigit() and plain(first) == plain(names[0]))


def _broken(first: int, last: int, error: csv.Error) -> str:
    return f"lines {first} to {last} are no row: {error}" if last > first else f"is no row: {error}"


def _odd(cells: list[str], names: list[str]) -> str:
    why = "it is cut off" if len(cells) < len(names) else "a value holds the separator"
    return f"has {len(cells)} columns where the header has {len(names)}: {why}"
