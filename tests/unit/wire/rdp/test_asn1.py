"""Lengths of BER and PER: the forms that occur are read, those that nobody sends are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdp.asn1 import ber_element, enter_ber, per_length, per_length_bytes
from calward.wire.reader import Reader
from tests.support.broken import cuts, is_refused

OCTETS = b"\x04"


def content(data):
    reader = Reader(data, "BER")
    return reader.take(enter_ber(reader, OCTETS, "field"), "field")


@given(st.binary(max_size=300))
def test_an_element_is_read_as_it_was_written(data):
    assert content(ber_element(OCTETS, data)) == data


@pytest.mark.parametrize("size", [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF])
def test_each_size_is_written_and_no_cut_of_it_is_read(size):
    element = ber_element(OCTETS, bytes(size))
    assert content(element) == bytes(size)
    assert is_refused(content, element[:-1])
    assert all(is_refused(content, cut) for cut in cuts(element[:4]))


def test_a_long_length_in_one_byte_is_read_too():
    assert content(b"\x04\x81\x02ab") == b"ab"


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x05\x00", "tag 05 is not 04"),
        (b"\x04\x80", "begins with 0x80"),
        (b"\x04\x83\0\0\1a", "begins with 0x83"),
        (b"\x04\x02a", "2 bytes are announced, 1 are left"),
        (b"\x04\x82\xff\xffa", "65535 bytes are announced, 1 are left"),
    ],
)
def test_a_wrong_element_is_refused(data, words):
    with pytest.raises(RemoteProtocolError, match=words):
        content(data)


def test_an_element_that_is_too_long_is_our_own_mistake():
    with pytest.raises(LocalProtocolError):
        ber_element(OCTETS, bytes(0x10000))


@given(st.integers(0, 0x3FFF))
def test_a_per_length_is_read_as_it_was_written(size):
    written = per_length_bytes(size)
    assert (len(written), per_length(Reader(written, "PER"), "x")) == (2, size)


@pytest.mark.parametrize(("data", "size"), [(b"\0", 0), (b"\x7f", 127), (b"\x80\x80", 128), (b"\xbf\xff", 0x3FFF)])
def test_both_forms_of_a_per_length_are_read(data, size):
    reader = Reader(data, "PER")
    assert (per_length(reader, "x"), reader.remaining) == (size, 0)


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xc0\0", b"\xff\xff"])
def test_a_per_length_that_is_cut_or_in_fragments_is_refused(data):
    assert is_refused(lambda one: per_length(Reader(one, "PER"), "x"), data)


@pytest.mark.parametrize("size", [0x4000, 0xFFFF])
def test_a_per_length_that_would_need_fragments_is_our_own_mistake(size):
    with pytest.raises(LocalProtocolError, match="fragments"):
        per_length_bytes(size)
