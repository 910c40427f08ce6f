"""Packets of the conference: each is read as it was written, whole or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdp import mcs
from calward.wire.rdp.mcs import DisconnectReason
from calward.wire.rdp.x224 import data_packet
from tests.support.broken import changed, cuts, is_refused

USER = st.integers(1001, 1001 + 0xFFFF)
CHANNEL = st.integers(0, 0xFFFF)
RESULT = st.integers(0, 15)
DATA = st.binary(max_size=300)
PRIORITY = st.integers(0, 255)
PDUS = st.one_of(
    st.builds(mcs.ErectDomain, st.binary(max_size=8)),
    st.builds(mcs.DisconnectUltimatum, st.integers(0, 7)),
    st.just(mcs.AttachUserRequest()),
    st.builds(mcs.AttachUserConfirm, st.none() | USER, RESULT),
    st.builds(mcs.ChannelJoinRequest, USER, CHANNEL),
    st.builds(mcs.ChannelJoinConfirm, USER, CHANNEL, st.none() | CHANNEL, RESULT),
    st.builds(mcs.SendDataRequest, USER, CHANNEL, DATA, PRIORITY),
    st.builds(mcs.SendDataIndication, USER, CHANNEL, DATA, PRIORITY),
)


@given(PDUS)
def test_a_pdu_is_read_as_it_was_written(pdu):
    assert mcs.decode(pdu.encode()) == pdu


@given(PDUS)
def test_no_cut_pdu_is_read_even_if_its_frame_says_so(pdu):
    packet = pdu.encode()
    assert all(is_refused(mcs.decode, cut) for cut in cuts(packet))
    for cut in list(cuts(packet))[7:]:
        shorter = changed(cut, 2, len(cut).to_bytes(2, "big"))
        # The heights of an Erect Domain are of no interest, and of no fixed length.
        assert is_refused(mcs.decode, shorter) or isinstance(mcs.decode(shorter), mcs.ErectDomain)


@given(PDUS)
def test_what_follows_a_pdu_is_refused(pdu):
    packet = pdu.encode() + b"\0"
    packet = changed(packet, 2, len(packet).to_bytes(2, "big"))
    assert is_refused(mcs.decode, packet) or isinstance(pdu, mcs.ErectDomain)


@pytest.mark.parametrize(
    ("pdu", "data"),
    [
        (mcs.ErectDomain(), "0401000100"),
        (mcs.DisconnectUltimatum(), "2180"),
        (mcs.DisconnectUltimatum(DisconnectReason.PROVIDER_INITIATED), "2080"),
        (mcs.AttachUserRequest(), "28"),
        (mcs.AttachUserConfirm(1007), "2e000006"),
        (mcs.AttachUserConfirm(None, 14), "2dc0"),
        (mcs.ChannelJoinRequest(1007, 1003), "38000603eb"),
        (mcs.ChannelJoinConfirm(1007, 1003, 1003), "3e00000603eb03eb"),
        (mcs.ChannelJoinConfirm(1007, 1003, None, 8), "3d00000603eb"),
        (mcs.SendDataRequest(1007, 1003, b"ab"), "64000603eb7080026162"),
        (mcs.SendDataIndication(1002, 1003, b""), "68000103eb708000"),
    ],
)
def test_each_pdu_has_these_bytes(pdu, data):
    assert (pdu.encode(), mcs.decode(data_packet(bytes.fromhex(data)))) == (data_packet(bytes.fromhex(data)), pdu)


@pytest.mark.parametrize("size", [0, 1, 127])
def test_a_short_length_in_one_byte_is_read_too(size):
    data = b"x" * size
    packet = data_packet(bytes.fromhex("64000603eb70") + bytes([size]) + data)
    assert mcs.decode(packet) == mcs.SendDataRequest(1007, 1003, data)


@pytest.mark.parametrize("length", ["8003", "05", "c001", "ffff"])
def test_a_wrong_length_is_refused(length):
    assert is_refused(mcs.decode, data_packet(bytes.fromhex("64000603eb70" + length) + b"ab"))


@pytest.mark.parametrize("first", [0x00, 0x0C, 0x2F + 1, 0x60, 0x6C, 0x7E, 0xFF])
def test_what_rdp_does_not_use_is_refused(first):
    with pytest.raises(RemoteProtocolError, match=f"0x{first:02x} begins no PDU that is used here"):
        mcs.decode(data_packet(bytes([first]) + bytes(8)))


@pytest.mark.parametrize("user", [1000, 1001 + 0x10000])
def test_a_user_that_cannot_be_is_our_own_mistake(user):
    with pytest.raises(LocalProtocolError, match="initiator"):
        mcs.ChannelJoinRequest(user, 1003).encode()


def test_too_much_data_is_our_own_mistake():
    assert len(mcs.decode(mcs.SendDataRequest(1007, 1003, bytes(0x3FFF)).encode()).data) == 0x3FFF
    with pytest.raises(LocalProtocolError, match="fragments"):
        mcs.SendDataRequest(1007, 1003, bytes(0x4000)).encode()
