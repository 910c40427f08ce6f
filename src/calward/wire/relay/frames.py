"""What does the relay read in, and put around, the packets that pass: MCS, GCC blocks, security headers, Set Error Info?

Lengths never change: a field is replaced where it stands. Before a client may connect, only what is listed here may pass to the
host, so that no packet can slip through that a host reads more generously than we do.
Source: [MS-RDPBCGR] 2.2.1.3, 2.2.1.4, 2.2.1.5 to 2.2.1.9, 2.2.8.1.1.2, 2.2.5.1.1; T.125 section 7.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp.asn1 import per_length
from calward.wire.rdp.x224 import Protocol, data_packet, open_data
from calward.wire.reader import Reader
from calward.wire.relay.facts import Facts
from calward.wire.writer import Writer

__all__ = [
    "DISCONNECT",
    "PacketKind",
    "SentData",
    "error_info",
    "is_client_info",
    "kind_of",
    "licensing_of",
    "note_initial",
    "note_response",
    "send_data_of",
    "to_client",
    "to_host",
]

DISCONNECT: Final = data_packet(bytes.fromhex("2180"))
"""MCS Disconnect Provider Ultimatum, reason 3 (user requested)."""

_SEC_INFO: Final = 0x0040
_SEC_LICENSE: Final = 0x0080
_SEC_ENCRYPT: Final = 0x0008
_SERVER: Final = 1002
_USER_BASE: Final = 1001
_SEND_FLAGS: Final = 0x70
_LONG: Final = 0x80
_NAME_SIZE: Final = 32


class PacketKind(Enum):
    """The first byte of an MCS PDU without its two lowest bits, for those that connections begin with."""

    CONNECT = 0x7C
    ERECT_DOMAIN = 0x04
    DISCONNECT = 0x20
    ATTACH_USER_REQUEST = 0x28
    ATTACH_USER_CONFIRM = 0x2C
    JOIN_REQUEST = 0x38
    JOIN_CONFIRM = 0x3C
    SEND_REQUEST = 0x64
    SEND_INDICATION = 0x68


_KINDS: Final = {kind.value: kind for kind in PacketKind}


@dataclass(frozen=True, slots=True)
class SentData:
    """What travels on a channel, from a client (whose channel ``initiator`` is) or from the host. May hold a password."""

    initiator: int
    channel: int
    data: bytes

    def __repr__(self) -> str:
        return f"SentData({self.initiator}, {self.channel}, {len(self.data)} bytes)"


def kind_of(packet: bytes) -> PacketKind:
    """Say what a whole packet is; RemoteProtocolError for everything that does not belong to a connection's beginning."""
    reader = open_data(packet, "MCS")
    first = reader.u8("choice")
    if (kind := _KINDS.get(first & 0xFC)) is None:
        raise reader.error(f"0x{first:02x} begins nothing that belongs here", "choice")
    return kind


def send_data_of(packet: bytes) -> SentData | None:
    """Open a Send Data Request or Indication; None for another PDU."""
    if kind_of(packet) not in {PacketKind.SEND_REQUEST, PacketKind.SEND_INDICATION}:
        return None
    reader = open_data(packet, "MCS Send Data")
    reader.u8("choice")
    initiator, channel = reader.u16_be("initiator") + _USER_BASE, reader.u16_be("channelId")
    reader.u8("dataPriority and segmentation")
    size = per_length(reader, "userData")
    data = reader.take(size, "userData")
    reader.end()
    return SentData(initiator, channel, data)


def is_client_info(data: bytes) -> bool:
    """Say whether a client's data is its Client Info PDU, unencrypted."""
    return len(data) > 4 and _flags(data) & (_SEC_INFO | _SEC_ENCRYPT) == _SEC_INFO  # noqa: PLR2004 - a header.


def licensing_of(data: bytes) -> bytes | None:
    """Give the licensing message behind a basic security header; None where the header says that it is none.

    RemoteProtocolError: it is encrypted, which nothing is beneath TLS.
    """
    reader = Reader(data, "TS_SECURITY_HEADER")
    flags = reader.u16("flags")
    if not flags & _SEC_LICENSE:
        return None
    reader.u16("flagsHi")
    if flags & _SEC_ENCRYPT:
        raise reader.error("licensing is encrypted beneath TLS", "flags")
    return reader.rest()


def to_client(message: bytes, io_channel: int) -> bytes:
    """Make the packet of a licensing message for the client."""
    return _indication(_licensed(message), io_channel)


def to_host(message: bytes, io_channel: int, user_channel: int) -> bytes:
    """Make the packet of a licensing message for the host, as if the client had sent it."""
    return _send(PacketKind.SEND_REQUEST, user_channel, io_channel, _licensed(message))


