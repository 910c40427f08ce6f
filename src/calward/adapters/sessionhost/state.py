"""Where does a session host keep what it has to remember for its grace period and its users?

A folder that only its owner can open: ``host.json`` for the host, ``users/HASH.json`` for each user,
``devices/HASH.json`` for each device, ``lock``. A file is
replaced whole (written, synced, renamed), so that a reader or a crash sees the old one or the new one, never a part.

Nothing here raises: a user stands at the door. What cannot be read or kept is said to the administrator; a host that has
lost its own file has no grace left, or all of it, as its administrator chose (``Lost``).
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from enum import Enum
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar

from calward.adapters.sessionhost.lock import FolderLock, Hold
from calward.adapters.sessionhost.state_format import (
    FormatError,
    host_document,
    host_part,
    user_document,
    user_part,
)
from calward.app.sessionhost.ports import Complain, HostPolicy, Memory, TimeLeft
from calward.domain.grace import USED_UP, GraceState

__all__ = ["Lost", "StateFolder", "heard_policy", "replace_file"]

T = TypeVar("T")

_FORGOTTEN_AT_ONCE: Final = 50
_PRIVATE_FILE: Final = 0o600


class Lost(Enum):
    """What a host that cannot read its own memory takes for granted."""

    NO_GRACE = USED_UP
    """Nobody gains a new grace period by breaking a file."""
    NEW_GRACE = GraceState()
    """Nobody is kept out because a file broke."""


class StateFolder:
    """The memory of a host, a ``HostMemory`` and a ``HolderShelf``; made when first used.

    ``holders``: the folder of one kind of them. ``turn``: where the threads of one process wait for each other, so that
    only one of them at a time tries for the lock that all processes share.
    """

    def __init__(
        self,
        folder: Path,
        *,
        lost: Lost,
        complain: Complain,
        time_left: TimeLeft,
        holders: str = "users",
        turn: "Lock | None" = None,
    ) -> None:
        self._folder = folder
        self._holders = holders
        self._lost = lost
        self._complain = complain
        self._lock = FolderLock(folder, holders, complain=complain, time_left=time_left, turn=turn or Lock())

    def change(self, user: str, revise: Callable[[Memory], tuple[Memory, T]]) -> T:
        """Revise what is remembered of the host and of one user; see ``HostMemory``."""
        with self._lock.held() as hold:
            before = self._read(user) if hold is not Hold.NOTHING else None
            after, result = revise(before or self._loss)
            if hold is Hold.ALONE and before is not None:
                self._keep(user, before, after)
            return result

    def holders(self) -> Iterator[tuple[str, Memory]]:
        """Every holder that is remembered, by name; what cannot be read is left out. Takes no lock: files are replaced whole."""
        folder = self._folder / self._holders
        for path in sorted(folder.glob("*.json")) if folder.is_dir() else ():
            with suppress(OSError, FormatError, ValueError, RecursionError, KeyError, TypeError):
                document = json.loads(path.read_bytes())
                yield str(document["user"]), user_part(document)

    def count(self) -> int:
        """How many files of this kind of holders there are."""
        with suppress(OSError), os.scandir(self._folder / self._holders) as found:
            return sum(1 for one in found if one.name.endswith(".json"))
        return 0

    def forget(self, judged: list[tuple[str, Memory]]) -> int:
        """Take away the files of those that are still as they were judged; see ``HolderShelf``."""
        parts = range(0, len(judged), _FORGOTTEN_AT_ONCE)
        return sum(self._forget(judged[at : at + _FORGOTTEN_AT_ONCE]) for at in parts)

    def _forget(self, judged: list[tuple[str, Memory]]) -> int:
        """Those who stand at the door wait meanwhile, so it is done for some at a time."""
        forgotten = 0
        with self._lock.held() as hold:
            for user, memory in judged if hold is Hold.ALONE else ():
                path = self._user_file(user)
                with suppress(OSError, FormatError, ValueError, RecursionError):
                    if user_part(json.loads(path.read_bytes())) == memory:
                        path.unlink()
                        forgotten += 1
        return forgotten

    def _read(self, user: str) -> Memory | None:
        """Read both files; None where that fails today: then they are not written either, tomorrow they may be well."""
        try:
            return self._read_both(user)
        except OSError as error:
            self._complain(f"what this host remembers in {self._folder} cannot be read: {error}")
            return None

    def _read_both(self, user: str) -> Memory:
        host = self._load(self._host_file, host_part)
        known = self._load(self._user_file(user), user_part)
        memory = host or Memory()
        if known is None:
            return memory
        return replace(memory, last=known.last, sessions=known.sessions, proven=known.proven)

    def _load(self, path: Path, read: Callable[[Any], Memory]) -> Memory | None:
        """Read one file; None where there is none yet, or a user's file is broken; raises OSError."""
        try:
            return read(json.loads(path.read_bytes()))
        except FileNotFoundError:
            return None
        except (FormatError, ValueError, RecursionError) as error:
            self._set_aside(path, error)
            return self._loss if path == self._host_file else None

    def _set_aside(self, path: Path, error: Exception) -> None:
        """Keep a copy to look at. The broken file stays until it is replaced: without it this would be a new host."""
        aside = path.with_suffix(".broken")
        aside.write_bytes(path.read_bytes())
        self._complain(f"{path} is broken ({error}): a copy is kept as {aside.name}, {self._consequence(path)}")

    def _consequence(self, path: Path) -> str:
        if path != self._host_file:
            return "the user has no license in hand until a license server answers again"
        return "the host has no grace left" if self._lost is Lost.NO_GRACE else "the grace period begins anew"

    def _keep(self, user: str, before: Memory, after: Memory) -> None:
        try:
            if (after.grace, after.policy) != (before.grace, before.policy):
                replace_file(self._host_file, host_document(after))
            if (after.last, after.sessions, after.proven) != (before.last, before.sessions, before.proven):
                replace_file(self._user_file(user), user_document(user, after))
        except OSError as error:
            self._complain(f"what this host has to remember cannot be written to {self._folder}: {error}")

    @property
    def _loss(self) -> Memory:
        return Memory(grace=self._lost.value)

    @property
    def _host_file(self) -> Path:
        return self._folder / "host.json"

    def _user_file(self, user: str) -> Path:
        """A name of any length and with any letters gets a plain file name; the name itself stands in the file."""
        return (
            self._folder / self._holders / f"{hashlib.sha256(user.encode(errors='surrogateescape')).hexdigest()}.json"
        )


def heard_policy(folder: Path) -> HostPolicy | None:
    """What a license server has last said of this host; None where nothing is known or can be read. Takes no lock."""
    try:
        return host_part(json.loads((folder / "host.json").read_bytes())).policy
    except (FormatError, OSError, ValueError, RecursionError):
        return None


def replace_file(path: Path, document: dict[str, Any]) -> None:
    """Replace a file whole, durably, readable by its owner only; raises OSError."""
    draft = path.with_suffix(".new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, _PRIVATE_FILE)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump(document, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
