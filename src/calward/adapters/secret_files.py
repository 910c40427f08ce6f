"""How does a token get into a file that nobody but its owner can read?"""

import os
from pathlib import Path

from calward.domain.errors import LicensingError, Problem

__all__ = ["check_free", "write_secret"]


def check_free(path: Path) -> None:
    """Refuse a place that is taken or not there, before a secret is made that is shown once; raises LicensingError."""
    if path.exists() or path.is_symlink():
        raise LicensingError(
            Problem.CONFLICT, f"{str(path)!a} exists already: name a new file, or move the old one away"
        )
    if not path.absolute().parent.is_dir():
        raise LicensingError(Problem.NOT_FOUND, f"there is no folder {str(path.absolute().parent)!a}")


def write_secret(path: Path, secret: str) -> None:
    """Write a new file with mode 0600 and one line; raises LicensingError: CONFLICT where it exists, UNAVAILABLE."""
    check_free(path)
    try:
        number = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, 0o600)
        with os.fdopen(number, "w", encoding="ascii") as file:
            file.write(f"{secret}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{str(path)!a} cannot be written: {error.strerror}") from None
