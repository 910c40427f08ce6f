"""Licensing in memory: our client against our server, in every order that a peer can think of."""

from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdpele.challenge_response import ChallengeResponse
from calward.wire.rdpele.client_session import (
    Accepted,
    Answered,
    ClientSession,
    ClientState,
    Deviations,
    Licensed,
    Refused,
    encrypt_premaster,
)
from calward.wire.rdpele.legacy_crypto import derive_keys, mac, rc4
from calward.wire.rdpele.license_error import ErrorCode, StateTransition
from calward.wire.rdpele.platform_challenge import PlatformChallenge
from calward.wire.rdpele.preamble import MessageType, frame, unframe
from calward.wire.rdpele.product_info import ProductInfo
from calward.wire.rdpele.server_session import (
    TRANSITIONS,
    Challenged,
    Ended,
    Event,
    Offer,
    Presented,
    Proven,
    ServerSession,
    State,
)

OFFER = Offer(ProductInfo(0x000A0000, "Example", "A02"), b"certificate", ("example",))
HARDWARE_ID = bytes(range(20))
PREMASTER = bytes(range(1, 49))
KINDS = [Deviations(), Deviations(null_keys=True, bare_challenge=True), Deviations(stray_zeros=8)]


def a_server():
    # The "key" of these tests is the identity: the last 8 bytes are the padding that real blobs have.
    return ServerSession(
        OFFER, server_random=b"s" * 32, challenge=b"0123456789", decrypt_premaster=lambda blob: blob[:48]
    )


def a_client(kind=KINDS[0], license_=None):
    return ClientSession(
        client_random=b"c" * 32,
        premaster=PREMASTER,
        encrypt=lambda premaster, _certificate: premaster + bytes(8),
        hardware_id=HARDWARE_ID,
        machine_name="desk",
        license=license_,
        deviations=kind,
    )


def proven(kind=KINDS[0], license_=None):
    server, client = a_server(), a_client(kind, license_)
    step = server.receive(client.receive(server.start()).send)
    challenge = step.send if isinstance(step, Challenged) else server.challenge()
    step = server.receive(client.receive(challenge).send)
    assert isinstance(step, Proven)
    return server, client, step.client


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("license_", [None, b"of another issuer"])
def test_each_kind_of_client_is_led_to_a_license(kind, license_) -> None:
    server, client, said = proven(kind, license_)
    assert (said.hardware_id, said.license, said.null_keys) == (HARDWARE_ID, license_, kind.null_keys)
    got = client.receive(server.grant(b"license"))
    assert isinstance(got, Licensed)
    assert (got.info.license, got.upgrade, server.state) == (b"license", license_ is not None, State.COMPLETED)


def test_a_good_license_is_accepted_without_a_challenge() -> None:
    server, client = a_server(), a_client(license_=b"ours")
    step = server.receive(client.receive(server.start()).send)
    assert isinstance(step, Presented)
    assert client.receive(server.accept()) == Accepted()


def test_a_refused_client_reads_the_code() -> None:
    server, client, _ = proven()
    refused = client.receive(server.refuse(ErrorCode.INVALID_CLIENT))
    assert refused == Refused(ErrorCode.INVALID_CLIENT, StateTransition.TOTAL_ABORT)


@pytest.mark.parametrize("position", [-1, -20, 10])
def test_whatever_does_not_decrypt_gets_the_same_answer(position) -> None:
    server, client = a_server(), a_client()
    step = server.receive(client.receive(server.start()).send)
    answer = client.receive(step.send)
    assert isinstance(answer, Answered)
    broken = bytearray(answer.send)
    broken[position] ^= 1
    ended = server.receive(bytes(broken))
    assert isinstance(ended, Ended)
    assert (ended.why, ended.send[4]) == ("what the client encrypted does not hold", ErrorCode.INVALID_MAC)


def test_a_client_may_end_licensing_at_any_time() -> None:
    server, client = a_server(), a_client()
    client.receive(server.start())
    assert server.receive(client.abort()) == Ended(None, "the client ended licensing: NO_LICENSE, TOTAL_ABORT")


