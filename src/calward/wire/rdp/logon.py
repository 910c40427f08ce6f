"""What does a client without an account send as its Client Info, and as whom does another want to log on?

Source: [MS-RDPBCGR] 2.2.1.11.1.1 Info Packet.
"""

from typing import Final

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp.security import SecurityFlag, SecurityHeader
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["nameless_client_info", "user_of"]

_MOUSE, _NO_CTRL_ALT_DEL, _UNICODE, _MAXIMIZED = 0x1, 0x2, 0x10, 0x20
_FLAGS: Final = _MOUSE | _NO_CTRL_ALT_DEL | _UNICODE | _MAXIMIZED
_TEXTS: Final = ("Domain", "UserName", "Password", "AlternateShell", "WorkingDir")
_NUL: Final = bytes(2)
_IPV4: Final = 2
_TIME_ZONE_SIZE: Final = 172


def nameless_client_info() -> bytes:
    """Give the data of the Client Info PDU under TLS: basic security header, then the packet."""
    writer = Writer("TS_INFO_PACKET").u32(0, "CodePage").u32(_FLAGS, "flags")
    for text in _TEXTS:
        writer.u16(0, f"cb{text}")
    writer.put(_NUL * len(_TEXTS)).u16(_IPV4, "clientAddressFamily")
    for text in ("ClientAddress", "ClientDir"):
        writer.u16(len(_NUL), f"cb{text}").put(_NUL)
    writer.put(bytes(_TIME_ZONE_SIZE)).u32(0, "clientSessionId").u32(0, "performanceFlags")
    writer.u16(0, "cbAutoReconnectCookie").u16(0, "reserved1").u16(0, "reserved2")
    writer.u16(0, "cbDynamicDSTTimeZoneKeyName").u16(0, "dynamicDaylightTimeDisabled")
    return SecurityHeader(SecurityFlag.INFO_PKT).encode() + writer.done()


def user_of(packet: bytes) -> str:
    """Read the user's name off an Info Packet, and nothing behind it; "" where there is none, or it cannot be read."""
    reader = Reader(packet, "TS_INFO_PACKET")
    try:
        reader.u32("CodePage")
        unicode = reader.u32("flags") & _UNICODE
        sizes = {text: reader.u16(f"cb{text}") for text in _TEXTS}
        reader.take(sizes["Domain"] + len(_NUL if unicode else b"\0"), "Domain")
        return reader.take(sizes["UserName"], "UserName").decode("utf-16-le" if unicode else "latin-1")
    except (RemoteProtocolError, UnicodeDecodeError):  # Its host will say whether it likes that.
        return ""
