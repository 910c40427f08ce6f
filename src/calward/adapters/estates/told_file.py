"""Where is written what each receiver of notices was told of an estate?"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from calward.adapters.whole_file import read_json, write_whole
from calward.domain.errors import LicensingError, Problem
from calward.insight.findings import Severity
from calward.insight.notices import Told
from calward.insight.watching import Known

__all__ = ["ToldFile"]


class ToldFile:
    """A file of JSON; every method raises LicensingError."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Told]:
        """What each receiver knows, by its name; nothing where there is no file."""
        document: Any = read_json(self.path)
        try:
            return {} if document is None else {name: _told(one) for name, one in document["told"].items()}
        except (ValueError, KeyError, TypeError, AttributeError):
            detail = f"{str(self.path)!a} does not say what was told: move it away, and all is told again"
            raise LicensingError(Problem.CORRUPT, detail) from None

    def write(self, told: Mapping[str, Told]) -> None:
        """Write it whole and durable."""
        document = {
            name: {
                "number": one.number,
                "findings": {key: _row(known) for key, known in one.findings.items()},
            }
            for name, one in told.items()
        }
        write_whole(self.path, json.dumps({"told": document}, indent=1).encode() + b"\n")


def _row(known: Known) -> dict[str, Any]:
    row: dict[str, Any] = {"severity": known.severity.value, "what": known.what}
    return row if known.easing_since is None else row | {"easing_since": known.easing_since}


def _told(row: Mapping[str, Any]) -> Told:
    return Told({key: _known(one) for key, one in row["findings"].items()}, int(row["number"]))


def _known(row: Mapping[str, Any]) -> Known:
    since = row.get("easing_since")
    return Known(Severity(row["severity"]), str(row["what"]), None if since is None else int(since))
