"""Which security do the two sides agree on? X.224 connection request and confirm with RDP's negotiation, and data.

Source: [MS-RDPBCGR] 2.2.1.1 Client X.224 Connection Request PDU, 2.2.1.2 Server X.224 Connection Confirm PDU.
"""

from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

from calward.wire.errors import LocalProtocolError
from calward.wire.rdp.tpkt import open_packet, wrap
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = [
    "CONNECTION_CONFIRM",
    "CONNECTION_REQUEST",
    "DATA",
    "ConnectionConfirm",
    "ConnectionRequest",
    "FailureCode",
    "NegotiationFailure",
    "Protocol",
    "data_packet",
    "decode_confirm",
    "open_data",
    "tpdu_code",
    "with_requested_protocols",
    "with_selected_protocol",
]

CONNECTION_REQUEST: Final = 0xE0
CONNECTION_CONFIRM: Final = 0xD0
DATA: Final = 0xF0

_DATA_HEADER: Final = bytes((2, DATA, 0x80))
_FIXED_SIZE: Final = 6
"""Code, two references, class: what the length indicator counts of every connection TPDU."""
_SERVER_REFERENCE: Final = 0x1234
_NEGOTIATION_REQUEST: Final = 1
_NEGOTIATION_RESPONSE: Final = 2
_NEGOTIATION_FAILURE: Final = 3
_NEGOTIATION_SIZE: Final = 8
_CORRELATION_SIZE: Final = 36


class Protocol(IntFlag):
    """Security protocols that a client offers and a server chooses from ([MS-RDPBCGR] 2.2.1.1.1)."""

    RDP = 0
    SSL = 1
    HYBRID = 2
    RDSTLS = 4
    HYBRID_EX = 8
    RDSAAD = 16


class FailureCode(IntEnum):
    """Why a server ends the negotiation ([MS-RDPBCGR] 2.2.1.2.2)."""

    SSL_REQUIRED_BY_SERVER = 1
    SSL_NOT_ALLOWED_BY_SERVER = 2
    SSL_CERT_NOT_ON_SERVER = 3
    INCONSISTENT_FLAGS = 4
    HYBRID_REQUIRED_BY_SERVER = 5
    SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER = 6


@dataclass(frozen=True, slots=True)
class ConnectionRequest:
    """What a client begins with; ``requested_protocols`` None: a client without negotiation, which can RDP only."""

    requested_protocols: Protocol | None
    token: bytes = b""
    """Cookie or routing token with its line end, as it came; load balancers need it unchanged."""
    flags: int = 0
    correlation: bytes = b""
    """What follows the negotiation, as it came: RDP_NEG_CORRELATION_INFO or nothing."""

    @classmethod
    def decode(cls, packet: bytes) -> "ConnectionRequest":
        """Read a packet; RemoteProtocolError where it is none or is malformed."""
        reader = _open(packet, CONNECTION_REQUEST, "X.224 Connection Request")
        token = reader.take(_token_size(packet[reader.offset :]), "routingToken")
        if not reader.remaining:
            return cls(None, token)
        flags, protocols = _negotiation(reader, _NEGOTIATION_REQUEST, "requestedProtocols")
        return cls(Protocol(protocols), token, flags, reader.rest())

    def encode(self) -> bytes:
        """Give the packet."""
        writer = Writer("X.224 Connection Request").put(self.token)
        if self.requested_protocols is not None:
            _put_negotiation(writer, _NEGOTIATION_REQUEST, self.flags, self.requested_protocols, "requestedProtocols")
        return _close(CONNECTION_REQUEST, 0, writer.put(self.correlation).done())


@dataclass(frozen=True, slots=True)
class ConnectionConfirm:
    """What a server agrees to; ``selected_protocol`` None: it does not negotiate, which means RDP."""

    selected_protocol: Protocol | None
    flags: int = 0

    def encode(self) -> bytes:
        """Give the packet."""
        writer = Writer("X.224 Connection Confirm")
        if self.selected_protocol is not None:
            _put_negotiation(writer, _NEGOTIATION_RESPONSE, self.flags, self.selected_protocol, "selectedProtocol")
        return _close(CONNECTION_CONFIRM, _SERVER_REFERENCE, writer.done())


@dataclass(frozen=True, slots=True)
class NegotiationFailure:
    """A server's "not like this", in a Connection Confirm; ``code`` is a FailureCode, or a number that we do not know."""

    code: int

    def encode(self) -> bytes:
        """Give the packet."""
        writer = Writer("X.224 Connection Confirm")
        _put_negotiation(writer, _NEGOTIATION_FAILURE, 0, self.code, "failureCode")
        return _close(CONNECTION_CONFIRM, _SERVER_REFERENCE, writer.done())


