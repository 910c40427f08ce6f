"""How does licensing end without a license, well or badly? LICENSE_ERROR_MESSAGE, [MS-RDPBCGR] 2.2.1.12.1.3."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from calward.wire.rdpele.blobs import BlobType
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["VALID_CLIENT", "ErrorCode", "LicenseError", "StateTransition"]

_NAME: Final = "LICENSE_ERROR_MESSAGE"


class ErrorCode(IntEnum):
    """Values of dwErrorCode."""

    INVALID_SERVER_CERTIFICATE = 0x01  # by the client
    NO_LICENSE = 0x02  # by the client
    INVALID_MAC = 0x03  # by both
    INVALID_SCOPE = 0x04
    NO_LICENSE_SERVER = 0x06
    VALID_CLIENT = 0x07  # success
    INVALID_CLIENT = 0x08
    INVALID_PRODUCT_ID = 0x0B
    INVALID_MESSAGE_LENGTH = 0x0C


class StateTransition(IntEnum):
    """Values of dwStateTransition ([MS-RDPELE] 3.1.5.2); Windows never sends the last two."""

    TOTAL_ABORT = 1
    NO_TRANSITION = 2
    RESET_PHASE_TO_START = 3
    RESEND_LAST_MESSAGE = 4


@dataclass(frozen=True, slots=True)
class LicenseError:
    """An end; numbers that the specification does not know stay numbers."""

    code: int
    transition: int
    info: bytes = b""

    @classmethod
    def decode(cls, body: bytes) -> "LicenseError":
        """Read the message behind its preamble; RemoteProtocolError where it is malformed."""
        reader = Reader(body, _NAME)
        code, transition = reader.u32("dwErrorCode"), reader.u32("dwStateTransition")
        _, info = reader.blob("bbErrorInfo")
        reader.end()
        return cls(_known(ErrorCode, code), _known(StateTransition, transition), info)

    def encode(self) -> bytes:
        """Write the message without its preamble."""
        writer = Writer(_NAME).u32(self.code, "dwErrorCode").u32(self.transition, "dwStateTransition")
        return writer.blob(BlobType.ERROR, self.info, "bbErrorInfo").done()


def _known(names: type[IntEnum], number: int) -> int:
    return names(number) if number in list(names) else number


VALID_CLIENT: Final = LicenseError(ErrorCode.VALID_CLIENT, StateTransition.NO_TRANSITION)
"""Licensing ends well, and the client gets nothing to keep."""
