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
from calward.app.estates.found import Found, Progress
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder

__all__ = ["ExportFiles"]

_EVERY: Final = 10_000
"""Rows between two words about how it goes."""
_ROW: Final = 3
"""Parts of a row; a trouble has two."""


class ExportFiles:
    """The port ``ExportReader``, over files."""

    def read(self, path: Path, ladder: Ladder, progress: Progress, *, label: str | None = None) -> Found:
        """Read one file whole; raises LicensingError where it is none that is known."""
        try:
            return _read_whole(inspect_file(path), label or path.name, ladder, progress)
        except OSError as error:
            raise LicensingError(Problem.UNAVAILABLE, f"{str(path)!a} cannot be read: {error.strerror}") from None


def _read_whole(about: TextFile, label: str, ladder: Ladder, progress: Progress) -> Found:
    """Read it, and once more where only its end shows how its dates are meant."""
    found, moments = _read(about, label, ladder, Moments(), progress)
    if moments.seen_day_first and not moments.seen_month_first and moments.ambiguous:
        found, moments = _read(about, label, ladder, Moments(day_first=True), progress)
    if moments.seen_day_first and moments.seen_month_first and moments.ambiguous:
        found.complain(
            0,
            "some of its dates are day first and others month first: those that could be either were read month first",
        )
    if moments.local:
        found.facts[f"dates of {label}"] = "without an offset: read as UTC"
    found.close()
    return found


def _read(about: TextFile, label: str, ladder: Ladder, moments: Moments, progress: Progress) -> tuple[Found, Moments]:
    found = Found(label)
    if about.flaw:
        found.complain(0, f"{about.flaw}; what could not be read there is shown as \ufffd")
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