def error_info(code: int, io_channel: int) -> bytes:
    """Make the packet of a Set Error Info PDU, which a client shows as the reason of what comes next."""
    writer = Writer("TS_SET_ERROR_INFO_PDU").u16(22, "totalLength").u16(0x17, "pduType").u16(_SERVER, "pduSource")
    writer.u32(0, "shareId").u8(0, "pad1").u8(1, "streamId").u16(8, "uncompressedLength").u8(0x2F, "pduType2")
    return _indication(writer.u8(0, "compressedType").u16(0, "length").u32(code, "errorInfo").done(), io_channel)


def note_initial(packet: bytes, facts: Facts, *, host_plain: bool) -> tuple[Facts, bytes]:
    """Read a client's Connect Initial; where the host is plain, its copy of what was selected becomes 0 (none)."""
    for kind, start, block in _blocks(packet, b"Duca", "CS"):
        if kind != 0xC001:  # noqa: PLR2004 - CS_CORE
            continue
        name = block[20 : 20 + _NAME_SIZE].decode("utf-16-le", "replace").split("\0")[0]
        facts = replace(facts, build=int.from_bytes(block[16:20], "little"), name=name)
        if host_plain and len(block) >= 212:  # noqa: PLR2004 - up to and with serverSelectedProtocol
            packet = _replaced(packet, start + 208, 0)
    return facts, packet


def note_response(packet: bytes, facts: Facts) -> tuple[Facts, bytes]:
    """Read a host's Connect Response, and have it repeat the protocols that the client had asked the relay for.

    RemoteProtocolError: the host encrypts by itself, so that the relay could read nothing.
    """
    for kind, start, block in _blocks(packet, b"McDn", "SC"):
        if kind == 0x0C01 and len(block) >= 8:  # noqa: PLR2004 - SC_CORE with clientRequestedProtocols
            packet = _replaced(packet, start + 4, facts.offered)
        if kind == 0x0C02 and any(block[:4]):  # noqa: PLR2004 - SC_SECURITY
            raise RemoteProtocolError(
                "the host encrypts by itself: let its RDP encryption be off (xrdp: crypt_level=none)",
                structure="SC_SECURITY",
                field="encryptionMethod",
            )
        if kind == 0x0C03:  # noqa: PLR2004 - SC_NET
            facts = replace(facts, io_channel=Reader(block, "SC_NET").u16("MCSChannelId"))
    if facts.io_channel is None:
        raise RemoteProtocolError("names no I/O channel", structure="MCS Connect Response", field="SC_NET")
    return facts, packet


def _blocks(packet: bytes, key: bytes, structure: str) -> Iterator[tuple[int, int, bytes]]:
    """Give type, place in the packet and content of each GCC block."""
    found = packet.find(key)
    if found < 0:
        raise RemoteProtocolError("holds no conference data", structure=f"MCS Connect ({structure})")
    reader = Reader(packet, f"{structure} blocks")
    reader.take(found + len(key), "header")
    per_length(reader, "userData")
    while reader.remaining:
        kind, size = reader.u16("type"), reader.u16("length")
        if size < 4:  # noqa: PLR2004 - its own header
            raise reader.error(f"a block of {size} bytes is shorter than its header", "length")
        start = reader.offset
        yield kind, start, reader.take(size - 4, "block")


def _replaced(packet: bytes, start: int, value: int) -> bytes:
    return packet[:start] + Protocol(value).to_bytes(4, "little") + packet[start + 4 :]


def _flags(data: bytes) -> int:
    return int.from_bytes(data[:2], "little")


def _licensed(message: bytes) -> bytes:
    # Exactly this flag: some clients take no other beneath TLS.
    return Writer("TS_SECURITY_HEADER").u16(_SEC_LICENSE, "flags").u16(0, "flagsHi").put(message).done()


def _indication(data: bytes, channel: int) -> bytes:
    return _send(PacketKind.SEND_INDICATION, _SERVER, channel, data)


def _send(kind: PacketKind, initiator: int, channel: int, data: bytes) -> bytes:
    writer = Writer("MCS Send Data").u8(kind.value, "choice").u16_be(initiator - _USER_BASE, "initiator")
    writer.u16_be(channel, "channelId").u8(_SEND_FLAGS, "dataPriority and segmentation")
    size = len(data)
    if size < _LONG:
        writer.u8(size, "userData.length")
    else:
        writer.u16_be(_LONG << 8 | size, "userData.length")
    return data_packet(writer.put(data).done())
