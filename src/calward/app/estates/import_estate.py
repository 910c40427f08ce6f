"""Import files of another system as one snapshot, and keep it.

Source: rd-licensing 7.2-7.4 (what the files hold), 2.1 (what their numbers mean).
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from calward.app.estates.found import Found, Progress
from calward.app.estates.join import join
from calward.app.estates.ports import EstateStore, ExportReader
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder
from calward.insight.estate import Estate

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


def import_estate(
    command: ImportEstate, *, reader: ExportReader, store: EstateStore, ladder: Ladder, progress: Progress
) -> Estate:
    """Read the files, join them and keep the snapshot.

    Raises: LicensingError: one of the files is missing or is none of the known kinds, and nothing is kept; or the snapshot cannot be kept.
    """
    found: list[tuple[Found, str | None]] = []
    refused: list[LicensingError] = []
    names = Counter(file.path.name for file in command.files)
    for file in command.files:
        label = file.path.name if names[file.path.name] == 1 else str(file.path)
        try:
            found.append((reader.read(file.path, ladder, progress, label=label), file.server))
        except LicensingError as error:
            refused.append(error)
    if refused:
        raise LicensingError(refused[0].problem, "; ".join(error.detail for error in refused))
    if not found:
        raise LicensingError(Problem.MALFORMED, "there is no file to import")
    estate = join(found, command.name, command.taken_at, ladder)
    store.keep(estate)
    return estate
