"""Which licensing message is this? The four bytes before each of them, [MS-RDPBCGR] 2.2.1.12.1.1."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from calward.wire.errors import RemoteProtocolError
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["EXTENDED_ERRORS", "MessageType", "Preamble", "frame", "unframe"]

SIZE: Final = 4
VERSION_3: Final = 0x03
EXTENDED_ERRORS: Final = 0x80
"""Flag of clients that take extended error messages. A server never sets it."""


class MessageType(IntEnum):
    """Values of bMsgType, with the section of the message."""

    LICENSE_REQUEST = 0x01  # [MS-RDPELE] 2.2.2.1, by the server
    PLATFORM_CHALLENGE = 0x02  # 2.2.2.4, by the server
    NEW_LICENSE = 0x03  # 2.2.2.7, by the server
    UPGRADE_LICENSE = 0x04  # 2.2.2.6, by the server
    LICENSE_INFO = 0x12  # 2.2.2.3, by the client
    NEW_LICENSE_REQUEST = 0x13  # 2.2.2.2, by the client
    PLATFORM_CHALLENGE_RESPONSE = 0x15  # 2.2.2.5, by the client
    ERROR_ALERT = 0xFF  # 2.2.2.8, by both


@dataclass(frozen=True, slots=True)
class Preamble:
    """What stands before a message."""

    type: MessageType
    flags: int
    """Version of the licensing protocol in the low four bits; EXTENDED_ERRORS."""
    size: int
    """Bytes of the message, these four included, the security header not."""


def frame(message_type: MessageType, body: bytes, *, flags: int = VERSION_3) -> bytes:
    """Put the preamble before a message; LocalProtocolError if the message is longer than its 16-bit size can say."""
    writer = Writer("LICENSE_PREAMBLE").u8(message_type, "bMsgType").u8(flags, "flags")
    return writer.u16(SIZE + len(body), "wMsgSize").put(body).done()


def unframe(data: bytes) -> tuple[Preamble, bytes]:
    """Take the preamble from a message.

    Raises:
        RemoteProtocolError: an unknown type, or wMsgSize is not the size of ``data``.

    """
    reader = Reader(data, "LICENSE_PREAMBLE")
    number = reader.u8("bMsgType")
    flags, size = reader.u8("flags"), reader.u16("wMsgSize")
    if number not in list(MessageType):
        raise RemoteProtocolError(
            f"unknown type 0x{number:02x}", structure="LICENSE_PREAMBLE", field="bMsgType", offset=0
        )
    if size != len(data):
        raise RemoteProtocolError(
            f"says {size} bytes, there are {len(data)}", structure="LICENSE_PREAMBLE", field="wMsgSize", offset=2
        )
    return Preamble(MessageType(number), flags, size), reader.rest()
