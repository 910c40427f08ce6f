"""What does the relay's entry point have to be told, and whom does it ask?"""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeAlias

from calward.app.sessionhost.check_device import DeviceQuestion, DeviceVerdict
from calward.wire.relay import Terms

__all__ = ["Decide", "Limits", "Outside", "RelaySettings"]


Decide: TypeAlias = Callable[[DeviceQuestion], Awaitable[DeviceVerdict]]


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds, and a number of connections.

    FreeRDP allows nine seconds from its first packet behind TLS to the desktop, decision included; all but ``person`` stay
    below that. They hold however often bytes come: who sends a byte a second gains nothing.
    """

    request: float = 5.0
    """Until the client's first packet, and the host's answer to it."""
    secure: float = 8.0
    """For both TLS handshakes."""
    person: float = 60.0
    """From TLS to the next byte: somebody may be reading a certificate, or typing a password."""
    connect: float = 8.0
    """From there until the host's licensing is over; and, before it, for a logon by CredSSP."""
    pause: float = 5.0
    """Between two packets meanwhile."""
    decide: float = 3.0
    linger: float = 1.0
    """For a refused client to read why and leave; its connection is ended at once after that."""
    flush: float = 10.0
    """For the last bytes of a licensed connection to be taken, once the other side has left."""
    open_host: float = 3.0
    waiting: int = 1000
    """Connections that are not let through yet; beyond, one of whoever has most of them is ended."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Whom the relay asks and tells.

    ``ended``: the connection of that loopback address is over. ``logged_on``: the host has accepted a logon on it, with the
    device that was let through; only a host with NLA lets the relay know.
    """

    decide: Decide
    ended: Callable[[str], None]
    log: Callable[[str], None]
    random: Callable[[int], bytes]
    logged_on: Callable[[str], None]


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """One host behind the relay.

    ``host_tls`` None where the host is plain. ``certificate``: what clients are shown, DER, where it has to be the host's own (NLA).
    """

    listen: tuple[str, int]
    host: tuple[str, int]
    terms: Callable[[], Terms]
    client_tls: ssl.SSLContext
    host_tls: ssl.SSLContext | None
    limits: Limits = Limits()
    certificate: bytes | None = None
