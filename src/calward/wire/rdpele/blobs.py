"""Which kinds of LICENSE_BINARY_BLOB are there, and how do texts stand in them?"""

from enum import IntEnum

from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["BlobType", "narrow", "read_wide", "to_narrow", "write_wide"]


class BlobType(IntEnum):
    """Values of wBlobType ([MS-RDPBCGR] 2.2.1.12.1.2).

    A decoder never depends on the type of a blob: an empty blob may carry any, and clients write 1 where 9 is specified.
    """

    DATA = 0x01
    RANDOM = 0x02
    CERTIFICATE = 0x03
    ERROR = 0x04
    RSA_KEY = 0x06
    RSA_SIGNATURE = 0x08
    ENCRYPTED_DATA = 0x09
    KEY_EXCHANGE = 0x0D
    SCOPE = 0x0E
    USER_NAME = 0x0F
    MACHINE_NAME = 0x10


def narrow(data: bytes) -> str:
    """Read an 8-bit text up to its first NUL, or to its end where a client forgot the NUL.

    The code page is not told: UTF-8 where the bytes are UTF-8, else each byte is one character.
    """
    text = data.split(b"\0", 1)[0]
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def to_narrow(text: str) -> bytes:
    """Write an 8-bit text in UTF-8, with its NUL."""
    return text.encode(errors="replace") + b"\0"


def read_wide(reader: Reader, field: str) -> str:
    """Read a 32-bit length and a UTF-16 text of so many bytes; what is no UTF-16 becomes U+FFFD."""
    size = reader.u32(f"cb{field}")
    if size % 2:
        raise reader.error(f"{size} bytes are no UTF-16", f"cb{field}")
    return reader.take(size, field).decode("utf-16-le", errors="replace").split("\0", 1)[0]


def write_wide(writer: Writer, text: str, field: str) -> Writer:
    """Write a UTF-16 text with its NUL, and before it its length in bytes."""
    data = (text + "\0").encode("utf-16-le", errors="replace")
    return writer.u32(len(data), f"cb{field}").put(data)
