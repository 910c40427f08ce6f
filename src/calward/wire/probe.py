"""What does a host's licensing phase say? A client without an account that connects, goes through licensing, and leaves.

A generator without I/O: it says what to do next (``Send``, ``StartTls``, ``Receive``), is sent each whole packet that it waits
for, and returns what it found. Under NLA nobody without an account gets as far as licensing; that is a finding, too.

Source: [MS-RDPBCGR] 1.3.1.1 Connection Sequence; [MS-RDPELE] 1.3.3.
"""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp import mcs
from calward.wire.rdp.client_blocks import ClientCore, ClientNetwork, ClientSecurity
from calward.wire.rdp.gcc import BlockKind, find
from calward.wire.rdp.logon import nameless_client_info
from calward.wire.rdp.security import SecurityFlag, SecurityHeader
from calward.wire.rdp.server_blocks import ServerNetwork, ServerSecurity
from calward.wire.rdp.x224 import ConnectionRequest, FailureCode, NegotiationFailure, Protocol, decode_confirm
from calward.wire.rdpele.client_session import Accepted, Answered, ClientSession, Licensed, Refused
from calward.wire.rdpele.license_request import LicenseRequest
from calward.wire.rdpele.new_license import NewLicenseInfo

__all__ = ["Act", "Findings", "Outcome", "Receive", "Send", "StartTls", "probe"]

_NAME: Final = "probe"
_NLA: Final = frozenset({FailureCode.HYBRID_REQUIRED_BY_SERVER, FailureCode.SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER})
_BUILD: Final = 18363
"""As FreeRDP says: hosts tell clients apart by it, and say more to this one than to an old one."""
_DATA_PDU, _SET_ERROR_INFO, _SHARE_HEADERS = 0x7, 0x2F, 18
"""[MS-RDPBCGR] 2.2.8.1.1.1.1, 2.2.8.1.1.1.2, and the size of both headers."""
_MAX_PACKETS: Final = 64
"""Packets of a host that may come before its licensing has ended; a handful does."""


class Outcome(StrEnum):
    """How the host's licensing phase ended."""

    LICENSED = "licensed"
    """The host gave a license."""
    ACCEPTED = "accepted"
    """STATUS_VALID_CLIENT: the client goes on with nothing to keep."""
    REFUSED = "refused"
    """An error alert, or an error that the host shows to people at once after it; the code says why."""
    DISCONNECTED = "disconnected"
    """The host ended the connection before licensing had ended."""
    NEEDS_NLA = "needs-nla"
    """The host asks for an account before anything else (CredSSP)."""
    STANDARD_SECURITY = "standard-rdp-security"
    """The host has no TLS and encrypts in RDP's old way, in which a probe does not take part."""
    NOT_NEGOTIATED = "not-negotiated"
    """The host takes none of the security that was offered."""


@dataclass(slots=True)
class Findings:
    """What was found; None where the host was not asked or said nothing. Filled as the probe goes on, so that what was found
    before a failure is not lost.
    """

    outcome: Outcome | None = None
    security: str | None = None
    """"tls", "rdp" (no encryption at all) or None."""
    request: LicenseRequest | None = None
    license: NewLicenseInfo | None = field(default=None, repr=False)
    error_code: int | None = None
    """Of the error alert, of the Set Error Info PDU, or of the failed negotiation."""


@dataclass(frozen=True, slots=True)
class Send:
    """Send these bytes."""

    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class StartTls:
    """Do a TLS handshake as its client; all that follows goes through it."""


@dataclass(frozen=True, slots=True)
class Receive:
    """Wait for one whole packet, and send it into the generator; empty where the host has closed."""


Act: TypeAlias = Send | StartTls | Receive
_Steps: TypeAlias = Generator[Act, bytes, None]


class _ClosedError(Exception):
    """The host has closed the connection."""


def probe(findings: Findings, make_session: Callable[[], ClientSession], client_name: str) -> _Steps:
    """Connect, go through licensing, leave.

    Args:
        findings: is filled.
        make_session: makes the client's side of licensing.
        client_name: at most 15 characters.

    Raises:
        RemoteProtocolError: the host's bytes are malformed or out of turn.

    """
    try:
        if (yield from _negotiate(findings)):
            yield from _licensed(findings, make_session(), client_name)
    except _ClosedError:
        findings.outcome = findings.outcome or Outcome.DISCONNECTED


def _licensed(findings: Findings, session: ClientSession, client_name: str) -> _Steps:
    channels = yield from _conference(findings, client_name)
    if channels is None:
        return
    user = yield from _join(channels)
    yield Send(mcs.SendDataRequest(user, channels.io_channel, nameless_client_info()).encode())
    yield from _license(findings, session, user, channels.io_channel)
    yield Send(mcs.DisconnectUltimatum().encode())


def _packet() -> Generator[Act, bytes, bytes]:
    packet = yield Receive()
    if not packet:
        raise _ClosedError
    return packet


