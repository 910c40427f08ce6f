"""How does a text become rows: which separator, where is the header, where does a row begin?

Knows what writers put around a table: the line ``#TYPE …`` of Export-Csv, ``sep=;``, blank lines first (wmic), a monitoring agent's section
line. A second header begins a second table: files are often joined.
"""

import csv
from collections.abc import Generator, Iterable, Iterator, Mapping
from typing import Final

from calward.adapters.exports.columns import Shape, known_names, plain, recognize
from calward.domain.errors import LicensingError, Problem

__all__ = ["Row", "Trouble", "read_table"]

Row = tuple[int, Shape, Mapping[str, object]]
"""Its line, what it is about, and its cells by the names of ``Shape.names``."""
Trouble = tuple[int, str]
"""A line, and why it could not be read."""

Header = tuple[str, list[str]]
"""A separator, and the names of columns."""

_SEPARATORS: Final = ",;\t|"
_MARKS: Final = ("#TYPE", "sep=", "<<<")
"""How lines begin that belong to a writer, not to the table."""
_FORWARD: Final = 50
"""Lines within which a header must come."""
_LEAST: Final = 2
"""Columns that make a header: one known word may stand anywhere."""


class _Counted:
    """Lines on their way to the CSV reader; remembers how many have gone."""

    def __init__(self, lines: Iterable[str]) -> None:
        self.number = 0
        self._lines = iter(lines)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number += 1
        return line


def read_table(lines: Iterable[str], file: str) -> Iterator[Row | Trouble]:
    """Give each row, or why it is none; blank lines and writers' marks are no rows.

    Raises: LicensingError(MALFORMED): no table of a known kind begins here; says what was seen and what is known.
    """
    source = _Counted(lines)
    skipped: list[Trouble] = []
    header: Header | None = _find_header(source, file, skipped)
    yield from skipped
    while header is not None:
        header = yield from _rows(source, header)


def _find_header(source: _Counted, file: str, skipped: list[Trouble]) -> Header:
    seen = ""
    for line in source:
        if not line.strip() or line.startswith(_MARKS):
            continue
        if header := _header(line):
            return header
        seen = seen or line
        skipped.append((source.number, "is not part of a table: it stands before the header"))
        if source.number >= _FORWARD:
            break
    raise LicensingError(Problem.MALFORMED, _unknown(file, seen))


def _unknown(file: str, seen: str) -> str:
    begins = f"begins with {seen.strip()[:60]!a}" if seen.strip() else "has no line with columns"
    return (
        f"{file!a} {begins}: no columns of an export that is known here, which are key packs, issued licenses and reports of a license server "
        "(CSV or JSON by property name, or lsreport's text) and session hosts (name, version, mode, license servers)"
    )


def _header(line: str) -> Header | None:
    """The separator and the names, if the line is a header."""
    found = [(known_names(cells), separator, cells) for separator in _SEPARATORS for cells in _split(line, separator)]
    known, separator, cells = max(found, key=lambda one: one[0], default=(0, "", []))
    return (separator, cells) if known >= _LEAST and recognize(cells) else None


def _split(line: str, separator: str) -> list[list[str]]:
    try:
        return list(csv.reader([line], delimiter=separator))
    except csv.Error:
        return []


def _rows(source: _Counted, header: Header) -> Generator[Row | Trouble, None, Header | None]:
    """The rows below a header; returns the next header, if there is one."""
    separator, names = header
    shape = recognize(names)
    assert shape is not None  # noqa: S101 - ``_header`` gives no other.
    wanted = _wanted(names, shape)
    reader = csv.reader(source, delimiter=separator, strict=True)
    began = source.number
    while True:
        line = source.number + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            last = f" to {source.number}" if source.number > line else ""
            yield line, f"lines {line}{last} are no row: {error}" if last else f"is no row: {error}"
            continue
        if cells is None:
            if source.number == began:
                yield began, "the table has a header and no rows"
            return None
        if not cells or (len(cells) == 1 and (not cells[0].strip() or cells[0].startswith(_MARKS))):
            continue
        if len(cells) != len(names):
            if again := _header_of(cells, separator):
                return again
            if len(cells) < len(names) or any(map(str.strip, cells[len(names) :])):
                yield line, f"has {len(cells)} columns where the header has {len(names)}: {_why(cells, names)}"
                continue
        elif (
            plain(cells[0]) == plain(names[0])
            and known_names(cells) >= _LEAST
            and (again := _header_of(cells, separator))
        ):
            return again
        yield line, shape, {name: cells[place] for place, name in wanted}


def _wanted(names: list[str], shape: Shape) -> list[tuple[int, str]]:
    """Places and names of the columns that matter; where two have one name, the first counts."""
    found: dict[str, int] = {}
    for place, name in enumerate(names):
        if (own := shape.names.get(plain(name))) is not None:
            found.setdefault(own, place)
    return [(place, name) for name, place in found.items()]


def _header_of(cells: list[str], separator: str) -> Header | None:
    if len(cells) == 1:
        return _header(cells[0])
    return (
        (separator, cells)
        if known_names(cells) >= _LEAST and known_names(cells) * 2 >= len(cells) and recognize(cells)
        else None
    )


def _why(cells: list[str], names: list[str]) -> str:
    return "it is cut off" if len(cells) < len(names) else "a value holds the separator"
