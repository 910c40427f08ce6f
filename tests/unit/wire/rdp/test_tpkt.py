"""Packets in a stream: none is cut wrongly, none is waited for in vain, and nothing is kept that can never be whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdp import tpkt

WHOLE = tpkt.wrap(b"\x02\xf0\x80")
FAST_SHORT, FAST_LONG = b"\x00\x05abc", b"\x40\x81\x00" + bytes(253)
PACKETS = st.one_of(
    st.binary(min_size=3, max_size=300).map(tpkt.wrap),
    st.binary(max_size=125).map(lambda data: bytes((0, len(data) + 2)) + data),
    st.binary(max_size=300).map(lambda data: b"\xc0" + (0x8000 | len(data) + 3).to_bytes(2, "big") + data),
)


@given(packets=st.lists(PACKETS, max_size=8), rest=st.integers(0, 6))
def test_packets_are_cut_where_they_were_joined(packets, rest):
    tail = WHOLE[:rest]
    assert tpkt.split(b"".join(packets) + tail) == (packets, tail)


@given(packets=st.lists(PACKETS, max_size=4), sizes=st.lists(st.integers(1, 50), min_size=1))
def test_it_does_not_matter_in_which_pieces_a_stream_comes(packets, sizes):
    stream, found, kept, turn = b"".join(packets), [], b"", 0
    while stream:
        size = sizes[turn % len(sizes)]
        more, kept = tpkt.split(kept + stream[:size])
        found, stream, turn = found + more, stream[size:], turn + 1
    assert (found, kept) == (packets, b"")


def test_a_packet_has_its_length_before_it():
    assert bytes.fromhex("03000007 02f080") == WHOLE
    assert tpkt.open_packet(WHOLE, "X").rest() == b"\x02\xf0\x80"


def test_the_longest_packet_can_be_written_and_no_longer_one():
    assert len(tpkt.wrap(bytes(tpkt.MAX_PACKET_SIZE - 4))) == tpkt.MAX_PACKET_SIZE
    with pytest.raises(LocalProtocolError, match="does not fit"):
        tpkt.wrap(bytes(tpkt.MAX_PACKET_SIZE - 3))


@pytest.mark.parametrize("packet", [WHOLE, FAST_SHORT, FAST_LONG])
def test_a_cut_packet_is_waited_for(packet):
    for size in range(len(packet)):
        assert tpkt.split(packet[:size]) == ([], packet[:size])
    assert tpkt.split(packet) == ([packet], b"")


@pytest.mark.parametrize(
    ("head", "size"),
    [
        ("", None),
        ("03", None),
        ("030000", None),
        ("03000007", 7),
        ("0300ffff", 0xFFFF),
        ("00", None),
        ("0002", 2),
        ("007f", 0x7F),
        ("0080", None),
        ("008003", 3),
        ("00ffff", 0x7FFF),
    ],
)
def test_a_size_is_known_as_soon_as_its_bytes_are_there(head, size):
    assert tpkt.packet_size(bytes.fromhex(head)) == size
    assert tpkt.packet_size(b"before" + bytes.fromhex(head), 6) == size


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("03000006", "a packet of 6 bytes is shorter than its header"),
        ("03000000", "a packet of 0 bytes"),
        ("0001", "a packet of 1 bytes"),
        ("008002", "a packet of 2 bytes"),
        ("16030102", "0x16 begins neither"),
        ("01", "0x01 begins neither"),
        ("47455420", "0x47 begins neither"),
    ],
)
def test_what_can_never_be_a_packet_is_refused_with_its_place(head, words):
    with pytest.raises(RemoteProtocolError, match=words) as caught:
        tpkt.split(WHOLE + bytes.fromhex(head))
    assert caught.value.offset == len(WHOLE)


@pytest.mark.parametrize(("packet", "fast"), [(b"", False), (b"\x03", False), (b"\x00", True), (b"\x30\x84", True)])
def test_the_first_byte_tells_the_short_form(packet, fast):
    assert tpkt.is_fast_path(packet) is fast


@pytest.mark.parametrize(
    ("packet", "words"),
    [
        (b"", "version at byte 0: 1 bytes are announced, 0 are left"),
        (b"\x03\0", "length at byte 2"),
        (b"\x02\0\0\x07abc", "version 2 is not 3"),
        (b"\x03\0\0\x06abc", "6 bytes are announced, the packet has 7"),
        (b"\x03\0\0\x08abc", "8 bytes are announced, the packet has 7"),
    ],
)
def test_a_packet_is_opened_only_whole(packet, words):
    with pytest.raises(RemoteProtocolError, match=words):
        tpkt.open_packet(packet, "X")
