"""Import files of another system as one snapshot, and keep it.

Source: rd-licensing 7.2-7.4 (what the files hold), 2.1 (what their numbers mean).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from calward.app.estates.found import DateOrder, Found, Progress
from calward.app.estates.join import join
from calward.app.estates.ports import EstateStore, ExportReader
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder
from calward.insight.estate import Estate, ImportProblem

__all__ = ["ImportEstate", "ImportFile", "import_estate"]


@dataclass(frozen=True, slots=True)
class ImportFile:
    """A file, and the license server whose it is where it does not say so itself."""

    path: Path
    server: str | None = None


@dataclass(frozen=True, slots=True)
class ImportEstate:
    """What was asked for: files of the same moment, all of one estate."""

    name: str
    files: Sequence[ImportFile]
    taken_at: int


Read = Callable[[Path, bool], Found]
"""Reads a file; the second says whether 3/4 is the third of April where the file leaves it open."""


def import_estate(
    command: ImportEstate, *, reader: ExportReader, store: EstateStore, ladder: Ladder, progress: Progress
) -> Estate:
    """Read the files, join them and keep the snapshot.

    Raises: LicensingError: one of the files is missing or is none of the known kinds, and nothing is kept; or the snapshot cannot be kept.
    """
    names = Counter(file.path.name for file in command.files)

    def read(path: Path, day_first: bool) -> Found:  # noqa: FBT001 - said where the type is declared.
        label = path.name if names[path.name] == 1 else str(path)
        return reader.read(path, ladder, progress, label=label, day_first=day_first)

    found = _dates_settled(command.files, _read_all(command.files, read), read)
    if not found:
        raise LicensingError(Problem.MALFORMED, "there is no file to import")
    files = [(one, file.server) for one, file in zip(found, command.files, strict=True)]
    estate = join(files, command.name, command.taken_at, ladder)
    store.keep(estate)
    return estate


def _read_all(files: Sequence[ImportFile], read: Read) -> list[Found]:
    found: list[Found] = []
    refused: list[LicensingError] = []
    for file in files:
        try:
            found.append(read(file.path, False))  # noqa: FBT003
        except LicensingError as error:
            refused.append(error)
    if refused:
        raise LicensingError(refused[0].problem, "; ".join(error.detail for error in refused))
    return found


def _dates_settled(files: Sequence[ImportFile], found: Sequence[Found], read: Read) -> list[Found]:
    """Files of one import are of one estate: where one of them leaves it open what 3/4 is, the others say."""
    orders = {one.dates for one in found}
    day_first = DateOrder.DAY_FIRST in orders and not orders & {DateOrder.MONTH_FIRST, DateOrder.BOTH}
    settled: list[Found] = []
    for file, one in zip(files, found, strict=True):
        if one.dates is DateOrder.OPEN and day_first:
            one = read(file.path, day_first)  # noqa: PLW2901 - what was read the wrong way is let go.
        reason = _doubt(one, decided=day_first or orders & _DECIDED == {DateOrder.MONTH_FIRST})
        if reason:
            one.problems.append(ImportProblem(one.file, 0, reason))
        settled.append(one)
    return settled


_DECIDED: Final = frozenset({DateOrder.DAY_FIRST, DateOrder.MONTH_FIRST, DateOrder.BOTH})


def _doubt(found: Found, *, decided: bool) -> str:
    """What is to be told of dates that could be read in two ways."""
    if found.dates is DateOrder.BOTH and found.open_date:
        return f"some of its dates are day first and others month first: those that could be either, such as {found.open_date}, were read month first"
    if found.dates is DateOrder.OPEN and not decided:
        return (
            f"nothing shows whether dates such as {found.open_date} are day first or month first: read month first; "
            "Get-WmiObject writes dates that cannot be mistaken"
        )
    return ""
