"""Does a connection go through the relay as it should, for every kind of client and host, and does nothing else reach the host?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from calward.wire.rdp.x224 import ConnectionRequest, FailureCode, NegotiationFailure, Protocol, decode_confirm
from calward.wire.rdpele.preamble import MessageType
from calward.wire.relay import (
    Ask,
    Close,
    HostSecurity,
    OpenHost,
    Phase,
    Relay,
    Secure,
    Splice,
    ToClient,
    ToHost,
    Verdict,
)
from tests.support.relayed import (
    ATTACH,
    ATTACHED,
    CR,
    DEMAND_ACTIVE,
    DISCONNECT,
    ERECT,
    JOIN,
    JOINED,
    MESSAGES,
    PASSWORD,
    USER,
    VALID,
    LicensingClient,
    client_info,
    confirm,
    connect_initial,
    connect_response,
    from_host,
    licensing,
    message_of,
    packets,
    send,
    terms,
)

GRANTED, REFUSED = Verdict(granted=True), Verdict(granted=False)
SELECTED = {HostSecurity.PLAIN: Protocol.RDP, HostSecurity.TLS: Protocol.SSL, HostSecurity.NLA: Protocol.HYBRID}


def a_relay(security=HostSecurity.PLAIN, **more) -> Relay:
    return Relay(terms(security, **more), server_random=b"\x01" * 32, challenge=b"0123456789")


def connected(security=HostSecurity.PLAIN, *, name="PC1", build=18363, **more) -> tuple[Relay, list]:
    """A relay up to Client Info, and the acts that this gave."""
    relay = a_relay(security, **more)
    relay.from_client(CR)
    relay.from_host(confirm(SELECTED[security]))
    relay.secured()
    relay.from_client(connect_initial(name, build))
    relay.from_host(connect_response())
    relay.from_client(ERECT + ATTACH)
    relay.from_host(ATTACHED)
    relay.from_client(JOIN)
    relay.from_host(JOINED)
    return relay, relay.from_client(client_info())


def play(relay: Relay, acts: list, client: LicensingClient) -> list:
    """Let a client answer until something is asked or it has nothing more to say; the acts of the last step."""
    while True:
        sent = [act.data for act in acts if isinstance(act, ToClient)]
        answers = [client.answer(message_of(packet)) for data in sent for packet in packets(data)]
        if not answers or answers[-1] is None or any(isinstance(act, Ask) for act in acts):
            return acts
        acts = relay.from_client(send(USER, 1003, licensing(answers[-1], 0x280)))


def to_host(acts) -> bytes:
    return b"".join(act.data for act in acts if isinstance(act, ToHost))


def to_client(acts) -> bytes:
    return b"".join(act.data for act in acts if isinstance(act, ToClient))


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
    relay = a_relay(HostSecurity.NLA)
    relay.from_client(CR)
    relay.from_host(confirm(Protocol.HYBRID))
    relay.secured()
    logon = b"\x30\x82\x01\x00" + bytes(256) + b"\x30\x03abc"
    stream = logon + connect_initial()
    passed = b"".join(to_host(relay.from_client(stream[i : i + 1])) for i in range(len(stream)))
    assert passed == stream
    assert relay.facts.name == "PC1"


def test_the_host_answers_a_logon_meanwhile():
    relay = a_relay(HostSecurity.NLA)
    relay.from_client(CR)
    relay.from_host(confirm(Protocol.HYBRID))
    relay.secured()
    assert relay.from_host(b"\x30\x01x") == [ToClient(b"\x30\x01x")]


@pytest.mark.parametrize("offered", [None, Protocol.RDP, Protocol.RDSTLS])
@pytest.mark.parametrize("security", HostSecurity)
def test_a_client_without_tls_is_told_so_and_the_host_is_not_opened(security, offered):
    acts = a_relay(security).from_client(ConnectionRequest(offered).encode())
    assert decode_confirm(acts[0].data) == NegotiationFailure(FailureCode.SSL_REQUIRED_BY_SERVER)
    assert [type(act) for act in acts] == [ToClient, Close]


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


def test_the_fields_that_belong_to_the_other_connection_are_rewritten():
    relay = a_relay()
    relay.from_client(CR)
    relay.from_host(confirm())
    relay.secured()
    assert to_host(relay.from_client(connect_initial(selected=1))) == connect_initial(selected=0)
    assert to_client(relay.from_host(connect_response(requested=0))) == connect_response(requested=3)


def test_a_host_that_encrypts_by_itself_is_refused():
    relay = a_relay()
    relay.from_client(CR)
    relay.from_host(confirm())
    relay.secured()
    with pytest.raises(RemoteProtocolError, match="crypt_level=none"):
        relay.from_host(connect_response(method=2))


@pytest.mark.parametrize("security", [HostSecurity.PLAIN, HostSecurity.TLS])
@pytest.mark.parametrize("bare", [False, True])
def test_a_new_client_gets_a_license_and_then_the_host_gets_its_client_info(security, bare):
    relay, acts = connected(security)
    assert to_host(acts) == b""
    client = LicensingClient(bare=bare)
    (ask,) = play(relay, acts, client)
    assert (ask.name, ask.client.hardware_id, ask.client.license) == ("PC1", client.hardware_id, None)
    assert ask.client.null_keys is bare
    acts = relay.decided(Verdict(granted=True, token=b"a license"))
    play(relay, acts, client)
    assert client.stored == b"a license"
    assert client.seen[-1] is MessageType.NEW_LICENSE
    assert to_host(acts) == client_info()
    assert relay.phase is Phase.RELEASED


def test_a_presented_license_that_holds_is_accepted_at_once():
    relay, acts = connected()
    client = LicensingClient(stored=b"a license")
    (ask,) = play(relay, acts, client)
    assert ask.client.license == b"a license"
    acts = relay.decided(GRANTED)
    play(relay, acts, client)
    assert client.seen == [MessageType.LICENSE_REQUEST, MessageType.ERROR_ALERT]
    assert to_host(acts) == client_info()


def test_a_presented_license_is_replaced_after_a_challenge_without_asking_twice():
    relay, acts = connected()
    client = LicensingClient(stored=b"another server's")
    play(relay, acts, client)
    acts = play(relay, relay.decided(Verdict(granted=True, token=b"ours")), client)
    assert client.seen[1:] == [MessageType.PLATFORM_CHALLENGE, MessageType.UPGRADE_LICENSE]
    assert client.stored == b"ours"
    assert to_host(acts) == client_info()


def test_who_answers_the_challenge_as_another_device_is_asked_about_anew():
    relay, acts = connected()
    client = LicensingClient(stored=b"stolen")
    play(relay, acts, client)
    client.hardware_id = b"\x05" * 20
    (ask,) = play(relay, relay.decided(Verdict(granted=True, token=b"ours")), client)
    assert ask.client.hardware_id == b"\x05" * 20


def test_without_an_exchange_a_client_is_let_through_unasked():
    relay, acts = connected(exchange=False)
    assert acts == [Ask(None, "PC1")]
    acts = relay.decided(GRANTED)
    assert message_of(to_client(acts)) == VALID
    assert to_host(acts) == client_info()


def error_info(code: int) -> bytes:
    return bytes.fromhex("16001700ea03000000000001") + bytes.fromhex("08002f000000") + code.to_bytes(4, "little")


@pytest.mark.parametrize(("no_server", "code"), [(False, 0x102), (True, 0x101)])
@pytest.mark.parametrize("stored", [None, b"a license"])
def test_a_refused_client_reads_why_and_nothing_reaches_the_host(no_server, code, stored):
    relay, acts = connected()
    play(relay, acts, LicensingClient(stored=stored))
    told, closed = relay.decided(Verdict(granted=False, no_server=no_server))
    valid, info, disconnect = packets(told.data)
    assert (message_of(valid), disconnect) == (VALID, DISCONNECT)
    assert info.endswith(error_info(code))
    assert isinstance(closed, Close)
    assert relay.from_client(b"more") == relay.from_host(b"more") == []


@pytest.mark.parametrize(("build", "bare"), [(2600, False), (18363, True)])
def test_a_refused_rdesktop_reads_why_before_a_license_error(build, bare):
    relay, acts = connected(build=build)
    play(relay, acts, LicensingClient(bare=bare))
    info, error, disconnect = packets(relay.decided(REFUSED)[0].data)
    assert info.endswith(error_info(0x102))
    assert message_of(error) == bytes.fromhex("ff0310000800000001000000") + b"\x04\0\0\0"
    assert disconnect == DISCONNECT


def released(**more) -> Relay:
    relay, acts = connected(**more)
    play(relay, acts, LicensingClient())
    relay.decided(GRANTED)
    return relay


CANNED = bytes.fromhex("01023e01") + bytes(314)


def test_the_request_of_an_old_xrdp_is_answered_and_neither_it_nor_its_valid_reaches_the_client():
    relay = released()
    (answer,) = relay.from_host(from_host(licensing(CANNED)))
    assert answer.data[:7] == bytes.fromhex("0300") + len(answer.data).to_bytes(2, "big") + bytes.fromhex("02f080")
    assert answer.data[-20:-16] == bytes.fromhex("80000000")
    assert relay.from_host(from_host(licensing(VALID)) + from_host(DEMAND_ACTIVE)) == [
        ToClient(from_host(DEMAND_ACTIVE)),
        Splice(),
    ]


def test_the_immediate_valid_of_a_new_xrdp_is_swallowed():
    relay = released()
    assert relay.from_host(from_host(licensing(VALID, 0x280))) == [Splice()]
    assert relay.phase is Phase.SPLICED


def test_measurements_before_the_hosts_licensing_pass_both_ways():
    relay = released()
    measure = from_host(bytes.fromhex("0010000006000100"), MESSAGES)
    assert relay.from_host(measure) == [ToClient(measure)]
    answer = send(USER, MESSAGES, bytes.fromhex("0020000006000100"))
    assert relay.from_client(answer) == [ToHost(answer)]
    assert relay.from_host(from_host(licensing(VALID))) == [Splice()]


@pytest.mark.parametrize("packet", [from_host(DEMAND_ACTIVE), b"\x00\x04ab"], ids=["demand active", "fast path"])
def test_a_host_without_licensing_is_copied_at_once(packet):
    assert released().from_host(packet) == [ToClient(packet), Splice()]


def test_a_host_whose_own_licensing_refuses_ends_the_connection():
    with pytest.raises(RemoteProtocolError, match="refused"):
        released().from_host(from_host(licensing(bytes.fromhex("ff0310000600000001000000") + b"\x04\0\0\0")))


def test_what_comes_too_early_is_handed_over_in_order_and_only_after_the_grant():
    relay, acts = connected()
    client = LicensingClient()
    early = send(USER, 1004, b"a channel")
    assert relay.from_client(early) == []
    play(relay, acts, client)
    assert relay.from_client(early) == []
    assert to_host(relay.decided(GRANTED)) == client_info() + early + early


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
    relay = a_relay()
    relay.from_client(CR)
    relay.from_host(confirm())
    relay.secured()
    relay.from_client(connect_initial())
    relay.from_host(connect_response())
    with pytest.raises(RemoteProtocolError):
        relay.from_client(packet)
    assert relay.phase is Phase.CLOSED
    assert relay.from_client(client_info()) == []


def test_a_client_info_before_the_hosts_response_is_refused():
    relay = a_relay()
    relay.from_client(CR)
    relay.from_host(confirm())
    relay.secured()
    with pytest.raises(RemoteProtocolError):
        relay.from_client(connect_initial() + client_info())


def test_licensing_that_is_encrypted_beneath_tls_is_refused():
    relay, _ = connected()
    with pytest.raises(RemoteProtocolError, match="encrypted beneath TLS"):
        relay.from_client(send(USER, 1003, licensing(VALID, 0x88)))


def test_a_malformed_licensing_message_is_answered_and_ends_the_connection():
    relay, _ = connected()
    told, closed = relay.from_client(send(USER, 1003, licensing(b"\x13\x03\x05\x00\x00")))
    assert message_of(told.data)[0] == MessageType.ERROR_ALERT
    assert isinstance(closed, Close)


def test_a_client_that_leaves_while_it_is_asked_leaves():
    relay, _ = connected()
    (closed,) = relay.from_client(DISCONNECT)
    assert isinstance(closed, Close)


def test_a_password_is_shown_by_no_act():
    relay, acts = connected()
    play(relay, acts, LicensingClient())
    assert "secret" not in repr(relay.decided(GRANTED))
    assert PASSWORD.hex() not in repr(relay.__dict__)


@pytest.mark.parametrize("data", [b"GET / HTTP/1.1\r\n", b"\x16\x03\x01\x02\x00", b"\x03\x00\x00\x04", CR + CR])
def test_a_peer_that_speaks_something_else_is_refused(data):
    with pytest.raises(RemoteProtocolError):
        a_relay().from_client(data)


def test_calls_out_of_turn_are_our_own_fault():
    with pytest.raises(LocalProtocolError):
        a_relay().secured()
    with pytest.raises(LocalProtocolError):
        a_relay().decided(GRANTED)


def test_a_client_that_floods_while_a_decision_is_made_is_ended():
    relay, acts = connected()
    play(relay, acts, LicensingClient())
    for _ in range(16):
        assert relay.from_client(send(USER, 1004, bytes(16_000))) == []
    with pytest.raises(RemoteProtocolError, match="before their turn"):
        relay.from_client(send(USER, 1004, bytes(16_000)))
    assert len(relay._client) + len(relay._held) == 0


PIECES = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([CR, confirm(), connect_initial(), connect_response(), ERECT, ATTACH, JOIN, JOINED, client_info()]),
    st.sampled_from([from_host(licensing(VALID)), from_host(licensing(CANNED)), DISCONNECT, from_host(DEMAND_ACTIVE)]),
    st.binary(max_size=200).map(lambda data: send(USER, 1003, licensing(data))),
    st.binary(max_size=200).map(from_host),
)


@given(
    st.sampled_from(HostSecurity),
    st.integers(0, 8),
    st.lists(st.tuples(st.booleans(), PIECES, st.integers(1, 400)), max_size=12),
)
def test_hostile_peers_get_nothing_but_the_declared_errors_and_no_memory(security, start, story):
    relay = a_relay(security)
    steps = [
        lambda: relay.from_client(CR),
        lambda: relay.from_host(confirm(SELECTED[security])),
        relay.secured,
        lambda: relay.from_client(connect_initial()),
        lambda: relay.from_host(connect_response()),
        lambda: relay.from_client(client_info()),
    ]
    try:
        for step in steps[:start]:
            step()
        for by_client, piece, cut in story:
            take = relay.from_client if by_client else relay.from_host
            for data in (piece[:cut], piece[cut:]):
                acts = take(data)
                if any(isinstance(act, Secure) for act in acts):
                    relay.secured()
                if any(isinstance(act, Ask) for act in acts):
                    relay.decided(REFUSED)
                assert PASSWORD not in to_host(acts)
            assert sum(map(len, (relay._client, relay._host, relay._held))) < 3 << 18
    except ProtocolError:
        pass  # Either kind of error is declared: a peer's, or ours where a step was not due.
