"""How is a client refused so that a person can read why?

A license error alone gives nobody a sentence. What does was found by trial with FreeRDP 2 and 3 and rdesktop: FreeRDP
shows the reason of a Set Error Info PDU once licensing has ended well; rdesktop expects it before a license error.
Sources: [MS-RDPBCGR] 2.2.5.1.1 Set Error Info PDU, 2.2.1.12.1.3 License Error Message, 2.2.2.3 (MCS disconnect).
"""

from typing import Final

from calward.wire.rdp.mcs import DisconnectUltimatum
from calward.wire.rdp.set_error_info import set_error_info
from calward.wire.rdpele.license_error import VALID_CLIENT, ErrorCode, LicenseError, StateTransition
from calward.wire.rdpele.preamble import MessageType, frame
from calward.wire.relay.course import Course

__all__ = ["NO_LICENSE", "NO_LICENSE_SERVER", "VALID", "refusal"]

NO_LICENSE_SERVER: Final = 0x101
"""ERRINFO_LICENSE_NO_LICENSE_SERVER: none of the license servers answers."""
NO_LICENSE: Final = 0x102
"""ERRINFO_LICENSE_NO_LICENSE: a license server answers, and has none for this client."""
VALID: Final = frame(MessageType.ERROR_ALERT, VALID_CLIENT.encode())
"""Licensing ends well, and the client gets nothing to keep."""
_DISCONNECT: Final = DisconnectUltimatum().encode()


def refusal(course: Course, *, no_server: bool, rdesktop: bool) -> bytes:
    """Make all that a refused client is sent, the end of the connection included."""
    reason = course.indicated(set_error_info(NO_LICENSE_SERVER if no_server else NO_LICENSE)).data
    if rdesktop:
        code = ErrorCode.NO_LICENSE_SERVER if no_server else ErrorCode.INVALID_CLIENT
        error = LicenseError(code, StateTransition.TOTAL_ABORT).encode()
        return reason + course.told(frame(MessageType.ERROR_ALERT, error)).data + _DISCONNECT
    return course.told(VALID).data + reason + _DISCONNECT
