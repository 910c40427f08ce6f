"""How much of its license servers' ledgers has this host seen?

A server's answers carry the newest checkpoint of its ledger; the largest one is kept and shown with every request, so that a server
whose ledger went back in time (an old backup, a clone) hears of it before it issues. ``checkpoints.json`` in the state folder, by the
server's address in the host's list::

    {"https://ls1:8460": {"origin": "…/calward", "size": 977, "at": TIME, "header": "base64"}}

Nothing is verified here: the server itself knows its own signature. The standard library only (docs/decisions/0010).
"""

import base64
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any, Final

from calward.adapters.sessionhost.state import replace_file
from calward.app.sessionhost.ports import Complain

__all__ = ["HostCheckpoints"]

_MOST: Final = 2048
"""Letters of a header; one takes about 400."""
_WRITE_EVERY: Final = 30.0
"""Seconds between two writes: after a power cut that much is forgotten of what was heard, which the next answer tells again."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A checkpoint: the ledger's name and size, when it was signed (seconds since 1970), and the header as it came."""

    origin: str
    size: int
    at: int
    header: str


class HostCheckpoints:
    """Kept in memory and on disk; may be used by several threads. Never raises: what cannot be kept is complained of, once."""

    def __init__(self, folder: Path, complain: Complain) -> None:
        self._path = folder / "checkpoints.json"
        self._complain = complain
        self._lock = Lock()
        self._seen = self._load()
        self._written = -_WRITE_EVERY
        self._complained = False

    def newest(self, server: str) -> str | None:
        """What to show to a server: the largest checkpoint of its ledger, whoever of its addresses has told it."""
        with self._lock:
            own = self._seen.get(server)
            if own is None:
                return None
            return max((one for one in self._seen.values() if one.origin == own.origin), key=_size).header

    def heard(self, server: str, header: str, since: str | None) -> None:
        """Keep what an answer told, if it is larger than what is known, or what is known was given up (``since``)."""
        found = _read(header)
        if found is None:
            return
        given_up = int(since) if since is not None and since.isascii() and since.isdigit() else -1
        with self._lock:
            stale = [name for name, one in self._seen.items() if one.origin == found.origin and one.at <= given_up]
            for name in stale:
                del self._seen[name]
            known = self._seen.get(server)
            if known is not None and known.origin == found.origin and known.size >= found.size:
                return
            self._seen[server] = found
            if stale or known is None or time.monotonic() - self._written >= _WRITE_EVERY:
                self._write()

    def _write(self) -> None:
        self._written = time.monotonic()
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Of this process alone: without an agent each logon is one, and two may write at a time.
            draft = self._path.with_name(f"checkpoints-{os.getpid()}.json")
            replace_file(draft, {name: asdict(one) for name, one in sorted(self._seen.items())})
            draft.replace(self._path)
        except OSError as error:
            if not self._complained:
                self._complain(f"what license servers' ledgers were cannot be kept in {self._path}: {error}")
            self._complained = True

    def _load(self) -> dict[str, _Seen]:
        try:
            document = json.loads(self._path.read_bytes())
            return {name: _kept(fields) for name, fields in document.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            self._complain(f"{self._path} cannot be read ({error}): what license servers' ledgers were is not known")
            return {}


def _size(one: _Seen) -> int:
    return one.size


def _kept(fields: Mapping[str, Any]) -> _Seen:
    return _Seen(str(fields["origin"]), int(fields["size"]), int(fields["at"]), str(fields["header"]))


def _read(header: str) -> _Seen | None:
    """The first lines of a checkpoint: its origin, its size, its root, and when it was signed; None for anything else."""
    if len(header) > _MOST:
        return None
    try:
        origin, size, _root, extra, *_ = base64.b64decode(header, validate=True).decode().split("\n")
        at = datetime.fromisoformat(extra.removeprefix("time "))
        return _Seen(origin, int(size), int(at.timestamp()), header)
    except (ValueError, OverflowError):
        return None
