"""How is a client licensed, let through or refused, while its Client Info is held back?"""

import pytest

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdpele.client_session import Accepted, Licensed
from calward.wire.rdpele.preamble import MessageType
from calward.wire.relay import Ask, Close, HostSecurity, LoggedOn, Phase, ToHost, Verdict
from tests.support.relay_in_memory import (
    GRANTED,
    REFUSED,
    connected,
    messages,
    play,
    released,
    to_client,
    to_host,
)
from tests.support.relayed import (
    DISCONNECT,
    PASSWORD,
    USER,
    VALID,
    client_info,
    hardware_id,
    licensing,
    licensing_client,
    message_of,
    packets,
    send,
)


@pytest.mark.parametrize("security", [HostSecurity.PLAIN, HostSecurity.TLS])
@pytest.mark.parametrize("bare", [False, True])
def test_a_new_client_gets_a_license_and_then_the_host_gets_its_client_info(security, bare):
    relay, acts = connected(security)
    assert to_host(acts) == b""
    client = licensing_client(bare=bare)
    (ask,) = play(relay, acts, client).acts
    assert (ask.name, ask.client.hardware_id, ask.client.license) == ("PC1", hardware_id("PC1"), None)
    assert ask.user == "alice"
    assert ask.client.null_keys is bare
    acts = relay.decided(Verdict(granted=True, token=b"a license"))
    licensed = play(relay, acts, client).step
    assert isinstance(licensed, Licensed)
    assert (licensed.info.license, licensed.upgrade) == (b"a license", False)
    assert to_host(acts) == client_info()
    assert relay.phase is Phase.RELEASED


def test_a_presented_license_that_holds_is_accepted_at_once():
    relay, acts = connected()
    client = licensing_client(stored=b"a license")
    (ask,) = play(relay, acts, client).acts
    assert ask.client.license == b"a license"
    acts = relay.decided(GRANTED)
    assert play(relay, acts, client).step == Accepted()
    assert to_host(acts) == client_info()


def test_a_client_with_nothing_to_store_is_accepted_after_its_challenge():
    relay, acts = connected()
    client = licensing_client()
    play(relay, acts, client)
    assert play(relay, relay.decided(GRANTED), client).step == Accepted()


def test_a_presented_license_is_replaced_after_a_challenge_without_asking_twice():
    relay, acts = connected()
    client = licensing_client(stored=b"another server's")
    play(relay, acts, client)
    talk = play(relay, relay.decided(Verdict(granted=True, token=b"ours")), client)
    assert talk.heard == [MessageType.PLATFORM_CHALLENGE, MessageType.UPGRADE_LICENSE]
    assert isinstance(talk.step, Licensed)
    assert talk.step.info.license == b"ours"
    assert to_host(talk.acts) == client_info()


def test_who_answers_the_challenge_as_another_device_is_asked_about_anew():
    relay, acts = connected()
    (request,) = messages(acts)
    presenting, other = licensing_client(stored=b"stolen"), licensing_client("PC2")
    other.receive(request)
    play(relay, acts, presenting)
    challenge = relay.decided(Verdict(granted=True, token=b"ours"))
    (ask,) = play(relay, challenge, other).acts
    assert ask.client.hardware_id == hardware_id("PC2")
    assert to_host(relay.decided(REFUSED)) == b""


def test_without_an_exchange_a_client_is_let_through_unasked():
    relay, acts = connected(exchange=False)
    assert acts == [Ask(None, "PC1", "alice")]
    acts = relay.decided(GRANTED)
    assert message_of(to_client(acts)) == VALID
    assert to_host(acts) == client_info()


def test_without_an_exchange_a_client_may_be_refused_too():
    relay, _ = connected(exchange=False)
    told, closed = relay.decided(REFUSED)
    assert packets(told.data)[-1] == DISCONNECT
    assert isinstance(closed, Close)


def error_info(code: int) -> bytes:
    return bytes.fromhex("16001700ea03000000000001") + bytes.fromhex("08002f000000") + code.to_bytes(4, "little")


@pytest.mark.parametrize(("no_server", "code"), [(False, 0x102), (True, 0x101)])
@pytest.mark.parametrize("stored", [None, b"a license"])
def test_a_refused_client_reads_why_and_nothing_reaches_the_host(no_server, code, stored):
    relay, acts = connected()
    play(relay, acts, licensing_client(stored=stored))
    told, closed = relay.decided(Verdict(granted=False, no_server=no_server))
    valid, info, disconnect = packets(told.data)
    assert (message_of(valid), disconnect) == (VALID, DISCONNECT)
    assert info.endswith(error_info(code))
    assert isinstance(closed, Close)
    assert relay.from_client(b"more") == relay.from_host(b"more") == []
    assert relay.kept == 0


