"""What do a session host and its license server tell each other once a minute, and for the wire?"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from calward.app.heartbeats import MAX_SESSIONS
from calward.app.sessionhost.ports import HostPolicy, LicenseServer

__all__ = ["MAX_SESSIONS", "AgentServer", "HeartbeatAnswer", "HeartbeatReport", "LiveSession", "WireChain"]


@dataclass(frozen=True, slots=True)
class LiveSession:
    """A session that is open now. ``line`` is its terminal (an X display, a tty); ``since`` is aware.

    ``license`` and ``hardware_id`` (the device's id, by the host's rule) are None where there is none or it is not known.
    """

    line: str
    user: str
    since: datetime
    license: str | None = None
    hardware_id: str | None = None


@dataclass(frozen=True, slots=True)
class HeartbeatReport:
    """What a host tells: the release of its agent and its open sessions, at most ``MAX_SESSIONS``."""

    agent: str
    sessions: tuple[LiveSession, ...] = ()


@dataclass(frozen=True, slots=True)
class HeartbeatAnswer:
    """What the server tells: the host's policy, and all that is needed to check its licenses while it is away.

    ``license_keys`` are raw Ed25519 public keys, newest first; ``revoked`` names its licenses that are revoked and would still run.
    """

    policy: HostPolicy
    license_keys: tuple[bytes, ...]
    server_id: str
    revoked: frozenset[str]


@dataclass(frozen=True, slots=True)
class WireChain:
    """Certificates (DER) for the licensing protocol: the license server's root first, the host's own last."""

    chain: tuple[bytes, ...]
    expires_at: datetime


class AgentServer(LicenseServer, Protocol):
    """A license server as a daemon needs it; what it is asked raises LicensingError when no answer comes in time."""

    def heartbeat(self, report: HeartbeatReport, *, seconds: float, now: datetime) -> HeartbeatAnswer:
        """Tell what is open here, and hear what the server says of this host and of its licenses."""

    def certificate(self, public_key: bytes, *, seconds: float) -> WireChain:
        """Ask for certificates of this host's key (DER) for the wire."""
