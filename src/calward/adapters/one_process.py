"""Does another process use this already? A lock on a file beside it, which the kernel takes back whatever ends its holder."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from calward.domain.errors import LicensingError, Problem

__all__ = ["only_process"]


@contextmanager
def only_process(lock_file: Path, otherwise: str) -> Iterator[None]:
    """Hold a lock file, made if need be, in a folder that there is.

    Raises: LicensingError: CONFLICT with ``otherwise``: somebody else holds it; UNAVAILABLE: it cannot be opened.
    """
    try:
        # Nobody else may even read it: that would be enough to hold the lock.
        held = os.open(lock_file, os.O_CREAT | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{lock_file} cannot be opened: {error.strerror}") from None
    try:
        _lock(held, otherwise)
        yield
    finally:
        os.close(held)


def _lock(held: int, otherwise: str) -> None:
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        raise LicensingError(Problem.CONFLICT, otherwise) from None
