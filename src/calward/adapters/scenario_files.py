"""What stands in a scenario file?"""

from pathlib import Path
from typing import Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["read_scenario_file"]

_MAX_BYTES: Final = 4_194_304
"""Tens of thousands of steps; whatever is larger is some other file."""


def read_scenario_file(path: str) -> str:
    """Read a scenario file as text.

    Raises: LicensingError: NOT_FOUND where there is none, UNAVAILABLE where it cannot be read, MALFORMED where it is no text.
    """
    try:
        with Path(path).open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise LicensingError(Problem.NOT_FOUND, "there is no such file") from None
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise LicensingError(Problem.UNAVAILABLE, f"the file cannot be read: {why.lower()}") from error
    if len(content) > _MAX_BYTES:
        raise LicensingError(Problem.MALFORMED, f"this is no scenario: it is larger than {_MAX_BYTES} bytes")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise LicensingError(Problem.MALFORMED, f"line {line}: the file must be text in UTF-8") from None
