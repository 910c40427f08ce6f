"""Exported files for tests: a text as a file, read, and rows that state only what matters."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from calward.adapters.exports.reading import ExportFiles
from calward.app.estates.found import Found
from tests.support.builders import ladder

PACK: dict[str, object] = {
    "KeyPackId": 3,
    "KeyPackType": 2,
    "ProductType": 0,
    "ProductVersion": "Windows Server 2016",
    "ProductVersionID": 5,
    "TotalLicenses": 250,
    "IssuedLicenses": 200,
    "AvailableLicenses": 50,
    "ExpirationDate": "20380101000000.000000-000",
}
ISSUED: dict[str, object] = {
    "LicenseId": 7,
    "KeyPackId": 3,
    "sIssuedToUser": "CORP\\anna",
    "sIssuedToComputer": "WS-1",
    "LicenseStatus": 2,
    "IssueDate": "20260101120000.000000+060",
    "ExpirationDate": "20260301120000.000000+060",
    "sHardwareId": "0A1B",
}


def table(*rows: dict[str, object], separator: str = ",", end: str = "\r\n") -> str:
    """Rows as CSV with a header."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=separator, lineterminator=end)
    writer.writerow(rows[0])
    writer.writerows(row.values() for row in rows)
    return out.getvalue()


def a_pack(**changes: Any) -> dict[str, object]:
    return PACK | changes


def an_issued(**changes: Any) -> dict[str, object]:
    return ISSUED | changes


def without(row: dict[str, object], *names: str) -> dict[str, object]:
    return {name: value for name, value in row.items() if name not in names}


def read(folder: Path, content: str | bytes, name: str = "export.csv", encoding: str = "utf-8") -> Found:
    """What a file with this content says."""
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return read_file(path)


def read_file(path: Path, progress: Any = lambda *_: None) -> Found:
    return ExportFiles().read(path, ladder(), progress)


def complaints(found: Found) -> Iterable[tuple[int, str]]:
    return [(one.line, one.reason) for one in found.problems]