@pytest.mark.parametrize(("state", "event"), list(product(State, Event)))
def test_the_table_alone_decides_what_is_in_turn(state, event) -> None:
    server = a_server()
    server._state = state
    if event in TRANSITIONS[state]:
        server._move(event)
        assert server.state is TRANSITIONS[state][event]
    else:
        with pytest.raises(LocalProtocolError):
            server._move(event)
        assert server.state is state


@given(st.sampled_from(list(range(5))), st.binary(max_size=300), st.sampled_from([0x12, 0x13, 0x15, 0xFF, 0x01, 0x77]))
def test_any_bytes_give_a_step_or_a_protocol_error(stage, body, kind) -> None:
    if stage == 0:
        server = a_server()
    elif stage == 1:
        server = a_server()
        server.start()
    elif stage == 2:
        server, client = a_server(), a_client()
        server.receive(client.receive(server.start()).send)
    else:
        server, _, _ = proven()
        if stage == 4:
            server.accept()
    for pdu in (bytes([kind, 3]) + (len(body) + 4).to_bytes(2, "little") + body, body):
        try:
            assert isinstance(server.receive(pdu), Challenged | Presented | Proven | Ended)
        except RemoteProtocolError:
            assert not TRANSITIONS[server.state]


def test_a_challenge_of_another_length_is_our_own_fault() -> None:
    with pytest.raises(LocalProtocolError):
        ServerSession(OFFER, server_random=bytes(32), challenge=bytes(16), decrypt_premaster=bytes)


def test_a_recorded_challenge_of_a_client_with_null_keys_is_read_and_written_again() -> None:
    # rdesktop 1.9; our own recording.
    random = bytes.fromhex("f373d6c4dc213116204417c618f3cac15e17ac1d5a8239977aa08fb96151fe1e")
    pdu = bytes.fromhex("020326000000000009000a00cb9a4e1acfb8c26cc88134c64b9e4255855388f6b8c3f0740514")
    message = PlatformChallenge.decode(unframe(pdu)[1])
    keys = derive_keys(bytes(48), bytes(32), random)
    challenge = rc4(keys.licensing_key, message.encrypted_challenge)
    assert (mac(keys, challenge), message.encode()) == (message.mac, pdu[4:])


def test_the_old_algorithms_stay_in_one_file() -> None:
    source = Path(__file__).parents[4] / "src"
    users = {
        path.name
        for path in source.rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in ("hashlib.md5", "hashlib.sha1", "ARC4"))
    }
    assert users == {"legacy_crypto.py"}


def test_the_client_says_where_it_stands() -> None:
    server, client = a_server(), a_client()
    states = [client.state]
    answer = client.receive(server.start())
    states.append(client.state)
    step = server.receive(answer.send)
    client.receive(step.send)
    states.append(client.state)
    client.abort()
    assert [*states, client.state] == list(ClientState)


def test_a_license_before_the_challenge_is_answered_is_out_of_turn() -> None:
    with pytest.raises(RemoteProtocolError, match=r"NEW_LICENSE is out of turn \(AWAIT\)"):
        a_client().receive(frame(MessageType.NEW_LICENSE, b""))


@pytest.mark.parametrize("stage", ["challenge", "license"])
def test_what_the_server_encrypts_must_hold(stage) -> None:
    if stage == "challenge":
        server, client = a_server(), a_client()
        message = server.receive(client.receive(server.start()).send).send
    else:
        server, client, _ = proven()
        message = server.grant(b"license")
    broken = message[:-1] + bytes([message[-1] ^ 1])
    with pytest.raises(RemoteProtocolError, match="MACData: what the server encrypted does not hold"):
        client.receive(broken)


def test_a_key_that_is_too_small_for_the_secret_is_our_own_mistake() -> None:
    with pytest.raises(LocalProtocolError, match="the key is too small"):
        encrypt_premaster(b"\xff" * 48, 1 << 380, 65537)


def test_the_secret_is_encrypted_as_little_endian_numbers_are() -> None:
    prime = (1 << 521) - 1
    encrypted = encrypt_premaster(PREMASTER, prime, 65537)
    assert (len(encrypted), encrypted[-8:]) == (66 + 8, bytes(8))
    assert int.from_bytes(encrypted, "little") == pow(int.from_bytes(PREMASTER, "little"), 65537, prime)