def _negotiate(findings: Findings) -> Generator[Act, bytes, bool]:
    """Agree on TLS, or on nothing at all for a host on loopback that has none; says whether to go on."""
    yield Send(ConnectionRequest(Protocol.SSL).encode())
    confirm = decode_confirm((yield from _packet()))
    if isinstance(confirm, NegotiationFailure):
        findings.error_code = confirm.code
        findings.outcome = Outcome.NEEDS_NLA if confirm.code in _NLA else Outcome.NOT_NEGOTIATED
        if confirm.code == FailureCode.SSL_NOT_ALLOWED_BY_SERVER:
            findings.outcome = Outcome.STANDARD_SECURITY
        return False
    selected = confirm.selected_protocol or Protocol.RDP
    if selected not in (Protocol.SSL, Protocol.RDP):
        raise RemoteProtocolError(f"protocol {selected!r} was not offered", structure=_NAME, field="selectedProtocol")
    if selected is Protocol.SSL:
        yield StartTls()
    findings.security = "tls" if selected is Protocol.SSL else "rdp"
    return True


def _conference(findings: Findings, client_name: str) -> Generator[Act, bytes, ServerNetwork | None]:
    """Open the conference; None where it would be encrypted in RDP's old way."""
    protocol = Protocol.SSL if findings.security == "tls" else Protocol.RDP
    core = ClientCore(client_name, build=_BUILD, server_selected_protocol=protocol).encode()
    blocks = (core, ClientSecurity(0).encode(), ClientNetwork().encode())
    yield Send(mcs.ConnectInitial.make(blocks).encode())
    response = mcs.ConnectResponse.decode((yield from _packet()))
    security = find(response.blocks, BlockKind.SC_SECURITY)
    if security is not None and ServerSecurity.decode(security.data).method:
        findings.outcome = Outcome.STANDARD_SECURITY
        return None
    network = find(response.blocks, BlockKind.SC_NET)
    return ServerNetwork() if network is None else ServerNetwork.decode(network.data)


def _join(channels: ServerNetwork) -> Generator[Act, bytes, int]:
    """Get a user id, join its channel and the I/O channel."""
    yield Send(mcs.ErectDomain().encode() + mcs.AttachUserRequest().encode())
    confirm = mcs.decode((yield from _packet()))
    if not isinstance(confirm, mcs.AttachUserConfirm) or confirm.user is None:
        raise RemoteProtocolError("no user id was given", structure=_NAME, field="Attach User Confirm")
    for channel in (confirm.user, channels.io_channel):
        yield Send(mcs.ChannelJoinRequest(confirm.user, channel).encode())
        joined = mcs.decode((yield from _packet()))
        if not isinstance(joined, mcs.ChannelJoinConfirm) or joined.channel is None:
            raise RemoteProtocolError(f"channel {channel} cannot be joined", structure=_NAME)
    return confirm.user


def _license(findings: Findings, session: ClientSession, user: int, io_channel: int) -> _Steps:
    """Answer the host's licensing messages until it has ended; other packets are passed over."""
    for _ in range(_MAX_PACKETS):
        pdu = mcs.decode((yield from _packet()))
        if isinstance(pdu, mcs.DisconnectUltimatum):
            raise _ClosedError
        message = _licensing_of(pdu, io_channel)
        if message is None:
            continue
        step = session.receive(message)
        if not isinstance(step, Answered):
            _note_end(findings, step)
            if findings.outcome is Outcome.ACCEPTED:
                yield from _second_thoughts(findings, io_channel)
            return
        findings.request = step.request or findings.request
        header = SecurityHeader(SecurityFlag.LICENSE_PKT).encode()
        yield Send(mcs.SendDataRequest(user, io_channel, header + step.send).encode())
    raise RemoteProtocolError(f"licensing has not ended after {_MAX_PACKETS} packets", structure=_NAME)


def _second_thoughts(findings: Findings, io_channel: int) -> _Steps:
    """Look at what follows: a host that wants people to read why they are refused lets them pass licensing first."""
    for _ in range(_MAX_PACKETS):
        pdu = mcs.decode((yield from _packet()))
        if isinstance(pdu, mcs.SendDataIndication) and pdu.channel == io_channel:
            code = _error_info(pdu.data)
            if code:
                findings.outcome, findings.error_code = Outcome.REFUSED, code
            return


def _error_info(data: bytes) -> int:
    """The code of a Set Error Info PDU ([MS-RDPBCGR] 2.2.5.1.1); 0 where it is none or says that nothing is wrong."""
    if len(data) != _SHARE_HEADERS + 4 or data[2] & 0xF != _DATA_PDU or data[14] != _SET_ERROR_INFO:
        return 0
    return int.from_bytes(data[_SHARE_HEADERS:], "little")


def _licensing_of(pdu: object, io_channel: int) -> bytes | None:
    """The licensing message of a packet; None where it carries something else, such as auto-detection."""
    if not isinstance(pdu, mcs.SendDataIndication) or pdu.channel != io_channel:
        return None
    header, message = SecurityHeader.split(pdu.data)
    if header.mac is not None:
        raise RemoteProtocolError("a licensing message is encrypted although nothing else is", structure=_NAME)
    return message if header.flags & SecurityFlag.LICENSE_PKT else None


def _note_end(findings: Findings, step: Licensed | Accepted | Refused) -> None:
    if isinstance(step, Licensed):
        findings.outcome, findings.license = Outcome.LICENSED, step.info
    elif isinstance(step, Refused):
        findings.outcome, findings.error_code = Outcome.REFUSED, step.code
    else:
        findings.outcome = Outcome.ACCEPTED
