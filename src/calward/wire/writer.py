"""How are bytes put together? Every write knows its field's name and refuses what does not fit."""

from typing import Literal, TypeAlias

from calward.wire.errors import LocalProtocolError

__all__ = ["Writer"]

Order: TypeAlias = Literal["little", "big"]


class Writer:
    """Writes one structure from front to back; little-endian unless the name of the method says otherwise.

    Every method raises LocalProtocolError where the value does not fit; all give the writer back, so that calls can be
    chained.
    """

    def __init__(self, structure: str) -> None:
        self._structure = structure
        self._data = bytearray()

    def u8(self, value: int, field: str) -> "Writer":
        """Write one byte."""
        return self._number(value, 1, "little", field)

    def u16(self, value: int, field: str) -> "Writer":
        """Write two bytes."""
        return self._number(value, 2, "little", field)

    def u32(self, value: int, field: str) -> "Writer":
        """Write four bytes."""
        return self._number(value, 4, "little", field)

    def u16_be(self, value: int, field: str) -> "Writer":
        """Write two bytes, the higher first."""
        return self._number(value, 2, "big", field)

    def u32_be(self, value: int, field: str) -> "Writer":
        """Write four bytes, the highest first."""
        return self._number(value, 4, "big", field)

    def put(self, data: bytes) -> "Writer":
        """Write bytes as they are."""
        self._data += data
        return self

    def fixed(self, data: bytes, size: int, field: str) -> "Writer":
        """Write bytes of which the field has exactly ``size``."""
        if len(data) != size:
            raise self._error(f"has {len(data)} bytes, the field {size}", field)
        return self.put(data)

    def blob(self, kind: int, data: bytes, field: str) -> "Writer":
        """Write a LICENSE_BINARY_BLOB ([MS-RDPBCGR] 2.2.1.12.1.2)."""
        return self.u16(kind, f"{field}.wBlobType").u16(len(data), f"{field}.wBlobLen").put(data)

    def done(self) -> bytes:
        """Give what was written."""
        return bytes(self._data)

    def _number(self, value: int, size: int, order: Order, field: str) -> "Writer":
        if not 0 <= value < 1 << (8 * size):
            raise self._error(f"{value} does not fit into {size} bytes", field)
        self._data += value.to_bytes(size, order)
        return self

    def _error(self, message: str, field: str) -> LocalProtocolError:
        return LocalProtocolError(message, structure=self._structure, field=field, offset=len(self._data))
