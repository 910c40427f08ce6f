"""What is the relay told: about its host, and about one client by whoever decides?"""

from collections.abc import Callable
from dataclasses import dataclass, field

from calward.wire.rdpele.server_session import Offer
from calward.wire.relay.negotiation import HostSecurity

__all__ = ["Terms", "Verdict"]


@dataclass(frozen=True, slots=True)
class Terms:
    """What is the same for all connections to one host.

    ``exchange`` False: nobody asks for licenses on the wire (per-user mode); a client is told "valid" at once, or refused.
    """

    host_security: HostSecurity
    offer: Offer
    decrypt_premaster: Callable[[bytes], bytes]
    exchange: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided: ``token`` is to be stored on the client, None: nothing is; ``no_server`` is the reason of a refusal."""

    granted: bool
    token: bytes | None = field(default=None, repr=False)
    no_server: bool = False
