"""Which certificates does this host show on the wire? Those that a license server made for its key, kept and renewed in time.

``wire-chain.json`` in the state folder: ``{"key": SHA-256 of the public key, "chain": ["base64 DER"…], "expires_at": TIME}``.
"""

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final

from calward.adapters.sessionhost.state import replace_file
from calward.app.sessionhost.heartbeats import WireChain
from calward.app.sessionhost.ports import Complain

__all__ = ["HostWireChain"]

_RENEW: Final = timedelta(days=30)
"""Before its end: clients do not look at it, but whoever does shall never find an expired one."""


class HostWireChain:
    """The chain for one public key (DER); may be used by several threads. Never raises but what ``ask`` raises."""

    def __init__(self, folder: Path, public_key_der: bytes, complain: Complain) -> None:
        self.public_key_der = public_key_der
        self._path = folder / "wire-chain.json"
        self._key = hashlib.sha256(public_key_der).hexdigest()
        self._complain = complain
        self._lock = Lock()
        self._held = self._load()

    def certificates(self) -> tuple[bytes, ...]:
        """DER, root first; nothing where no license server has given any."""
        with self._lock:
            return self._held.chain if self._held else ()

    def renew(self, now: datetime, ask: Callable[[bytes], WireChain]) -> None:
        """Ask for a chain where there is none or its end is near; ``ask`` may raise LicensingError."""
        held = self._held
        if held is not None and now < held.expires_at - _RENEW:
            return
        fresh = ask(self.public_key_der)
        chain = [base64.b64encode(one).decode() for one in fresh.chain]
        with self._lock:
            self._held = fresh
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                replace_file(self._path, {"key": self._key, "chain": chain, "expires_at": fresh.expires_at.isoformat()})
            except OSError as error:
                self._complain(f"the certificates for the wire cannot be kept in {self._path}: {error}")

    def _load(self) -> WireChain | None:
        """What was kept; None for another key: the host has a new one."""
        try:
            kept = json.loads(self._path.read_bytes())
            if kept["key"] != self._key:
                return None
            chain = tuple(base64.b64decode(one, validate=True) for one in kept["chain"])
            ends = datetime.fromisoformat(kept["expires_at"])
            return WireChain(chain, ends) if chain and ends.tzinfo else None
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            self._complain(f"{self._path} cannot be read ({error}): a license server is asked anew")
            return None
