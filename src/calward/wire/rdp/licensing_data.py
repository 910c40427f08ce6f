"""Which data on the I/O channel is a licensing message, where TLS or nothing at all encrypts it?

Source: [MS-RDPBCGR] 2.2.1.12 Server License Error PDU - Valid Client, 2.2.8.1.1.2.1 Basic Security Header.
"""

from typing import Final

from calward.wire.rdp.security import SecurityFlag, SecurityHeader
from calward.wire.rdpele.preamble import MessageType
from calward.wire.reader import Reader

__all__ = ["host_licensing", "licensing_data", "licensing_message"]

_SHORTEST: Final = 12
"""Security header, preamble and one number."""
_SHARE_VERSION: Final = 0x0010
"""TS_PROTOCOL_VERSION in the type of every share control header ([MS-RDPBCGR] 2.2.8.1.1.1.1)."""
_OF_HOSTS: Final = frozenset(
    {MessageType.LICENSE_REQUEST, MessageType.NEW_LICENSE, MessageType.UPGRADE_LICENSE, MessageType.ERROR_ALERT}
)


def licensing_data(message: bytes) -> bytes:
    """Put the security header before a message: exactly one flag, because some clients take no other beneath TLS."""
    return SecurityHeader(SecurityFlag.LICENSE_PKT).encode() + message


def licensing_message(data: bytes) -> bytes | None:
    """Give the message behind the security header of a client's data; None where the header says that it is none.

    RemoteProtocolError: it is encrypted, which nothing is beneath TLS; or it ends within its header.
    """
    reader = Reader(data, "security header")
    flags = SecurityFlag(reader.u16("flags"))
    if not flags & SecurityFlag.LICENSE_PKT:
        return None
    if flags & SecurityFlag.ENCRYPT:
        raise reader.error("licensing is encrypted beneath TLS", "flags")
    reader.u16("flagsHi")
    return reader.rest()


def host_licensing(data: bytes) -> tuple[int, int] | None:
    """Read type and first number of a host's licensing message; None where it is none.

    Hosts are believed more than clients: reserved fields and sizes may be as they like. Behind licensing there are no
    security headers any more, and the first two bytes may be the size of a Demand Active PDU that looks like the flag: its
    type, in the same place as flagsHi, tells.
    """
    if len(data) < _SHORTEST:
        return None
    reader = Reader(data, "security header")
    flags, high, kind = reader.u16("flags"), reader.u16("flagsHi"), reader.u8("bMsgType")
    if not flags & SecurityFlag.LICENSE_PKT or kind not in _OF_HOSTS or (flags == len(data) and high & _SHARE_VERSION):
        return None
    reader.take(3, "flags and wMsgSize")
    return kind, reader.u32("dwErrorCode")
