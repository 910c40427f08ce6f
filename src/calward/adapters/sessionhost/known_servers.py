"""Which license servers does this host know well enough to check their licenses while they are away?

``servers.json`` in the state folder, by the server's address in the host's list::

    {"https://ls1:8460": {"server_id": "…", "keys": ["base64"…], "revoked": ["L12"…], "heard_at": TIME}}
"""

import base64
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from threading import Lock
from typing import Any

from calward.adapters.sessionhost.state import replace_file
from calward.app.sessionhost.heartbeats import HeartbeatAnswer
from calward.app.sessionhost.ports import Complain
from calward.domain.issued_license import KnownServer

__all__ = ["KnownServers"]


class KnownServers:
    """Kept in memory and on disk; may be used by several threads. Never raises: what cannot be read or kept is complained of."""

    def __init__(self, folder: Path, listed: Iterable[str], complain: Complain) -> None:
        self._path = folder / "servers.json"
        self._listed = frozenset(listed)
        self._complain = complain
        self._lock = Lock()
        self._known = self._load()

    def all(self) -> list[KnownServer]:
        """Those of the host's list that are known: a server that was taken out of the list counts no more."""
        with self._lock:
            return [self._known[name] for name in sorted(self._known) if name in self._listed]

    def heard(self, name: str, answer: HeartbeatAnswer) -> None:
        """Keep what a server has told; written only where it is something new."""
        known = KnownServer(name, answer.server_id, frozenset(answer.license_keys), answer.revoked)
        with self._lock:
            if self._known.get(name) == known:
                return
            self._known[name] = known
            document = {one.name: _document(one, answer.policy.heard_at) for one in self._known.values()}
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                replace_file(self._path, document)
            except OSError as error:
                self._complain(f"what license servers have told cannot be kept in {self._path}: {error}")

    def _load(self) -> dict[str, KnownServer]:
        try:
            document = json.loads(self._path.read_bytes())
            return {name: _read(name, fields) for name, fields in document.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            self._complain(f"{self._path} cannot be read ({error}): licenses are not known until the servers answer")
            return {}


def _document(one: KnownServer, heard_at: datetime) -> dict[str, Any]:
    keys = [base64.b64encode(key).decode() for key in sorted(one.keys)]
    return {"server_id": one.server_id, "keys": keys, "revoked": sorted(one.revoked), "heard_at": heard_at.isoformat()}


def _read(name: str, fields: dict[str, Any]) -> KnownServer:
    keys = frozenset(base64.b64decode(key, validate=True) for key in fields["keys"])
    return KnownServer(name, str(fields["server_id"]), keys, frozenset(map(str, fields["revoked"])))
