"""What a client says of itself: old and new clients alike, and nothing beyond its end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdp.client_blocks import (
    MAX_CHANNELS,
    SERVER_SELECTED_PROTOCOL_OFFSET,
    ClientCore,
    ClientNetwork,
    ClientSecurity,
    StaticChannel,
)
from calward.wire.rdp.gcc import BlockKind
from tests.support.broken import cuts, is_refused

NAMES = st.text(st.characters(min_codepoint=32, max_codepoint=0xD7FF), max_size=15)
CORE = ClientCore("PC1", early_capability_flags=5, server_selected_protocol=2)


@given(name=NAMES, numbers=st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)))
def test_a_client_is_read_as_it_was_written(name, numbers):
    core = ClientCore(name, early_capability_flags=numbers[0], server_selected_protocol=numbers[1])
    block = core.encode()
    assert (block.kind, ClientCore.decode(block.data)) == (BlockKind.CS_CORE, core)


def test_a_block_ends_with_the_selected_protocol():
    data = CORE.encode().data
    assert data[SERVER_SELECTED_PROTOCOL_OFFSET:] == b"\2\0\0\0"
    absent = ClientCore.decode(ClientCore("PC1").encode().data)
    assert (absent.early_capability_flags, absent.server_selected_protocol) == (0, 0)


def test_old_clients_end_earlier_but_not_before_the_keyboard():
    data = CORE.encode().data
    for cut in cuts(data):
        if len(cut) < 64:
            assert is_refused(ClientCore.decode, cut)
            continue
        core = ClientCore.decode(cut)
        assert (core.client_name, core.early_capability_flags) == ("PC1", 5 if len(cut) >= 142 else None)
        assert core.server_selected_protocol is None


def test_what_newer_clients_add_is_passed_over():
    assert ClientCore.decode(CORE.encode().data + bytes(20)) == CORE


@pytest.mark.parametrize("name", ["sixteen letters!", "x" * 40])
def test_a_name_that_is_too_long_is_our_own_mistake(name):
    with pytest.raises(LocalProtocolError, match="clientName"):
        ClientCore(name).encode()


def test_a_name_that_is_no_text_is_read_all_the_same():
    data = bytearray(CORE.encode().data)
    data[20:24] = b"\x00\xd8\x00\xd8"
    assert "\ufffd" in ClientCore.decode(bytes(data)).client_name


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 0xFFFFFFFF))
def test_offered_methods_are_read_as_they_were_written(methods, more):
    security = ClientSecurity(methods, more)
    block = security.encode()
    assert (block.kind, ClientSecurity.decode(block.data)) == (BlockKind.CS_SECURITY, security)
    assert all(is_refused(ClientSecurity.decode, cut) for cut in cuts(block.data))


@given(
    st.lists(
        st.builds(
            StaticChannel,
            st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=8),
            st.integers(0, 0xFFFFFFFF),
        ),
        max_size=MAX_CHANNELS,
    )
)
def test_channels_are_read_as_they_were_written(channels):
    network = ClientNetwork(tuple(channels))
    block = network.encode()
    assert (block.kind, ClientNetwork.decode(block.data)) == (BlockKind.CS_NET, network)
    assert all(is_refused(ClientNetwork.decode, cut) for cut in cuts(block.data))


@pytest.mark.parametrize("count", [MAX_CHANNELS + 1, 0xFFFFFFFF])
def test_too_many_channels_are_refused_before_any_is_read(count):
    with pytest.raises(RemoteProtocolError, match=f"{count} channels are more than 31"):
        ClientNetwork.decode(count.to_bytes(4, "little"))


def test_a_channel_with_a_long_name_is_our_own_mistake():
    with pytest.raises(LocalProtocolError, match="name"):
        ClientNetwork((StaticChannel("ninechars"),)).encode()
