"""Does another process use this already? A lock on a file beside it, which the kernel takes back whatever ends its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from calward.domain.errors import LicensingError, Problem

__all__ = ["only_process"]

_MOST_DIGITS = 20


@contextmanager
def only_process(lock_file: Path, otherwise: str, helps: str) -> Iterator[None]:
    """Hold a lock file, made if need be, in a folder that there is; its text is our process id.

    Raises: LicensingError: CONFLICT with ``otherwise`` and ``helps``: somebody else holds it, and who; UNAVAILABLE: it cannot be opened.
    """
    try:
        # Nobody else may even read it: that would be enough to hold the lock.
        held = os.open(lock_file, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{lock_file} cannot be opened: {error.strerror}") from None
    try:
        if not _locked(held):
            who = os.pread(held, _MOST_DIGITS, 0).decode("ascii", "replace").strip()
            process = f"process {who}" if who.isdecimal() else "that process"
            detail = f"{otherwise} ({process} holds {lock_file})"
            raise LicensingError(Problem.CONFLICT, detail, helps=helps)
        os.ftruncate(held, 0)
        os.pwrite(held, b"%d\n" % os.getpid(), 0)
        yield
    finally:
        os.close(held)


def _locked(held: int) -> bool:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
