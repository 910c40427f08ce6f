"""What passes until the client says who it is, what is changed in it, and does nothing else reach the host?"""

import pytest

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp.gcc import Block, BlockKind
from calward.wire.rdp.mcs import ConnectInitial, ConnectResponse
from calward.wire.relay import Close, HostSecurity, Phase, ToClient
from tests.support.relay_in_memory import secured, to_client, to_host
from tests.support.relayed import (
    ATTACH,
    DISCONNECT,
    ERECT,
    JOIN,
    USER,
    client_info,
    connect_initial,
    connect_response,
    from_host,
    send,
)


def test_the_fields_that_belong_to_the_other_connection_are_rewritten():
    relay = secured()
    assert to_host(relay.from_client(connect_initial(selected=1))) == connect_initial(selected=0)
    assert to_client(relay.from_host(connect_response(requested=0))) == connect_response(requested=3)


def test_a_host_with_tls_has_the_same_protocols_as_its_client_and_nothing_is_rewritten_for_it():
    relay = secured(HostSecurity.TLS)
    assert to_host(relay.from_client(connect_initial(selected=1))) == connect_initial(selected=1)


def test_who_the_client_says_it_is_is_read():
    relay = secured()
    relay.from_client(connect_initial("WS-0042", 2600))
    assert (relay.facts.name, relay.facts.build) == ("WS-0042", 2600)


def test_what_joins_channels_passes():
    relay = secured()
    assert to_host(relay.from_client(ERECT + ATTACH + JOIN)) == ERECT + ATTACH + JOIN


def test_an_old_host_whose_answer_repeats_no_protocols_passes_as_it_is():
    network = Block(BlockKind.SC_NET, bytes.fromhex("eb030000"))
    for blocks in ((network,), (Block(BlockKind.SC_CORE, bytes.fromhex("04000800")), network)):
        relay = secured()
        relay.from_client(connect_initial())
        answer = ConnectResponse.make(blocks).encode()
        assert relay.from_host(answer) == [ToClient(answer)]
        assert relay.facts.io_channel == 1003


def test_an_old_client_whose_blocks_end_early_passes_as_it_is():
    core = (bytes.fromhex("04000800") + bytes(12) + bytes.fromhex("280a0000") + b"P\0C\0").ljust(128, b"\0")
    initial = ConnectInitial.make((Block(BlockKind.CS_CORE, core),)).encode()
    relay = secured()
    assert to_host(relay.from_client(initial)) == initial
    assert (relay.facts.name, relay.facts.build) == ("PC", 2600)


def test_a_host_that_encrypts_by_itself_is_refused():
    relay = secured()
    relay.from_client(connect_initial())
    with pytest.raises(RemoteProtocolError, match="crypt_level=none"):
        relay.from_host(connect_response(method=2))


@pytest.mark.parametrize("before", [b"", connect_initial()], ids=["before the client's", "twice"])
def test_a_hosts_response_that_nobody_asked_for_is_refused(before):
    relay = secured()
    relay.from_client(before)
    with pytest.raises(RemoteProtocolError, match="was not asked"):
        relay.from_host(connect_response() * 2)


@pytest.mark.parametrize("packet", [connect_initial(), b"\x00\x04ab"], ids=["connect initial", "fast path"])
def test_a_host_that_sends_what_has_no_place_before_licensing_ends_the_connection(packet):
    relay = secured()
    with pytest.raises(RemoteProtocolError):
        relay.from_host(packet)


def test_a_host_without_an_io_channel_is_refused():
    relay = secured()
    relay.from_client(connect_initial())
    with pytest.raises(RemoteProtocolError, match="no I/O channel"):
        relay.from_host(ConnectResponse.make((Block(BlockKind.SC_CORE, bytes(8)),)).encode())


@pytest.mark.parametrize(
    "packet",
    [
        client_info(channel=1004),
        client_info(flags=0x48),
        client_info(flags=0x01),
        send(USER, 1003, b"\x80\x00\x00\x00hello"),
        connect_initial(),
        b"\x00\x04ab",
        from_host(b"\x40\x00\x00\x00hello"),
    ],
    ids=["other channel", "encrypted", "security exchange", "licensing", "second start", "fast path", "indication"],
)
def test_nothing_that_a_host_might_take_for_a_logon_slips_through(packet):
    relay = secured()
    relay.from_client(connect_initial())
    relay.from_host(connect_response())
    with pytest.raises(RemoteProtocolError):
        relay.from_client(packet)
    assert relay.phase is Phase.CLOSED
    assert relay.from_client(client_info()) == []


def test_a_client_info_before_the_hosts_response_is_refused():
    relay = secured()
    with pytest.raises(RemoteProtocolError):
        relay.from_client(connect_initial() + client_info())


def test_a_client_that_leaves_before_it_says_who_it_is_leaves():
    relay = secured()
    (closed,) = relay.from_client(DISCONNECT)
    assert isinstance(closed, Close)


def test_a_client_that_joins_without_end_is_ended():
    relay = secured()
    assert to_host(relay.from_client(JOIN * 512)) == JOIN * 512
    with pytest.raises(RemoteProtocolError, match="more than 512 packets"):
        relay.from_client(JOIN)