def decode_confirm(packet: bytes) -> ConnectionConfirm | NegotiationFailure:
    """Read a server's answer; RemoteProtocolError where it is none or is malformed."""
    reader = _open(packet, CONNECTION_CONFIRM, "X.224 Connection Confirm")
    if not reader.remaining:
        return ConnectionConfirm(None)
    if packet[reader.offset] == _NEGOTIATION_FAILURE:
        _, code = _negotiation(reader, _NEGOTIATION_FAILURE, "failureCode")
        reader.end()
        return NegotiationFailure(code)
    flags, protocol = _negotiation(reader, _NEGOTIATION_RESPONSE, "selectedProtocol")
    reader.end()
    return ConnectionConfirm(Protocol(protocol), flags)


def with_requested_protocols(packet: bytes, value: int) -> bytes:
    """Replace requestedProtocols of a Connection Request, in place; the length never changes.

    Where the client does not negotiate the field is absent and means 0: another value is a LocalProtocolError.
    """
    request = ConnectionRequest.decode(packet)
    start = len(packet) - len(request.correlation) - 4
    return _replaced(packet, value, start if request.requested_protocols is not None else None, "requestedProtocols")


def with_selected_protocol(packet: bytes, value: int) -> bytes:
    """Replace selectedProtocol of a Connection Confirm, in place; absent means 0, as in ``with_requested_protocols``.

    A negotiation failure has no such field: LocalProtocolError.
    """
    confirm = decode_confirm(packet)
    if isinstance(confirm, NegotiationFailure):
        raise LocalProtocolError("the negotiation failed", structure="RDP_NEG_RSP", field="selectedProtocol")
    start = None if confirm.selected_protocol is None else len(packet) - 4
    return _replaced(packet, value, start, "selectedProtocol")


def tpdu_code(packet: bytes) -> int:
    """Say what a packet is: CONNECTION_REQUEST, CONNECTION_CONFIRM, DATA, or another code."""
    reader = open_packet(packet, "X.224")
    reader.u8("LI")
    return reader.u8("code") & 0xF0


def open_data(packet: bytes, structure: str) -> Reader:
    """Check the headers of a data packet and give a reader at its payload."""
    reader = open_packet(packet, structure)
    if (header := reader.take(len(_DATA_HEADER), "X.224 Data")) != _DATA_HEADER:
        raise reader.error(f"{header.hex()} is no header of X.224 data", "X.224 Data")
    return reader


def data_packet(payload: bytes) -> bytes:
    """Make a whole data packet of an MCS PDU; LocalProtocolError for one that is too long."""
    return wrap(_DATA_HEADER + payload)


def _open(packet: bytes, code: int, structure: str) -> Reader:
    """Check all that comes before the variable part of a connection TPDU."""
    reader = open_packet(packet, structure)
    if (size := reader.u8("LI")) != reader.remaining:
        raise reader.error(f"{size} bytes are announced, {reader.remaining} follow", "LI")
    # The lower half of a request's code would be a credit, which class 0 does not have.
    if (found := reader.u8("code")) & 0xF0 != code:
        raise reader.error(f"code 0x{found:02x} is not 0x{code:02x}", "code")
    reader.take(_FIXED_SIZE - 1, "references and class")
    return reader


def _close(code: int, source: int, variable: bytes) -> bytes:
    writer = Writer("X.224").u8(_FIXED_SIZE + len(variable), "LI").u8(code, "code").u16_be(0, "DST-REF")
    return wrap(writer.u16_be(source, "SRC-REF").u8(0, "class").put(variable).done())


def _token_size(variable: bytes) -> int:
    """Say how much of a request's variable part is cookie or routing token: up to its line end.

    A negotiation may hold the bytes of a line end as well, hence a look at where it begins and how long it is.
    """
    negotiation = bytes((_NEGOTIATION_SIZE, 0))
    plain = (_NEGOTIATION_SIZE, _NEGOTIATION_SIZE + _CORRELATION_SIZE)
    if len(variable) in plain and variable[0] == _NEGOTIATION_REQUEST and variable[2:4] == negotiation:
        return 0
    return variable.find(b"\r\n") + 2 if b"\r\n" in variable else 0


def _negotiation(reader: Reader, kind: int, field: str) -> tuple[int, int]:
    """Read RDP_NEG_REQ, RDP_NEG_RSP or RDP_NEG_FAILURE: flags and the number that matters."""
    if (found := reader.u8("type")) != kind:
        raise reader.error(f"type {found} is not {kind}", "type")
    flags = reader.u8("flags")
    if (size := reader.u16("length")) != _NEGOTIATION_SIZE:
        raise reader.error(f"length {size} is not {_NEGOTIATION_SIZE}", "length")
    return flags, reader.u32(field)


def _put_negotiation(writer: Writer, kind: int, flags: int, value: int, field: str) -> None:
    writer.u8(kind, "type").u8(flags, "flags").u16(_NEGOTIATION_SIZE, "length").u32(value, field)


def _replaced(packet: bytes, value: int, start: int | None, field: str) -> bytes:
    if start is None:
        if value:
            raise LocalProtocolError("the packet has no such field", structure="X.224", field=field)
        return packet
    return packet[:start] + Writer("X.224").u32(value, field).done() + packet[start + 4 :]
