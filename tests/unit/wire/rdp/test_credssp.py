"""A logon passes through unread; where it ends is found in whatever pieces it comes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp.credssp import Logon
from calward.wire.rdp.mcs import AttachUserRequest

PACKET = AttachUserRequest().encode()


def message(data):
    """A TSRequest as DER has it: as short a length as can be."""
    if len(data) < 0x80:
        return bytes((0x30, len(data))) + data
    size = len(data).to_bytes((len(data).bit_length() + 7) // 8, "big")
    return bytes((0x30, 0x80 | len(size))) + size + data


MESSAGES = st.lists(st.binary(max_size=400).map(message), max_size=5).map(b"".join)


@given(MESSAGES, st.lists(st.integers(1, 60), min_size=1))
def test_the_end_is_found_in_any_pieces(messages, sizes):
    logon, passed, stream, turn = Logon(), b"", messages + PACKET, 0
    behind = None
    while behind is None:
        size = sizes[turn % len(sizes)]
        through, behind = logon.feed(stream[:size])
        passed, stream, turn = passed + through, stream[size:], turn + 1
    assert (passed, behind + stream) == (messages, PACKET)


@pytest.mark.parametrize("size", [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x10000])
def test_each_form_of_a_length_is_understood(size):
    whole = message(bytes(size))
    assert Logon().feed(whole + PACKET) == (whole, PACKET)
    assert Logon().feed(whole) == (whole, None)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x16\x03\x01", "0x16 begins neither a message nor a packet"),
        (message(b"a") + b"\x31\x00", "0x31 begins neither"),
        (b"\x30\x80", "has a form that is not used here"),
        (b"\x30\x84\0\0\0\1a", "has a form that is not used here"),
    ],
)
def test_what_is_no_logon_is_refused(data, words):
    with pytest.raises(RemoteProtocolError, match=words):
        Logon().feed(data)


def test_a_logon_without_an_end_is_refused():
    logon, sixteenth = Logon(), message(bytes(0xFFFF - 3))
    for _ in range(15):
        assert logon.feed(sixteenth) == (sixteenth, None)
    logon.feed(sixteenth)
    with pytest.raises(RemoteProtocolError, match="more than 1048576 bytes"):
        logon.feed(sixteenth)
