"""Which security does each side get, where the client's connection ends at the relay and the host's begins there?

Source: [MS-RDPBCGR] 2.2.1.1 and 2.2.1.2; 3.2.5.3.4 for what a client compares later.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp.x224 import (
    ConnectionConfirm,
    ConnectionRequest,
    FailureCode,
    NegotiationFailure,
    Protocol,
    decode_confirm,
    with_requested_protocols,
)

__all__ = ["Agreed", "HostSecurity", "Offered", "confirm", "request", "why_refused"]


class HostSecurity(StrEnum):
    """What the host speaks to the relay."""

    PLAIN = "plain"
    """No encryption: on loopback only; the host's own RDP encryption is off."""
    TLS = "tls"
    NLA = "nla"
    """TLS with logon before the connection; the relay serves the host's own certificate and key."""


_NLA: Final = Protocol.HYBRID | Protocol.HYBRID_EX
_FORWARDED: Final = {
    HostSecurity.PLAIN: Protocol.RDP,
    HostSecurity.TLS: Protocol.SSL,
    HostSecurity.NLA: Protocol.SSL | _NLA,
}
"""Which of a client's protocols the host hears of. Xrdp rejects a request with protocols that it does not know."""
_NEEDED: Final = {
    HostSecurity.PLAIN: Protocol.SSL,
    HostSecurity.TLS: Protocol.SSL,
    HostSecurity.NLA: Protocol.SSL | _NLA,
}
"""Of which a client has to offer at least one."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What a client offers, and the request that goes to the host."""

    protocols: Protocol
    to_host: bytes


@dataclass(frozen=True, slots=True)
class Agreed:
    """What was agreed on, and what the client is told; ``nla``: a logon comes next."""

    nla: bool
    to_client: bytes


def request(packet: bytes, security: HostSecurity) -> Offered | NegotiationFailure:
    """Read a Connection Request. A client without TLS, which knows classic RDP security only, gets a failure."""
    offered = ConnectionRequest.decode(packet).requested_protocols
    if offered is None or not offered & _NEEDED[security]:
        return NegotiationFailure(FailureCode.SSL_REQUIRED_BY_SERVER)
    return Offered(offered, with_requested_protocols(packet, offered & _FORWARDED[security]))


def why_refused(packet: bytes) -> str:
    """Say for the log what a request has asked for that was refused."""
    asked = ConnectionRequest.decode(packet).requested_protocols or Protocol.RDP
    if asked & _NLA:
        return "the client wants NLA and nothing else, which the host does not have: compare host_security and the client's settings"
    if asked:
        return f"the client wants protocol {asked:d} and nothing else, which is not served here"
    return "the client knows classic RDP security only"


def confirm(packet: bytes, offered: Protocol, security: HostSecurity) -> Agreed | NegotiationFailure:
    """Read the host's Connection Confirm; RemoteProtocolError where host and relay are set to different security."""
    answer = decode_confirm(packet)
    if isinstance(answer, NegotiationFailure):
        if security is HostSecurity.PLAIN:
            raise _differs(f"the host refuses a plain connection (failure {answer.code})")
        return answer
    selected = answer.selected_protocol or Protocol.RDP
    if security is HostSecurity.PLAIN:
        if selected != Protocol.RDP:
            raise _differs(f"the host chose protocol {selected:d} where none was offered")
        return Agreed(nla=False, to_client=ConnectionConfirm(Protocol.SSL, answer.flags).encode())
    if selected not in tuple(Protocol) or not selected & offered & _FORWARDED[security]:
        raise _differs(f"the host chose protocol {selected:d}, which it was not offered")
    return Agreed(nla=bool(selected & _NLA), to_client=packet)


def _differs(what: str) -> RemoteProtocolError:
    return RemoteProtocolError(
        f"{what}: compare host_security and the host's own settings",
        structure="X.224 Connection Confirm",
        field="selectedProtocol",
    )
