"""How does the conference begin? MCS Connect Initial and Connect Response, kept raw, with the fields a relay changes in place.

Source: T.125 section 7, part 2; [MS-RDPBCGR] 2.2.1.3 Client MCS Connect Initial PDU, 2.2.1.4 Server MCS Connect Response PDU.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from calward.wire.errors import LocalProtocolError
from calward.wire.rdp import gcc
from calward.wire.rdp.asn1 import ber_element, enter_ber
from calward.wire.rdp.client_blocks import SERVER_SELECTED_PROTOCOL_OFFSET
from calward.wire.rdp.gcc import Block, BlockKind
from calward.wire.rdp.server_blocks import CLIENT_REQUESTED_PROTOCOLS_OFFSET
from calward.wire.rdp.x224 import data_packet, open_data
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["ConnectInitial", "ConnectResponse", "with_client_requested_protocols", "with_server_selected_protocol"]

INITIAL_TAG: Final = b"\x7f\x65"
RESPONSE_TAG: Final = b"\x7f\x66"

_BOOLEAN: Final = b"\x01"
_INTEGER: Final = b"\x02"
_OCTET_STRING: Final = b"\x04"
_ENUMERATED: Final = b"\x0a"
_SEQUENCE: Final = b"\x30"

_INITIAL_FIELDS: Final = (
    ("callingDomainSelector", _OCTET_STRING),
    ("calledDomainSelector", _OCTET_STRING),
    ("upwardFlag", _BOOLEAN),
    ("targetParameters", _SEQUENCE),
    ("minimumParameters", _SEQUENCE),
    ("maximumParameters", _SEQUENCE),
)
"""What stands before the user data, in order."""
_RESPONSE_FIELDS: Final = (
    ("result", _ENUMERATED),
    ("calledConnectId", _INTEGER),
    ("domainParameters", _SEQUENCE),
)
_SUCCESS: Final = b"\0"

# Channels, users, tokens, priorities, throughput, height, PDU size, protocol version: the three sets of
# [MS-RDPBCGR] 4.1.3, and the one of its 4.1.4.
_TARGET: Final = (34, 2, 0, 1, 0, 1, 0xFFFF, 2)
_MINIMUM: Final = (1, 1, 1, 1, 0, 1, 0x420, 2)
_MAXIMUM: Final = (0xFFFF, 0xFC17, 0xFFFF, 1, 0, 1, 0xFFFF, 2)
_AGREED: Final = (34, 3, 0, 1, 0, 1, 0xFFF8, 2)


@dataclass(frozen=True, slots=True)
class ConnectInitial:
    """A client's first MCS packet; ``raw`` is the packet as it came or was made."""

    blocks: tuple[Block, ...]
    raw: bytes = field(repr=False)

    @classmethod
    def decode(cls, packet: bytes) -> "ConnectInitial":
        """Read a packet; RemoteProtocolError where it is none or is malformed."""
        reader = open_data(packet, "MCS Connect Initial")
        _enter(reader, INITIAL_TAG, _INITIAL_FIELDS)
        return cls(gcc.read_blocks(reader, gcc.CLIENT_KEY), packet)

    @classmethod
    def make(cls, blocks: Iterable[Block]) -> "ConnectInitial":
        """Make the packet of a client; LocalProtocolError where it is too long."""
        content = ber_element(_OCTET_STRING, b"\x01") * 2 + ber_element(_BOOLEAN, b"\xff")
        content += b"".join(_parameters(values) for values in (_TARGET, _MINIMUM, _MAXIMUM))
        return cls.decode(_connect_packet(INITIAL_TAG, content, gcc.request(blocks)))

    def encode(self) -> bytes:
        """Give the packet."""
        return self.raw


@dataclass(frozen=True, slots=True)
class ConnectResponse:
    """A server's first MCS packet; ``raw`` is the packet as it came or was made."""

    blocks: tuple[Block, ...]
    raw: bytes = field(repr=False)

    @classmethod
    def decode(cls, packet: bytes) -> "ConnectResponse":
        """Read a packet; RemoteProtocolError where it is none or is malformed."""
        reader = open_data(packet, "MCS Connect Response")
        _enter(reader, RESPONSE_TAG, _RESPONSE_FIELDS)
        return cls(gcc.read_blocks(reader, gcc.SERVER_KEY), packet)

    @classmethod
    def make(cls, blocks: Iterable[Block]) -> "ConnectResponse":
        """Make the packet of a server; LocalProtocolError where it is too long."""
        content = ber_element(_ENUMERATED, _SUCCESS) + ber_element(_INTEGER, b"\0") + _parameters(_AGREED)
        return cls.decode(_connect_packet(RESPONSE_TAG, content, gcc.response(blocks)))

    def encode(self) -> bytes:
        """Give the packet."""
        return self.raw


def with_server_selected_protocol(packet: bytes, value: int) -> bytes:
    """Replace CS_CORE.serverSelectedProtocol of a Connect Initial, in place; the length never changes.

    Where the field is absent it means 0: another value is a LocalProtocolError.
    """
    blocks = ConnectInitial.decode(packet).blocks
    return _replaced(packet, blocks, BlockKind.CS_CORE, SERVER_SELECTED_PROTOCOL_OFFSET, value)


def with_client_requested_protocols(packet: bytes, value: int) -> bytes:
    """Replace SC_CORE.clientRequestedProtocols of a Connect Response, in place; absent means 0, as above."""
    blocks = ConnectResponse.decode(packet).blocks
    return _replaced(packet, blocks, BlockKind.SC_CORE, CLIENT_REQUESTED_PROTOCOLS_OFFSET, value)


def _enter(reader: Reader, tag: bytes, fields: Iterable[tuple[str, bytes]]) -> None:
    """Read up to the content of the user data."""
    enter_ber(reader, tag, "connect")
    for name, field_tag in fields:
        content = reader.take(enter_ber(reader, field_tag, name), name)
        if field_tag == _ENUMERATED and content != _SUCCESS:
            raise reader.error(f"the server says no: result {content.hex()}", name)
    size = enter_ber(reader, _OCTET_STRING, "userData")
    if size != reader.remaining:
        raise reader.error(f"{size} bytes are announced, {reader.remaining} follow", "userData")


def _connect_packet(tag: bytes, content: bytes, user_data: bytes) -> bytes:
    return data_packet(ber_element(tag, content + ber_element(_OCTET_STRING, user_data)))


def _parameters(values: Iterable[int]) -> bytes:
    """Write DomainParameters: signed numbers, in as few bytes as they need."""
    numbers = (value.to_bytes(value.bit_length() // 8 + 1, "big") for value in values)
    return ber_element(_SEQUENCE, b"".join(ber_element(_INTEGER, number) for number in numbers))


def _replaced(packet: bytes, blocks: tuple[Block, ...], kind: BlockKind, offset: int, value: int) -> bytes:
    block = gcc.find(blocks, kind)
    if block is None or len(block.data) < offset + 4:
        if value:
            raise LocalProtocolError("the packet has no such field", structure=kind.name)
        return packet
    start = block.offset + offset
    return packet[:start] + Writer(kind.name).u32(value, "protocols").done() + packet[start + 4 :]
