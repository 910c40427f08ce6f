"""How does a report get to its file: whole or not at all, piece by piece."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from calward.adapters.exports.writing.xlsx_file import save_xlsx
from calward.domain.errors import LicensingError, Problem
from calward.insight.reports.report import Report

__all__ = ["save_pieces", "save_workbook"]


def save_pieces(path: Path, pieces: Iterable[str]) -> None:
    """Write a text in UTF-8, in place of an earlier file; raises LicensingError(UNAVAILABLE)."""

    def write(partial: Path) -> None:
        with partial.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            file.writelines(pieces)

    _save(path, write)


def save_workbook(path: Path, report: Report) -> None:
    """Write a report as a workbook, in place of an earlier file; raises LicensingError(UNAVAILABLE)."""
    _save(path, lambda partial: save_xlsx(report, partial))


def _save(path: Path, write: Callable[[Path], None]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        partial.touch()  # Where no file can be made, nothing else need begin.
        write(partial)
        partial.replace(path)
    except OSError as error:
        detail = f"{str(path)!a} cannot be written: {error.strerror or error}"
        raise LicensingError(Problem.UNAVAILABLE, detail) from None
    finally:
        partial.unlink(missing_ok=True)