@pytest.mark.parametrize(("build", "bare"), [(2600, False), (18363, True)])
def test_a_refused_rdesktop_reads_why_before_a_license_error(build, bare):
    relay, acts = connected(build=build)
    play(relay, acts, licensing_client(bare=bare))
    info, error, disconnect = packets(relay.decided(REFUSED)[0].data)
    assert info.endswith(error_info(0x102))
    assert message_of(error) == bytes.fromhex("ff0310000800000001000000") + b"\x04\0\0\0"
    assert disconnect == DISCONNECT


def test_what_comes_too_early_is_handed_over_in_order_and_only_after_the_grant():
    relay, acts = connected()
    client = licensing_client()
    early = send(USER, 1004, b"a channel")
    assert relay.from_client(early) == []
    play(relay, acts, client)
    assert relay.from_client(early) == []
    assert to_host(relay.decided(GRANTED)) == client_info() + early + early


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


def test_a_client_that_sends_input_before_its_license_is_refused():
    relay, _ = connected()
    with pytest.raises(RemoteProtocolError, match="input before its license"):
        relay.from_client(b"\x00\x04ab")


@pytest.mark.parametrize("shown", [repr(PASSWORD)[2:-1], PASSWORD.hex(), "secret"])
def test_a_password_is_shown_by_no_act_that_holds_it(shown):
    relay, acts = connected()
    play(relay, acts, licensing_client())
    acts = relay.decided(GRANTED)
    (holding,) = (act for act in acts if PASSWORD in act.data)
    assert isinstance(holding, ToHost)
    assert shown not in repr(acts)


def test_a_password_is_forgotten_once_the_host_has_it_and_once_the_client_is_refused():
    assert released().kept == 0
    relay, acts = connected()
    assert relay.kept == len(client_info())
    play(relay, acts, licensing_client())
    relay.decided(REFUSED)
    assert relay.kept == 0


def test_a_password_is_forgotten_and_in_no_error_where_the_client_breaks_the_protocol():
    relay, _ = connected()
    with pytest.raises(RemoteProtocolError) as caught:
        relay.from_client(client_info() + b"\x00\x04" + PASSWORD)
    assert relay.kept == 0
    assert repr(PASSWORD)[2:-1] not in f"{caught.value!r} {caught.value}"


def test_a_client_that_floods_while_a_decision_is_made_is_ended():
    relay, acts = connected()
    play(relay, acts, licensing_client())
    for _ in range(16):
        assert relay.from_client(send(USER, 1004, bytes(16_000))) == []
    with pytest.raises(RemoteProtocolError, match="before their turn"):
        relay.from_client(send(USER, 1004, bytes(16_000)))
    assert relay.kept == 0


def let_through(security: HostSecurity, logon: bytes = b"", answer: bytes = b"", *, granted: bool = True) -> list:
    """The acts of a decision about a client whose CredSSP messages, and the host's, were these."""
    relay, acts = connected(security, logon=logon, logon_answer=answer)
    play(relay, acts, licensing_client())
    return relay.decided(Verdict(granted=granted))


def test_behind_a_logon_that_the_host_has_accepted_a_device_is_told_to_have_logged_on():
    acts = let_through(HostSecurity.NLA, b"\x30\x03abc", b"\x30\x03def")
    assert acts[-1] == LoggedOn()
    assert to_host(acts) == client_info()


@pytest.mark.parametrize("security", [HostSecurity.PLAIN, HostSecurity.TLS])
def test_without_credssp_nobody_knows_of_a_logon(security):
    assert LoggedOn() not in let_through(security)


@pytest.mark.parametrize(("logon", "answer"), [(b"", b"\x30\x03def"), (b"\x30\x03abc", b""), (b"", b"")])
def test_a_client_or_a_host_that_has_left_out_credssp_has_logged_nobody_on(logon, answer):
    assert LoggedOn() not in let_through(HostSecurity.NLA, logon, answer)


def test_a_refused_device_has_not_logged_on():
    assert LoggedOn() not in let_through(HostSecurity.NLA, b"\x30\x03abc", b"\x30\x03def", granted=False)
