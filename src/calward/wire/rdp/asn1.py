"""How are lengths and elements of BER and PER read and written? As much of both as T.125 and T.124 need here."""

from typing import Final

from calward.wire.errors import LocalProtocolError
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["ber_element", "enter_ber", "per_length", "per_length_bytes"]

_LONG: Final = 0x80
_FRAGMENTED: Final = 0x4000
_LONG_FORMS: Final = {0x81: 1, 0x82: 2}
"""First byte of a long BER length: how many bytes follow. No packet needs more than two."""


def enter_ber(reader: Reader, tag: bytes, field: str) -> int:
    """Read tag and length of an element, and check that its content is there; give the content's size."""
    if (found := reader.take(len(tag), f"{field}.tag")) != tag:
        raise reader.error(f"tag {found.hex()} is not {tag.hex()}", field)
    size = _ber_length(reader, field)
    if size > reader.remaining:
        raise reader.error(f"{size} bytes are announced, {reader.remaining} are left", field)
    return size


def ber_element(tag: bytes, content: bytes) -> bytes:
    """Write an element; LocalProtocolError for a content of more than 65535 bytes."""
    writer = Writer("BER").put(tag)
    if len(content) < _LONG:
        return writer.u8(len(content), "length").put(content).done()
    return writer.u8(0x82, "length").u16_be(len(content), "length").put(content).done()


def per_length(reader: Reader, field: str) -> int:
    """Read a PER length of one or two bytes; one in fragments is refused (X.691 section 10.9)."""
    first = reader.u8(f"{field}.length")
    if first < _LONG:
        return first
    size = (first & ~_LONG) << 8 | reader.u8(f"{field}.length")
    if size >= _FRAGMENTED:
        raise reader.error("a length in fragments is not used here", field)
    return size


def per_length_bytes(size: int) -> bytes:
    """Write a PER length, in two bytes always, as clients and servers in the field do.

    LocalProtocolError for more than 16383.
    """
    if size >= _FRAGMENTED:
        raise LocalProtocolError(f"{size} bytes would need a length in fragments", structure="PER", field="length")
    return Writer("PER").u16_be(size | _LONG << 8, "length").done()


def _ber_length(reader: Reader, field: str) -> int:
    first = reader.u8(f"{field}.length")
    if first < _LONG:
        return first
    if first not in _LONG_FORMS:
        raise reader.error(f"a length that begins with 0x{first:02x} is not used here", field)
    return int.from_bytes(reader.take(_LONG_FORMS[first], f"{field}.length"), "big")
