"""How does a server tell a client why it ends the connection? The Set Error Info PDU, whose reason clients show to people.

Source: [MS-RDPBCGR] 2.2.5.1.1 Set Error Info PDU, 2.2.8.1.1.1.1 and 2.2.8.1.1.1.2 for what stands before the number.
"""

from typing import Final

from calward.wire.rdp.mcs import SERVER_USER
from calward.wire.writer import Writer

__all__ = ["set_error_info"]

_SIZE: Final = 22
_DATA_PDU: Final = 0x0017
"""TS_PROTOCOL_VERSION and PDUTYPE_DATAPDU."""
_LOW_PRIORITY: Final = 1
_UNCOMPRESSED_SIZE: Final = 8
_SET_ERROR_INFO: Final = 0x2F


def set_error_info(code: int) -> bytes:
    """Give the data of the PDU, which has no security header; ``code`` has 32 bits. It may come before there is a share."""
    writer = Writer("TS_SET_ERROR_INFO_PDU").u16(_SIZE, "totalLength").u16(_DATA_PDU, "pduType")
    writer.u16(SERVER_USER, "pduSource").u32(0, "shareId").u8(0, "pad1").u8(_LOW_PRIORITY, "streamId")
    writer.u16(_UNCOMPRESSED_SIZE, "uncompressedLength").u8(_SET_ERROR_INFO, "pduType2")
    return writer.u8(0, "compressedType").u16(0, "compressedLength").u32(code, "errorInfo").done()
