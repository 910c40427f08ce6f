"""Who may write to a session host's state folder now? One process at a time, and one of its threads; nobody waits long."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from threading import Lock
from typing import Final

from calward.app.sessionhost.ports import Complain, TimeLeft

__all__ = ["FolderLock", "Hold"]

_PAUSE: Final = 0.01
"""Seconds between two tries to get the lock."""
_PATIENCE: Final = 0.3
"""Seconds at most; whoever holds it only writes two small files."""
_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600
_OTHERS: Final = 0o077


class Hold(Enum):
    """What one process may do with the folder."""

    ALONE = "read and write"
    READING = "read: somebody else has it and does not let go"
    NOTHING = "neither: it is not ours, or the disk does not take anything"


class FolderLock:
    """The lock of a state folder, which is made when first used, with the folder of one kind of holders in it.

    Raises nothing: what it cannot do it complains of. ``turn``: where the threads of one process wait for each other, so that
    only one of them at a time tries for the lock that all processes share.
    """

    def __init__(self, folder: Path, holders: str, *, complain: Complain, time_left: TimeLeft, turn: "Lock") -> None:
        self._folder = folder
        self._holders = holders
        self._complain = complain
        self._time_left = time_left
        self._turn = turn

    @contextmanager
    def held(self) -> Iterator[Hold]:
        """Hold it for as long as the block runs; says what may be done in there."""
        try:
            self._make()
            handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE_FILE)
        except OSError as error:
            self._complain(f"the state folder {self._folder} cannot be used: {error}")
            yield Hold.NOTHING
            return
        patience = max(0.0, min(_PATIENCE, self._time_left()))
        until = time.monotonic() + patience
        ours = self._turn.acquire(timeout=patience)
        try:
            yield self._wait_for(handle, until)
        finally:
            os.close(handle)
            if ours:
                self._turn.release()

    def _make(self) -> None:
        holders = self._folder / self._holders
        if not holders.is_dir():
            self._folder.mkdir(_PRIVATE_FOLDER, parents=True, exist_ok=True)
            holders.mkdir(_PRIVATE_FOLDER, exist_ok=True)
        state = self._folder.stat()
        if state.st_uid != os.geteuid() or state.st_mode & _OTHERS:
            raise PermissionError(
                f"it must belong to the user who runs this and be closed to others: chmod 700 {self._folder}"
            )

    def _wait_for(self, handle: int, until: float) -> Hold:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= until:
                    break
                time.sleep(_PAUSE)
            else:
                return Hold.ALONE
        self._complain(f"another process keeps {self._folder} locked: this logon is not remembered")
        return Hold.READING
