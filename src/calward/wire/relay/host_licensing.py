"""What is done with a packet of the host while the host's own licensing runs, in which the relay plays the client?

Xrdp up to 0.10.0 sends a license request and waits for any answer, then says "valid"; later versions and FreeRDP say "valid" at
once, which may come after network measurements that only the client can answer: whatever is no licensing passes.
Source: [MS-RDPBCGR] 1.3.1.1; 2.2.1.12 Server License Error PDU - Valid Client.
"""

from enum import Enum, auto
from typing import Final

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp.tpkt import is_fast_path
from calward.wire.rdpele.license_error import ErrorCode, LicenseError, StateTransition
from calward.wire.rdpele.preamble import MessageType, frame
from calward.wire.reader import Reader
from calward.wire.relay.frames import send_data_of

__all__ = ["ANSWER", "HostSays", "listen"]

ANSWER: Final = frame(
    MessageType.ERROR_ALERT, LicenseError(ErrorCode.NO_LICENSE, StateTransition.NO_TRANSITION).encode()
)
"""Sent for a host's license request. "I have none" is the shortest truth; xrdp reads no more than that it is of licensing."""


_SEC_LICENSE: Final = 0x0080
_SHORTEST: Final = 12
_SHARE_VERSION: Final = 0x0010
"""TS_PROTOCOL_VERSION in the type of every share control header ([MS-RDPBCGR] 2.2.8.1.1.1.1)."""
_KINDS: Final = frozenset(
    {MessageType.LICENSE_REQUEST, MessageType.NEW_LICENSE, MessageType.UPGRADE_LICENSE, MessageType.ERROR_ALERT}
)


class HostSays(Enum):
    """What a packet of the host means for the relay."""

    OTHER = auto()
    """Not of licensing, and no sign that licensing is over: it passes."""
    REQUEST = auto()
    """A license request: it is answered and kept from the client."""
    VALID = auto()
    """Licensing has ended: kept from the client, what follows passes."""
    BEYOND = auto()
    """The host has gone on without licensing: it passes, as all that follows."""


def listen(packet: bytes, io_channel: int) -> HostSays:
    """Say what a whole packet is; RemoteProtocolError where the host's own licensing refuses the relay."""
    if is_fast_path(packet):
        return HostSays.BEYOND
    sent = send_data_of(packet)
    if sent is None or sent.channel != io_channel:
        return HostSays.OTHER
    if (found := _licensing(sent.data)) is None:
        return HostSays.BEYOND
    kind, code = found
    if kind == MessageType.LICENSE_REQUEST:
        return HostSays.REQUEST
    if kind == MessageType.ERROR_ALERT and code != ErrorCode.VALID_CLIENT:
        raise RemoteProtocolError(
            f"the host's own licensing has refused (code {code})", structure="LICENSE_ERROR_MESSAGE"
        )
    return HostSays.VALID


def _licensing(data: bytes) -> tuple[int, int] | None:
    """Read type and first number of a host's licensing message; None where it is none.

    Hosts are believed more than clients: reserved fields and sizes may be as they like. Behind licensing there are no security
    headers any more, and the first two bytes may be the size of a Demand Active PDU that looks like the flag: its type,
    in the same place as flagsHi, tells.
    """
    reader = Reader(data, "TS_SECURITY_HEADER")
    if reader.remaining < _SHORTEST:
        return None
    flags, high = reader.u16("flags"), reader.u16("flagsHi")
    kind = reader.u8("bMsgType")
    reader.take(3, "flags and wMsgSize")
    if not flags & _SEC_LICENSE or kind not in _KINDS or (flags == len(data) and high & _SHARE_VERSION):
        return None
    return kind, reader.u32("dwErrorCode")
