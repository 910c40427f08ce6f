"""How does a token get into a file that nobody but its owner can read?"""

import os
import stat
from pathlib import Path

from calward.domain.errors import LicensingError, Problem

__all__ = ["check_free", "read_secret", "write_secret"]

_LONGEST = 4096


def check_free(path: Path) -> None:
    """Refuse a place that is taken or not there, before a secret is made that is shown once; raises LicensingError."""
    if path.exists() or path.is_symlink():
        raise LicensingError(
            Problem.CONFLICT, f"{str(path)!a} exists already: name a new file, or move the old one away"
        )
    if not path.absolute().parent.is_dir():
        raise LicensingError(Problem.NOT_FOUND, f"there is no folder {str(path.absolute().parent)!a}")


def read_secret(path: Path) -> str:
    """The first line of a file that only its owner can read.

    Raises: LicensingError: NOT_FOUND; FORBIDDEN: others may read it; MALFORMED: no text; UNAVAILABLE.
    """
    try:
        # The open file is asked for its mode, not the path: nobody can exchange it in between.
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise LicensingError(Problem.FORBIDDEN, f"others than its owner may read {str(path)!a}: chmod 600 it")
            return file.read(_LONGEST).decode().split("\n", 1)[0]
    except FileNotFoundError:
        raise LicensingError(Problem.NOT_FOUND, f"there is no file {str(path)!a}") from None
    except UnicodeDecodeError:
        raise LicensingError(Problem.MALFORMED, f"{str(path)!a} is no text in UTF-8") from None
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{str(path)!a} cannot be read: {error.strerror}") from None


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
