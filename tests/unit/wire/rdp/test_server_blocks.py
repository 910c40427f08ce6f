"""What a server answers about itself: the lengths in it are held against what is there."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.rdp.gcc import BlockKind
from calward.wire.rdp.server_blocks import MessageChannel, ServerCore, ServerNetwork, ServerSecurity
from tests.support.broken import changed, cuts, is_refused

NUMBER = st.integers(0, 0xFFFFFFFF)


@given(core=st.one_of(st.builds(ServerCore, NUMBER), st.builds(ServerCore, NUMBER, NUMBER, st.none() | NUMBER)))
def test_a_server_is_read_as_it_was_written(core):
    block = core.encode()
    assert (block.kind, ServerCore.decode(block.data)) == (BlockKind.SC_CORE, core)


def test_an_old_server_ends_between_two_fields_and_nowhere_else():
    data = ServerCore(1, 2, 3).encode().data
    right = {4: ServerCore(1), 8: ServerCore(1, 2)}
    for cut in cuts(data):
        if len(cut) in right:
            assert ServerCore.decode(cut) == right[len(cut)]
        else:
            assert is_refused(ServerCore.decode, cut)


def test_a_field_cannot_be_written_without_the_one_before_it():
    assert ServerCore(1, None, 3).encode() == ServerCore(1).encode()


@pytest.mark.parametrize(
    ("method", "bits"), [(0, None), (1, 40), (2, 128), (8, 56), (0x10, None)], ids=["none", "40", "128", "56", "FIPS"]
)
def test_each_method_has_its_length_of_key(method, bits):
    security = ServerSecurity(method, 2 if method else 0, b"r" * 32 if method else b"", b"c" if method else b"")
    block = security.encode()
    assert (block.kind, ServerSecurity.decode(block.data), security.bits) == (BlockKind.SC_SECURITY, security, bits)


@given(st.integers(1, 16), st.integers(0, 4), st.binary(max_size=40), st.binary(max_size=200))
def test_standard_security_is_read_as_it_was_written(method, level, random, certificate):
    security = ServerSecurity(method, level, random, certificate)
    assert ServerSecurity.decode(security.encode().data) == security


def test_standard_security_is_not_read_if_it_is_cut():
    data = ServerSecurity(2, 3, b"r" * 32, b"certificate").encode().data
    for cut in cuts(data):
        # Some servers end after method and level.
        assert is_refused(ServerSecurity.decode, cut) is (len(cut) != 8)


@pytest.mark.parametrize("place", [8, 12])
def test_a_length_beyond_the_end_is_refused(place):
    data = ServerSecurity(2, 3, b"r" * 32, b"certificate").encode().data
    assert is_refused(ServerSecurity.decode, changed(data, place, b"\xff\xff\xff\xff"))


@given(st.integers(0, 0xFFFF), st.lists(st.integers(0, 0xFFFF), max_size=31))
def test_channels_are_read_as_they_were_written_and_padded(io_channel, channels):
    network = ServerNetwork(io_channel, tuple(channels))
    block = network.encode()
    assert (block.kind, ServerNetwork.decode(block.data)) == (BlockKind.SC_NET, network)
    assert len(block.data) % 4 == 0
    assert all(is_refused(ServerNetwork.decode, cut) for cut in cuts(block.data[: 4 + 2 * len(channels)]))


def test_more_channels_than_there_are_bytes_are_refused():
    assert is_refused(ServerNetwork.decode, b"\xeb\x03\xff\xff" + bytes(100))


@given(st.integers(0, 0xFFFF))
def test_the_message_channel_is_read_as_it_was_written(channel):
    block = MessageChannel(channel).encode()
    assert (block.kind, MessageChannel.decode(block.data)) == (BlockKind.SC_MCS_MSGCHANNEL, MessageChannel(channel))
    assert all(is_refused(MessageChannel.decode, cut) for cut in cuts(block.data))
