"""Negotiation of security: what was said is read, whatever stands around it; a rewrite changes one number only."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdp import x224
from calward.wire.rdp.x224 import (
    ConnectionConfirm,
    ConnectionRequest,
    FailureCode,
    NegotiationFailure,
    Protocol,
    decode_confirm,
)
from tests.support.broken import changed, cuts, is_refused

COOKIE = b"Cookie: mstshash=alice\r\n"
CORRELATION = b"\x06\0\x24\0" + bytes(32)
REQUESTS = [
    ConnectionRequest(None),
    ConnectionRequest(None, COOKIE),
    # As long as a negotiation, and with its first byte.
    ConnectionRequest(None, b"\x01token\r\n"),
    ConnectionRequest(Protocol.RDP),
    ConnectionRequest(Protocol.SSL | Protocol.HYBRID, COOKIE, 1),
    ConnectionRequest(Protocol.SSL, b"", 8, CORRELATION),
    ConnectionRequest(Protocol.SSL, COOKIE, 8, CORRELATION),
    # The number itself reads like the end of a line.
    ConnectionRequest(Protocol(0x0A0D)),
    ConnectionRequest(Protocol.SSL, b"", 8, CORRELATION[:-2] + b"\r\n"),
]
CONFIRMS = [
    ConnectionConfirm(None),
    ConnectionConfirm(Protocol.RDP),
    ConnectionConfirm(Protocol.HYBRID_EX, 0x1F),
    NegotiationFailure(FailureCode.HYBRID_REQUIRED_BY_SERVER),
    NegotiationFailure(77),
]


@pytest.mark.parametrize("request_", REQUESTS)
def test_a_request_is_read_as_it_was_written_and_not_if_it_is_cut(request_):
    packet = request_.encode()
    assert ConnectionRequest.decode(packet) == request_
    assert all(is_refused(ConnectionRequest.decode, cut) for cut in cuts(packet))
    assert is_refused(ConnectionRequest.decode, packet + b"\0")


@pytest.mark.parametrize("confirm", CONFIRMS)
def test_a_confirm_is_read_as_it_was_written_and_not_if_it_is_cut(confirm):
    packet = confirm.encode()
    assert decode_confirm(packet) == confirm
    assert all(is_refused(decode_confirm, cut) for cut in cuts(packet))
    assert is_refused(decode_confirm, packet + b"\0")


@given(
    protocols=st.integers(0, 0xFFFFFFFF),
    token=st.binary(max_size=60).filter(lambda data: b"\r\n" not in data).map(lambda data: b"C" + data + b"\r\n"),
    flags=st.integers(0, 255),
)
def test_any_request_comes_back(protocols, token, flags):
    request = ConnectionRequest(Protocol(protocols), token, flags)
    assert ConnectionRequest.decode(request.encode()) == request


@pytest.mark.parametrize(
    ("place", "new", "words"),
    [
        (3, b"\x2b", "43 bytes are announced, the packet has 44"),
        (4, b"\x26", "LI at byte 5: 38 bytes are announced, 39 follow"),
        (5, b"\xd0", "code 0xd0 is not 0xe0"),
        (36, b"\x02", "type 2 is not 1"),
        (38, b"\x09", "length 9 is not 8"),
    ],
)
def test_wrong_numbers_in_a_request_are_named(place, new, words):
    packet = ConnectionRequest(Protocol.RDP, b"Cookie: mstshash=eltons\r\n").encode()
    with pytest.raises(RemoteProtocolError, match=words):
        ConnectionRequest.decode(changed(packet, place, new))


@pytest.mark.parametrize(
    ("place", "new", "words"),
    [
        (5, b"\xe0", "code 0xe0 is not 0xd0"),
        (11, b"\x01", "type 1 is not 2"),
        (13, b"\x07", "length 7 is not 8"),
        (4, b"\x0d", "13 bytes are announced, 14 follow"),
    ],
)
def test_wrong_numbers_in_a_confirm_are_named(place, new, words):
    packet = ConnectionConfirm(Protocol.SSL).encode()
    with pytest.raises(RemoteProtocolError, match=words):
        decode_confirm(changed(packet, place, new))


@pytest.mark.parametrize("longer", [CONFIRMS[1], CONFIRMS[3]])
def test_a_confirm_with_more_behind_the_negotiation_is_refused(longer):
    packet = longer.encode() + b"\0"
    packet = changed(changed(packet, 3, bytes([len(packet)])), 4, bytes([packet[4] + 1]))
    assert is_refused(decode_confirm, packet)


@pytest.mark.parametrize("request_", [one for one in REQUESTS if one.requested_protocols is not None])
def test_the_requested_protocols_are_replaced_in_place(request_):
    packet = request_.encode()
    new = x224.with_requested_protocols(packet, 0x0B)
    assert len(new) == len(packet)
    found = ConnectionRequest.decode(new)
    assert (found.requested_protocols, found.token, found.flags, found.correlation) == (
        Protocol(0x0B),
        request_.token,
        request_.flags,
        request_.correlation,
    )
    assert x224.with_requested_protocols(new, request_.requested_protocols) == packet


def test_the_selected_protocol_is_replaced_in_place():
    packet = ConnectionConfirm(Protocol.HYBRID, 3).encode()
    assert x224.with_selected_protocol(packet, 1) == ConnectionConfirm(Protocol.SSL, 3).encode()


@pytest.mark.parametrize(
    ("rewrite", "packet"),
    [
        (x224.with_requested_protocols, ConnectionRequest(None, COOKIE).encode()),
        (x224.with_selected_protocol, ConnectionConfirm(None).encode()),
    ],
)
def test_an_absent_field_means_zero_and_can_be_nothing_else(rewrite, packet):
    assert rewrite(packet, 0) == packet
    with pytest.raises(LocalProtocolError, match="no such field"):
        rewrite(packet, 1)


def test_a_failure_selects_nothing():
    with pytest.raises(LocalProtocolError, match="the negotiation failed"):
        x224.with_selected_protocol(NegotiationFailure(1).encode(), 1)


@pytest.mark.parametrize("value", [-1, 1 << 32])
def test_a_number_beyond_the_field_is_our_own_mistake(value):
    with pytest.raises(LocalProtocolError, match="does not fit"):
        x224.with_requested_protocols(ConnectionRequest(Protocol.SSL).encode(), value)


def test_a_token_that_is_too_long_is_our_own_mistake():
    with pytest.raises(LocalProtocolError, match=r"X\.224\.LI"):
        ConnectionRequest(None, bytes(250)).encode()


def test_data_travel_behind_three_bytes():
    packet = x224.data_packet(b"payload")
    assert packet == bytes.fromhex("0300000e02f080") + b"payload"
    assert x224.open_data(packet, "X").rest() == b"payload"
    assert all(is_refused(lambda data: x224.open_data(data, "X"), cut) for cut in cuts(packet))
    assert is_refused(lambda data: x224.open_data(data, "X"), changed(packet, 6, b"\0"))


@pytest.mark.parametrize(
    ("packet", "code"),
    [
        (REQUESTS[0].encode(), x224.CONNECTION_REQUEST),
        (CONFIRMS[0].encode(), x224.CONNECTION_CONFIRM),
        (x224.data_packet(b""), x224.DATA),
    ],
)
def test_the_code_tells_what_a_packet_is(packet, code):
    assert x224.tpdu_code(packet) == code
