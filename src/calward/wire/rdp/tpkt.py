"""Where does one packet end and the next begin? TPKT frames (T.123 section 8) and fast-path frames in one stream."""

from typing import Final

from calward.wire.errors import RemoteProtocolError
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["HEADER_SIZE", "MAX_PACKET_SIZE", "is_fast_path", "open_packet", "packet_size", "split", "wrap"]

HEADER_SIZE: Final = 4
MAX_PACKET_SIZE: Final = 0xFFFF
"""No packet can be longer: the length has 16 bits, that of fast-path 15. More than this never has to be held back."""

_VERSION: Final = 3
_SMALLEST: Final = 7
"""T.123 section 8: a header and the shortest X.224 TPDU."""
_ACTION_MASK: Final = 0x03
_FAST_PATH: Final = 0x00
_LONG_LENGTH: Final = 0x80
_STRUCTURE: Final = "TPKT"


def is_fast_path(packet: bytes | bytearray) -> bool:
    """Say whether a packet, or a stream that begins with it, is in the short form ([MS-RDPBCGR] 2.2.8.1.2, 2.2.9.1.2)."""
    return bool(packet) and packet[0] != _VERSION


def split(buffer: bytes | bytearray) -> tuple[list[bytes], bytes]:
    """Cut the whole packets off the front of a stream.

    Returns: the packets, and the rest, which is shorter than ``MAX_PACKET_SIZE``.
    Raises: RemoteProtocolError where neither a TPKT nor a fast-path frame begins, or its length is impossible.
    """
    packets = []
    start = 0
    while (size := packet_size(buffer, start)) is not None and start + size <= len(buffer):
        packets.append(bytes(buffer[start : start + size]))
        start += size
    return packets, bytes(buffer[start:])


def wrap(payload: bytes) -> bytes:
    """Put the header before a payload; LocalProtocolError for one that is too long."""
    size = HEADER_SIZE + len(payload)
    return Writer(_STRUCTURE).u8(_VERSION, "version").u8(0, "reserved").u16_be(size, "length").put(payload).done()


def open_packet(packet: bytes, structure: str) -> Reader:
    """Check the header of a whole packet and give a reader behind it; errors then name ``structure``."""
    header = Reader(packet, _STRUCTURE)
    if (version := header.u8("version")) != _VERSION:
        raise header.error(f"version {version} is not {_VERSION}", "version")
    header.u8("reserved")
    if (size := header.u16_be("length")) != len(packet):
        raise header.error(f"{size} bytes are announced, the packet has {len(packet)}", "length")
    reader = Reader(packet, structure)
    reader.take(HEADER_SIZE, "TPKT")
    return reader


def packet_size(buffer: bytes | bytearray, start: int = 0) -> int | None:
    """Give the size of the packet that begins at ``start``; None as long as its header is not all there.

    Raises: as ``split``.
    """
    head = buffer[start : start + HEADER_SIZE]
    if not head:
        return None
    if head[0] == _VERSION:
        return _checked(int.from_bytes(head[2:4], "big"), _SMALLEST, start) if len(head) == HEADER_SIZE else None
    if head[0] & _ACTION_MASK != _FAST_PATH:
        raise RemoteProtocolError(
            f"0x{head[0]:02x} begins neither a TPKT nor a fast-path packet", structure=_STRUCTURE, offset=start
        )
    return _fast_path_size(bytes(head), start)


def _fast_path_size(head: bytes, start: int) -> int | None:
    """Read the one or two bytes of a fast-path length."""
    match tuple(head[1:3]):  # Bytes match no sequence.
        case [first, *_] if not first & _LONG_LENGTH:
            return _checked(first, 2, start)
        case [first, second]:
            return _checked((first & ~_LONG_LENGTH) << 8 | second, 3, start)
    return None


def _checked(size: int, smallest: int, start: int) -> int:
    if size < smallest:
        raise RemoteProtocolError(
            f"a packet of {size} bytes is shorter than its header", structure=_STRUCTURE, field="length", offset=start
        )
    return size
