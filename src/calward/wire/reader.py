"""How are a peer's bytes taken apart? Every read knows its field's name and checks the length before it."""

from calward.wire.errors import RemoteProtocolError

__all__ = ["Reader"]


class Reader:
    """Reads one structure from front to back; little-endian unless the name of the method says otherwise.

    Every method raises RemoteProtocolError where the data ends too early.
    """

    def __init__(self, data: bytes, structure: str) -> None:
        self._data = data
        self._structure = structure
        self._offset = 0

    @property
    def offset(self) -> int:
        """Bytes read so far."""
        return self._offset

    @property
    def remaining(self) -> int:
        """Bytes not yet read."""
        return len(self._data) - self._offset

    def u8(self, field: str) -> int:
        """Read one byte."""
        return self.take(1, field)[0]

    def u16(self, field: str) -> int:
        """Read two bytes."""
        return int.from_bytes(self.take(2, field), "little")

    def u32(self, field: str) -> int:
        """Read four bytes."""
        return int.from_bytes(self.take(4, field), "little")

    def u16_be(self, field: str) -> int:
        """Read two bytes, the higher first."""
        return int.from_bytes(self.take(2, field), "big")

    def u32_be(self, field: str) -> int:
        """Read four bytes, the highest first."""
        return int.from_bytes(self.take(4, field), "big")

    def take(self, size: int, field: str) -> bytes:
        """Read ``size`` bytes; nothing is allocated before it is known that they are there."""
        if size > self.remaining:
            raise self.error(f"{size} bytes are announced, {self.remaining} are left", field)
        start = self._offset
        self._offset += size
        return bytes(self._data[start : self._offset])

    def rest(self) -> bytes:
        """Read all that is left."""
        return self.take(self.remaining, "rest")

    def blob(self, field: str) -> tuple[int, bytes]:
        """Read a LICENSE_BINARY_BLOB: its type and its data ([MS-RDPBCGR] 2.2.1.12.1.2)."""
        kind = self.u16(f"{field}.wBlobType")
        return kind, self.take(self.u16(f"{field}.wBlobLen"), field)

    def end(self) -> None:
        """Make sure that nothing is left over."""
        if self.remaining:
            raise self.error(f"{self.remaining} bytes are left over")

    def error(self, message: str, field: str | None = None) -> RemoteProtocolError:
        """Make the error that belongs to this place."""
        return RemoteProtocolError(message, structure=self._structure, field=field, offset=self._offset)
