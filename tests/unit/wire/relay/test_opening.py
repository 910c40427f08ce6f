"""How do client and host come to speak through TLS, and who is sent away before it?"""

import pytest

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp.x224 import ConnectionRequest, FailureCode, NegotiationFailure, Protocol, decode_confirm
from calward.wire.relay import Close, HostSecurity, OpenHost, Phase, Secure, ToClient
from tests.support.relay_in_memory import a_relay, secured, to_host
from tests.support.relayed import CR, confirm, connect_initial, connect_response


def test_a_plain_host_hears_of_no_protocol_and_its_client_gets_tls():
    relay = a_relay()
    opened, request = relay.from_client(CR)
    assert opened == OpenHost()
    assert ConnectionRequest.decode(request.data) == ConnectionRequest(Protocol.RDP, b"Cookie: mstshash=alice\r\n")
    told, secure = relay.from_host(confirm())
    assert decode_confirm(told.data).selected_protocol == Protocol.SSL
    assert secure == Secure(host=False)


def test_a_host_with_tls_hears_of_tls_alone():
    relay = a_relay(HostSecurity.TLS)
    assert ConnectionRequest.decode(relay.from_client(CR)[1].data).requested_protocols == Protocol.SSL
    assert relay.from_host(confirm(Protocol.SSL)) == [ToClient(confirm(Protocol.SSL)), Secure(host=True)]


def test_a_logon_passes_unread_until_the_first_packet_in_whatever_pieces_it_comes():
    relay = secured(HostSecurity.NLA)
    logon = b"\x30\x82\x01\x00" + bytes(256) + b"\x30\x03abc"
    stream = logon + connect_initial()
    passed = b"".join(to_host(relay.from_client(stream[i : i + 1])) for i in range(len(stream)))
    assert passed == stream
    assert relay.facts.name == "PC1"


def test_the_host_answers_a_logon_meanwhile():
    relay = secured(HostSecurity.NLA)
    assert relay.from_host(b"\x30\x01x") == [ToClient(b"\x30\x01x")]


def test_a_logon_of_the_host_without_an_end_ends_the_connection():
    relay = secured(HostSecurity.NLA)
    for _ in range(16):
        relay.from_host(bytes(1 << 14))
    with pytest.raises(RemoteProtocolError, match="before their turn"):
        relay.from_host(b"x")


@pytest.mark.parametrize("offered", [None, Protocol.RDP, Protocol.RDSTLS])
@pytest.mark.parametrize("security", HostSecurity)
def test_a_client_without_tls_is_told_so_and_the_host_is_not_opened(security, offered):
    acts = a_relay(security).from_client(ConnectionRequest(offered).encode())
    assert decode_confirm(acts[0].data) == NegotiationFailure(FailureCode.SSL_REQUIRED_BY_SERVER)
    assert [type(act) for act in acts] == [ToClient, Close]


@pytest.mark.parametrize(
    ("offered", "why"),
    [
        (Protocol.RDP, "classic RDP security only"),
        (Protocol.HYBRID, "wants NLA and nothing else"),
        (Protocol.HYBRID | Protocol.HYBRID_EX, "wants NLA and nothing else"),
        (Protocol.RDSTLS, "wants protocol 4 and nothing else"),
    ],
)
def test_who_is_sent_away_for_its_security_is_told_with_what_it_asked_for(offered, why):
    acts = a_relay(HostSecurity.PLAIN).from_client(ConnectionRequest(offered).encode())
    assert why in acts[-1].why


@pytest.mark.parametrize("security", [HostSecurity.TLS, HostSecurity.NLA])
def test_a_hosts_no_to_the_security_reaches_the_client(security):
    relay = a_relay(security)
    relay.from_client(CR)
    failure = NegotiationFailure(FailureCode.HYBRID_REQUIRED_BY_SERVER).encode()
    assert relay.from_host(failure)[0] == ToClient(failure)


@pytest.mark.parametrize(
    ("security", "selected"), [("plain", Protocol.SSL), ("tls", Protocol.RDP), ("tls", Protocol.HYBRID)]
)
def test_a_host_that_is_set_to_another_security_ends_the_connection(security, selected):
    relay = a_relay(HostSecurity(security))
    relay.from_client(CR)
    with pytest.raises(RemoteProtocolError, match="compare host_security"):
        relay.from_host(confirm(selected))


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00", b"\x03\x00\x00\x04", CR + CR])
def test_a_peer_that_speaks_something_else_is_refused(data):
    with pytest.raises(RemoteProtocolError):
        a_relay().from_client(data)


@pytest.mark.parametrize("early", [CR, b"\x16\x03\x01"])
def test_a_client_that_does_not_wait_for_the_answer_is_refused(early):
    relay = a_relay()
    relay.from_client(CR)
    with pytest.raises(RemoteProtocolError, match="before it is its turn"):
        relay.from_client(early)
    assert relay.phase is Phase.CLOSED


def test_what_a_host_sends_while_tls_is_set_up_waits_until_it_is():
    relay = a_relay()
    relay.from_client(CR)
    relay.from_host(confirm())
    assert relay.from_host(confirm()[:4]) == []
    relay.secured()
    relay.from_client(connect_initial())
    with pytest.raises(RemoteProtocolError):
        relay.from_host(confirm()[4:] + connect_response())
