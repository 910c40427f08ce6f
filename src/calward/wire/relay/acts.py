"""What does the relay want done? It touches no socket itself: it gives these, in order, to whoever holds the two connections."""

from dataclasses import dataclass
from typing import TypeAlias

from calward.wire.rdpele.server_session import Client

__all__ = ["Act", "Ask", "Close", "LoggedOn", "OpenHost", "Secure", "Splice", "ToClient", "ToHost"]


@dataclass(frozen=True, slots=True)
class OpenHost:
    """Connect to the host; what is for it follows."""


@dataclass(frozen=True, slots=True)
class ToClient:
    """Send to the client."""

    data: bytes


@dataclass(frozen=True, slots=True)
class ToHost:
    """Send to the host. May hold a password: it is never logged nor shown."""

    data: bytes

    def __repr__(self) -> str:
        return f"ToHost({len(self.data)} bytes)"


@dataclass(frozen=True, slots=True)
class Secure:
    """Begin TLS, as server towards the client and, where ``host`` says so, as client towards the host."""

    host: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """Decide whether this device may connect, and say so by ``decided``; nothing of what a client says is proven.

    ``client`` None: the licensing phase was not begun, only the name that the client gave is known. ``user``: as whom it wants
    to log on.
    """

    client: Client | None
    name: str
    user: str = ""


@dataclass(frozen=True, slots=True)
class LoggedOn:
    """Note that the host has accepted somebody's logon with this device, which has just been let through."""


@dataclass(frozen=True, slots=True)
class Splice:
    """Copy bytes both ways from now on; what has been read already was given by acts before this one."""


@dataclass(frozen=True, slots=True)
class Close:
    """End both connections, after what was to be sent; ``why`` is a sentence for the log, or "" where all is as it should be."""

    why: str


Act: TypeAlias = OpenHost | ToClient | ToHost | Secure | Ask | LoggedOn | Splice | Close
