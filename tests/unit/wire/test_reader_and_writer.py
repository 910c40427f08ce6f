"""Reading and writing: nothing is read that is not there, nothing is written that does not fit."""

import pytest

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.reader import Reader
from calward.wire.writer import Writer


def test_what_is_written_is_read_again() -> None:
    writer = Writer("THING").u8(1, "a").u16(2, "b").u32(3, "c").u16_be(4, "d").u32_be(5, "e")
    data = writer.fixed(b"xy", 2, "f").blob(9, b"secret", "g").put(b"rest").done()
    reader = Reader(data, "THING")
    numbers = reader.u8("a"), reader.u16("b"), reader.u32("c"), reader.u16_be("d"), reader.u32_be("e")
    assert numbers == (1, 2, 3, 4, 5)
    assert (reader.take(2, "f"), reader.blob("g")) == (b"xy", (9, b"secret"))
    assert (reader.remaining, reader.rest()) == (4, b"rest")
    reader.end()


def test_a_length_beyond_the_end_is_an_error_with_its_place() -> None:
    reader = Reader(b"\x0d\x00\xff\xffabc", "SERVER_LICENSE_REQUEST")
    with pytest.raises(RemoteProtocolError) as caught:
        reader.blob("ScopeList")
    assert (caught.value.field, caught.value.offset) == ("ScopeList", 4)
    assert str(caught.value) == ("SERVER_LICENSE_REQUEST.ScopeList at byte 4: 65535 bytes are announced, 3 are left")


def test_what_is_left_over_is_an_error() -> None:
    with pytest.raises(RemoteProtocolError, match="THING at byte 0: 2 bytes are left over"):
        Reader(b"ab", "THING").end()


@pytest.mark.parametrize("value", [-1, 1 << 16])
def test_a_number_that_does_not_fit_is_our_own_fault(value: int) -> None:
    with pytest.raises(LocalProtocolError, match=r"THING\.size at byte 1"):
        Writer("THING").u8(0, "x").u16(value, "size")


def test_a_field_of_fixed_size_takes_no_other() -> None:
    with pytest.raises(LocalProtocolError, match="has 1 bytes, the field 2"):
        Writer("THING").fixed(b"a", 2, "x")
