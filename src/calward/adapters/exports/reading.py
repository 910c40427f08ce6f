"""What does an exported file say? The way from its bytes to what its rows mean."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from calward.adapters.exports.json_rows import looks_like_json, read_json
from calward.adapters.exports.moments import Moments
from calward.adapters.exports.reader import Reader
from calward.adapters.exports.rows import READERS
from calward.adapters.exports.tables import Row, Trouble, read_table
from calward.adapters.exports.text import TextFile, inspect_file
from calward.adapters.exports.versions import Versions
from calward.app.estates.found import DateOrder, Found, Progress
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder

__all__ = ["ExportFiles"]

_EVERY: Final = 10_000
"""Rows between two words about how it goes."""
_ROW: Final = 3
"""Parts of a row; a trouble has two."""


class ExportFiles:
    """The port ``ExportReader``, over files."""

    def read(
        self,
        path: Path,
        ladder: Ladder,
        progress: Progress,
        *,
        label: str | None = None,
        day_first: bool = False,
    ) -> Found:
        """Read one file whole; raises LicensingError where it is none that is known."""
        try:
            return _read_whole(inspect_file(path), label or path.name, ladder, progress, day_first=day_first)
        except OSError as error:
            raise LicensingError(Problem.UNAVAILABLE, f"{str(path)!a} cannot be read: {error.strerror}") from None


def _read_whole(about: TextFile, label: str, ladder: Ladder, progress: Progress, *, day_first: bool) -> Found:
    """Read it, and once more where only its end shows how its dates are meant."""
    found, moments = _read(about, label, ladder, Moments(day_first=day_first), progress)
    order = _ORDERS[moments.seen_day_first, moments.seen_month_first]
    wrong = DateOrder.MONTH_FIRST if day_first else DateOrder.DAY_FIRST
    if moments.ambiguous and order is wrong:
        found, moments = _read(about, label, ladder, Moments(day_first=not day_first), progress)
    if moments.local:
        found.facts[f"dates of {label}"] = "without an offset: read as UTC"
    found.dates = DateOrder.OPEN if order is DateOrder.NOTHING and moments.ambiguous else order
    found.open_date = moments.ambiguous
    found.close()
    return found


_ORDERS: Final = {
    (False, False): DateOrder.NOTHING,
    (True, False): DateOrder.DAY_FIRST,
    (False, True): DateOrder.MONTH_FIRST,
    (True, True): DateOrder.BOTH,
}


def _read(about: TextFile, label: str, ladder: Ladder, moments: Moments, progress: Progress) -> tuple[Found, Moments]:
    found = Found(label)
    for flaw in about.flaws:
        found.complain(*flaw)
    reader = Reader(found, Versions(ladder), moments)
    done = 0
    for one in _rows(about):
        if len(one) == _ROW:
            line, shape, cells = one
            found.count(shape.kind)
            READERS[shape.kind](reader, line, cells)
            done += 1
            if done % _EVERY == 0:
                progress(found.file, done)
        else:
            found.complain(*one)
    return found, moments


def _rows(about: TextFile) -> Iterator[Row | Trouble]:
    with about.open() as file:
        head = file.read(1024)
    if not looks_like_json(head):
        yield from read_table(about.lines(), about.path.name)
        return
    with about.open() as file:
        yield from read_json(file, about.path.name)
