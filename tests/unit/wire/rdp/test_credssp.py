"""Is the end of a logon found, in whatever pieces it comes, and is a logon without an end refused?"""

import pytest

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp.credssp import Logon

SHORT, LONG, LONGEST = b"\x30\x03abc", b"\x30\x81\x80" + bytes(128), b"\x30\x83\x01\x00\x00" + bytes(1 << 16)
PACKET = bytes.fromhex("0300000702f080")


@pytest.mark.parametrize("size", [1, 2, 3, 1 << 20])
def test_messages_of_every_length_pass_up_to_the_first_packet(size):
    stream = SHORT + LONG + LONGEST + b"\x30\x00" + PACKET
    logon, passed = Logon(), b""
    for start in range(0, len(stream), size):
        passing, rest = logon.feed(stream[start : start + size])
        passed += passing
        if rest is not None:
            break
    assert passed + PACKET == stream
    assert rest == PACKET[: len(rest)]


def test_a_packet_within_a_message_is_part_of_it():
    assert Logon().feed(b"\x30\x07" + PACKET) == (b"\x30\x07" + PACKET, None)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"\x31\x00", "begins neither"),
        (b"\x30\x80", "a form that is not used"),
        (b"\x30\x84", "a form that is not used"),
    ],
)
def test_what_is_no_message_is_refused(data, what):
    with pytest.raises(RemoteProtocolError, match=what):
        Logon().feed(data)


def test_a_logon_without_an_end_is_refused():
    logon = Logon()
    for _ in range(15):
        assert logon.feed(LONGEST) == (LONGEST, None)
    with pytest.raises(RemoteProtocolError, match="more than 1048576 bytes"):
        logon.feed(LONGEST)