@pytest.mark.parametrize("size", [0, 19, 21])
def test_a_hardware_id_of_another_size_is_our_own_mistake(size) -> None:
    with pytest.raises(LocalProtocolError, match="HWID"):
        ClientSession(client_random=bytes(32), premaster=bytes(48), encrypt=bytes, hardware_id=bytes(size))


@pytest.mark.parametrize("size", [31, 33])
def test_a_server_random_of_another_size_is_our_own_mistake(size) -> None:
    with pytest.raises(LocalProtocolError, match="ServerRandom"):
        ServerSession(OFFER, server_random=bytes(size), challenge=bytes(10), decrypt_premaster=bytes)


def hostile(answer: bytes, hardware_id: bytes) -> ChallengeResponse:
    """A response whose MAC holds, whatever is in it."""
    keys = derive_keys(PREMASTER, b"c" * 32, b"s" * 32)
    sealed = (rc4(keys.licensing_key, one) for one in (answer, hardware_id))
    return ChallengeResponse(*sealed, mac(keys, answer + hardware_id))


@pytest.mark.parametrize(
    ("answer", "hardware_id"),
    [
        (b"9876543210", HARDWARE_ID),
        (b"012345678", HARDWARE_ID),
        (b"", HARDWARE_ID),
        (bytes(247) + b"0123456789", HARDWARE_ID),
        (b"0123456789", HARDWARE_ID + b"\0"),
        (b"0123456789", b""),
    ],
    ids=["another challenge", "a part", "nothing", "too long", "a long hardware id", "no hardware id"],
)
def test_a_right_mac_around_a_wrong_answer_proves_nothing(answer, hardware_id) -> None:
    server, client = a_server(), a_client()
    server.receive(client.receive(server.start()).send)
    ended = server.receive(frame(MessageType.PLATFORM_CHALLENGE_RESPONSE, hostile(answer, hardware_id).encode()))
    assert (ended.why, ended.send[4]) == ("what the client encrypted does not hold", ErrorCode.INVALID_MAC)


def test_as_much_as_256_bytes_before_and_with_the_challenge_are_taken() -> None:
    server, client = a_server(), a_client()
    server.receive(client.receive(server.start()).send)
    response = hostile(bytes(246) + b"0123456789", HARDWARE_ID)
    assert isinstance(server.receive(frame(MessageType.PLATFORM_CHALLENGE_RESPONSE, response.encode())), Proven)


@pytest.mark.parametrize("error", [ValueError("too large"), RemoteProtocolError("no", structure="key")])
def test_a_secret_that_the_key_cannot_decrypt_gets_the_same_answer(error) -> None:
    def fails(_blob):
        raise error

    server = ServerSession(OFFER, server_random=b"s" * 32, challenge=b"0123456789", decrypt_premaster=fails)
    ended = server.receive(a_client().receive(server.start()).send)
    assert (ended.why, ended.send[4]) == ("what the client encrypted does not hold", ErrorCode.INVALID_MAC)


@pytest.mark.parametrize("kind", [MessageType.LICENSE_REQUEST, MessageType.NEW_LICENSE])
def test_a_message_of_servers_is_not_taken_from_a_client(kind) -> None:
    server = a_server()
    server.start()
    ended = server.receive(frame(kind, b""))
    assert (ended.why, ended.send[4]) == (
        "the client sent a message that only servers send",
        ErrorCode.INVALID_CLIENT,
    )


def test_a_license_is_filed_under_the_first_scope_or_none() -> None:
    for scopes, filed in (((), ""), (("one", "two"), "one")):
        offer = Offer(OFFER.product, OFFER.certificate, scopes)
        server = ServerSession(
            offer, server_random=b"s" * 32, challenge=b"0123456789", decrypt_premaster=lambda blob: blob[:48]
        )
        client = a_client()
        step = server.receive(client.receive(server.start()).send)
        server.receive(client.receive(step.send).send)
        assert client.receive(server.grant(b"x")).info.scope == filed


def test_calls_out_of_turn_are_our_own_mistake_and_change_nothing() -> None:
    server = a_server()
    for call in (server.challenge, lambda: server.grant(b"x")):
        with pytest.raises(LocalProtocolError, match=r"out of turn \(BEGIN\)"):
            call()
    assert server.state is State.BEGIN
