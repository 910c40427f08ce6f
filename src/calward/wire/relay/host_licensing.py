"""What is done while the host's own licensing runs, in which the relay plays the client?

Xrdp up to 0.10.0 sends a license request and waits for any answer, then says "valid"; later versions and FreeRDP say "valid" at
once, which may come after network measurements that only the client can answer: whatever is no licensing passes.
Source: [MS-RDPBCGR] 1.3.1.1; 2.2.1.12 Server License Error PDU - Valid Client.
"""

from enum import Enum, auto
from typing import Final

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp import mcs
from calward.wire.rdp.licensing_data import host_licensing, licensing_data
from calward.wire.rdp.tpkt import is_fast_path
from calward.wire.rdpele.license_error import ErrorCode, LicenseError, StateTransition
from calward.wire.rdpele.preamble import MessageType, frame
from calward.wire.relay.acts import Act, Splice, ToClient, ToHost
from calward.wire.relay.course import Course, Found
from calward.wire.relay.phases import Event

__all__ = ["HostLicensing"]

_ANSWER: Final = licensing_data(
    frame(MessageType.ERROR_ALERT, LicenseError(ErrorCode.NO_LICENSE, StateTransition.NO_TRANSITION).encode())
)
"""Sent for a host's license request. "I have none" is the shortest truth; xrdp reads no more than that it is of licensing."""


class _Says(Enum):
    """What a packet of the host means for the relay."""

    OTHER = auto()
    """Not of licensing, and no sign that licensing is over: it passes."""
    REQUEST = auto()
    """A license request: it is answered and kept from the client."""
    VALID = auto()
    """Licensing has ended: kept from the client, what follows passes."""
    BEYOND = auto()
    """The host has gone on without licensing: it passes, as all that follows."""


class HostLicensing:
    """The last part of a connection's way on which anything is looked at, and what comes behind it."""

    def __init__(self, course: Course) -> None:
        self._course = course

    def from_host(self) -> Found:
        """Answer and swallow what is of licensing; RemoteProtocolError where the host refuses the relay."""
        course = self._course
        if (packet := course.take(course.host)) is None:
            return None
        match _listen(packet, course.io_channel):
            case _Says.REQUEST:
                return [ToHost(mcs.SendDataRequest(course.facts.user_channel, course.io_channel, _ANSWER).encode())]
            case _Says.VALID:
                return self._splice(b"")
            case _Says.BEYOND:
                return self._splice(packet)
            case _Says.OTHER:
                return [ToClient(packet)]

    def client_passes(self) -> Found:
        """Pass what the client has sent."""
        return [ToHost(_all_of(self._course.client))]

    def host_passes(self) -> Found:
        """Pass what the host has sent."""
        return [ToClient(_all_of(self._course.host))]

    def _splice(self, passing: bytes) -> list[Act]:
        """Give what is left in the host's buffer, and say that it was the last to be looked at."""
        self._course.move(Event.HOST_LICENSED)
        rest = passing + _all_of(self._course.host)
        return [ToClient(rest), Splice()] if rest else [Splice()]


def _all_of(buffer: bytearray) -> bytes:
    data = bytes(buffer)
    buffer.clear()
    return data


def _listen(packet: bytes, io_channel: int) -> _Says:
    if is_fast_path(packet):
        return _Says.BEYOND
    pdu = mcs.decode(packet)
    if not isinstance(pdu, mcs.SendDataIndication) or pdu.channel != io_channel:
        return _Says.OTHER
    if (found := host_licensing(pdu.data)) is None:
        return _Says.BEYOND
    kind, code = found
    if kind == MessageType.LICENSE_REQUEST:
        return _Says.REQUEST
    if kind == MessageType.ERROR_ALERT and code != ErrorCode.VALID_CLIENT:
        raise RemoteProtocolError(
            f"the host's own licensing has refused (code {code})", structure="LICENSE_ERROR_MESSAGE"
        )
    return _Says.VALID
