"""Where does the passphrase of the clearinghouse's keys come from? From a file that the environment names, else from whoever sits there."""

import getpass
import os
import stat
import sys
from functools import cache
from pathlib import Path
from typing import Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["PASSPHRASE_FILE", "ask_passphrase", "named_passphrase", "new_passphrase"]

PASSPHRASE_FILE: Final = "CALWARD_CLEARINGHOUSE_PASSPHRASE_FILE"  # noqa: S105 - the name of a variable
_LEAST: Final = 12
"""Characters of a new passphrase."""
_MOST: Final = 1024


def ask_passphrase() -> bytes:
    """The passphrase; asked at most once a process. Raises LicensingError(UNAUTHORIZED) where nobody can say it."""
    return named_passphrase() or _typed()


def named_passphrase() -> bytes | None:
    """The first line of the file that the environment names, None where it names none; others may not read it."""
    named = os.environ.get(PASSPHRASE_FILE)
    if not named:
        return None
    path = Path(named)
    try:
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                raise LicensingError(Problem.FORBIDDEN, f"others than its owner may read {path}: chmod 600 it")
            line = file.readline(_MOST).rstrip(b"\r\n")
    except OSError as error:
        raise LicensingError(
            Problem.UNAUTHORIZED, f"the passphrase cannot be read from {path}: {error.strerror}"
        ) from None
    if not line:
        raise LicensingError(Problem.UNAUTHORIZED, f"the first line of {path} is empty: it must be the passphrase")
    return line


def new_passphrase() -> bytes:
    """A passphrase for keys that are to be encrypted, typed twice where no file is named; raises LicensingError."""
    found = named_passphrase()
    if found is None:
        _needs_terminal()
        first, second = getpass.getpass("new passphrase: "), getpass.getpass("once more: ")
        if first != second:
            raise LicensingError(Problem.MALFORMED, "the two differ: nothing was changed")
        found = first.encode()
    if len(found) < _LEAST:
        raise LicensingError(Problem.MALFORMED, f"a passphrase has {_LEAST} characters at least: nothing was changed")
    return found


@cache
def _typed() -> bytes:
    _needs_terminal()
    return getpass.getpass("passphrase of the clearinghouse's keys: ").encode()


def _needs_terminal() -> None:
    if not sys.stdin.isatty():
        detail = f"the clearinghouse's keys are encrypted: name a file with the passphrase in {PASSPHRASE_FILE}"
        raise LicensingError(Problem.UNAUTHORIZED, detail)
