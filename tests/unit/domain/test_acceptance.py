"""Acceptance: who may sign what for whom, and that every no says why."""

from functools import partial
from hashlib import sha256
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.adapters.ladders import load_ladder
from calward.adapters.signing import Ed25519Signer, seal, verify
from calward.domain.acceptance import (
    AcceptanceRefusal,
    NotAccepted,
    ServerIdentity,
    accept_activation,
    accept_activation_request,
    accept_key_pack,
    accept_keyring,
)
from calward.domain.envelope import MAX_ENVELOPE_SIZE, Envelope, Signature, decode_envelope
from calward.domain.pack_acceptance import (
    _ORDERS,
    _REQUESTS,
    ServerKey,
    accept_handover,
    accept_order,
    accept_server_request,
    payload_type_of,
)
from calward.domain.statements import PayloadType
from calward.domain.trust import Role, RoleKey, Trust
from tests.support.signed import (
    ACTIVATION,
    DAY,
    NOW,
    OTHER_SERVER_ID,
    PACK,
    ROOT,
    SERVER,
    SERVER_ID,
    SIGNERS,
    STATEMENTS,
    STRANGER,
    a_keyring,
    a_pack,
    a_request,
    a_signer,
    a_trust,
    an_activation,
    sealed,
)

LADDER = load_ladder("windows-server")
WHO = ServerIdentity(SERVER_ID, SERVER.public_key)
R = AcceptanceRefusal


def activation(text: bytes, **given: Any) -> Any:
    return accept_activation(text, **{"trust": a_trust(), "server": WHO, "now": NOW, "verify": verify, **given})


def key_pack(text: bytes, **given: Any) -> Any:
    usual = {"trust": a_trust(), "server_id": SERVER_ID, "ladder": LADDER, "server_version": LADDER.newest}
    return accept_key_pack(text, **{**usual, "now": NOW, "verify": verify, **given})


def keyring(text: bytes, **given: Any) -> Any:
    return accept_keyring(text, **{"roots": frozenset({ROOT.public_key}), "now": NOW, "verify": verify, **given})


def request(text: bytes) -> Any:
    return accept_activation_request(text, verify=verify)


def order(kind: PayloadType, text: bytes, **given: Any) -> Any:
    usual = {"trust": a_trust(), "server_id": STATEMENTS[kind]().server_id, "now": NOW, "verify": verify}
    return accept_order(text, kind, **{**usual, **given})


def server_request(kind: PayloadType, text: bytes, **given: Any) -> Any:
    known = {one.keyid: ServerKey(SERVER_ID, one.public_key) for one in (SERVER,)}
    return accept_server_request(text, kind, **{"key_of": known.get, "verify": verify, **given})


ACCEPT = {
    PayloadType.ACTIVATION_REQUEST: request,
    PayloadType.ACTIVATION: activation,
    PayloadType.KEY_PACK: key_pack,
    PayloadType.KEYRING: keyring,
    **{kind: partial(order, kind) for kind in _ORDERS},
    **{kind: partial(server_request, kind) for kind in _REQUESTS},
}
SEALED = {kind: sealed(build()) for kind, build in STATEMENTS.items()}


def refusal(answer: object) -> AcceptanceRefusal:
    assert isinstance(answer, NotAccepted)
    assert answer.detail
    assert answer.detail == answer.detail.rstrip(".")
    return answer.reason


@pytest.mark.parametrize("kind", ACCEPT)
def test_what_the_right_key_signed_is_accepted(kind: PayloadType) -> None:
    assert ACCEPT[kind](SEALED[kind]) == STATEMENTS[kind]()


@pytest.mark.parametrize(
    ("wanted", "kind", "signer"), list(product(ACCEPT, PayloadType, (ROOT, PACK, ACTIVATION, SERVER, STRANGER)))
)
def test_no_other_pair_of_type_and_key_is_accepted(
    wanted: PayloadType, kind: PayloadType, signer: Ed25519Signer
) -> None:
    answer = ACCEPT[wanted](seal(kind, STATEMENTS[wanted]().to_payload(), signer))
    if kind is not wanted:
        assert refusal(answer) is R.WRONG_PAYLOAD_TYPE
    elif signer is not SIGNERS[wanted]:
        assert refusal(answer) is (R.SERVER_NOT_KNOWN if wanted in _REQUESTS else R.KEY_NOT_TRUSTED)
    else:
        assert answer == STATEMENTS[wanted]()


@pytest.mark.parametrize(("wanted", "other"), list(product(ACCEPT, ACCEPT)))
def test_a_statement_signed_as_another_is_refused(wanted: PayloadType, other: PayloadType) -> None:
    answer = ACCEPT[wanted](seal(wanted, STATEMENTS[other]().to_payload(), SIGNERS[wanted]))
    assert (answer == STATEMENTS[wanted]()) is (wanted is other)
    assert wanted is other or refusal(answer) is R.MALFORMED


@pytest.mark.parametrize("kind", ACCEPT)
def test_every_flip_of_a_byte_is_refused(kind: PayloadType) -> None:
    text = SEALED[kind]
    for at in range(len(text)):
        for flip in (0x01, 0x20, 0x80):
            flipped = text[:at] + bytes([text[at] ^ flip]) + text[at + 1 :]
            refusal(ACCEPT[kind](flipped))


@pytest.mark.parametrize("kind", ACCEPT)
def test_every_truncation_is_refused(kind: PayloadType) -> None:
    for length in range(len(SEALED[kind])):
        assert refusal(ACCEPT[kind](SEALED[kind][:length])) is R.MALFORMED


@given(st.sampled_from(list(ACCEPT)), st.binary())
def test_any_bytes_are_refused_and_raise_nothing(kind: PayloadType, text: bytes) -> None:
    assert refusal(ACCEPT[kind](text)) is R.MALFORMED


@given(st.sampled_from(list(ACCEPT)), st.binary(min_size=1))
def test_any_payload_under_a_good_signature_is_refused_and_raises_nothing(kind: PayloadType, payload: bytes) -> None:
    assert refusal(ACCEPT[kind](seal(kind, payload, SIGNERS[kind]))) is R.MALFORMED


@pytest.mark.parametrize("kind", [kind for kind in ACCEPT if kind is not PayloadType.ACTIVATION_REQUEST])
def test_a_payload_is_not_read_before_its_signature_is_verified(kind: PayloadType) -> None:
    envelope = Envelope(kind, b"\xff no json", (Signature(SIGNERS[kind].keyid, b"\x00" * 64),))
    assert refusal(ACCEPT[kind](envelope.encode())) is R.SIGNATURE_INVALID


@pytest.mark.parametrize("kind", ACCEPT)
def test_what_is_too_large_is_not_even_opened(kind: PayloadType) -> None:
    assert refusal(ACCEPT[kind](b"{" * (MAX_ENVELOPE_SIZE + 1))) is R.TOO_LARGE


@pytest.mark.parametrize("kind", ACCEPT)
def test_one_good_signature_among_strange_ones_is_enough(kind: PayloadType) -> None:
    envelope = decode_envelope(SEALED[kind])
    strange = Signature("ml-dsa", b"x" * 2420)
    claimed = Signature(SIGNERS[kind].keyid, b"\x00" * 64)
    together = Envelope(kind, envelope.payload, (strange, claimed, *envelope.signatures))
    assert ACCEPT[kind](together.encode()) == STATEMENTS[kind]()


def test_a_type_of_somebody_else_is_not_repeated() -> None:
    answer = activation(seal("text/\u202eevil", b"x", ACTIVATION))
    assert refusal(answer) is R.WRONG_PAYLOAD_TYPE
    assert answer.detail == "an activation is wanted, this is something else"


def test_an_activation_for_another_server_is_refused() -> None:
    for change in ({"server_id": OTHER_SERVER_ID}, {"server_key": STRANGER.public_key}):
        assert refusal(activation(sealed(an_activation(**change)))) is R.FOR_ANOTHER_SERVER


def test_an_activation_answers_the_request_that_is_waited_for() -> None:
    waiting = ServerIdentity(SERVER_ID, SERVER.public_key, nonce="4e" * 16)
    assert activation(SEALED[PayloadType.ACTIVATION], server=waiting) == an_activation()
    replayed = sealed(an_activation(nonce="00" * 16))
    assert refusal(activation(replayed, server=waiting)) is R.ANSWERS_ANOTHER_REQUEST


def test_an_activation_that_has_run_out_is_refused() -> None:
    text = sealed(an_activation(issue_until=NOW + DAY))
    assert refusal(activation(text, now=NOW + DAY)) is R.ACTIVATION_EXPIRED


def test_an_activation_without_end_is_accepted_at_any_time() -> None:
    statement = an_activation(issue_until=None)
    assert activation(sealed(statement), now=NOW + 999 * DAY) == statement


def test_a_pack_for_another_server_names_both() -> None:
    answer = key_pack(sealed(a_pack(server_id=OTHER_SERVER_ID)))
    assert refusal(answer) is R.FOR_ANOTHER_SERVER
    assert OTHER_SERVER_ID in answer.detail
    assert SERVER_ID in answer.detail


def test_an_expired_pack_is_refused() -> None:
    text = sealed(a_pack(expires_at=NOW + DAY))
    assert refusal(key_pack(text, now=NOW + DAY)) is R.PACK_EXPIRED


def test_a_pack_newer_than_the_server_says_which_versions_would_do() -> None:
    answer = key_pack(sealed(a_pack(version="2019")), server_version="2012R2")
    assert refusal(answer) is R.SERVER_VERSION_TOO_LOW
    assert answer.detail == (
        "a license server of version 2012R2 cannot hold CALs of 2019: a server of 2019 or 2022 or 2025 can"
    )


def test_a_pack_of_the_server_s_own_family_is_accepted() -> None:
    assert key_pack(sealed(a_pack(version="2008R2")), server_version="2008") == a_pack(version="2008R2")


def test_a_pack_of_an_unknown_version_or_ladder_is_refused() -> None:
    assert refusal(key_pack(sealed(a_pack(version="2050")))) is R.UNKNOWN_VERSION
    assert refusal(key_pack(sealed(a_pack(version="2008r2")))) is R.UNKNOWN_VERSION
    assert refusal(key_pack(sealed(a_pack(ladder="harbor")))) is R.UNKNOWN_LADDER


def test_nothing_is_accepted_without_a_keyring() -> None:
    bare = a_trust(keyring=None)
    assert refusal(activation(SEALED[PayloadType.ACTIVATION], trust=bare)) is R.KEY_NOT_TRUSTED
    assert refusal(key_pack(SEALED[PayloadType.KEY_PACK], trust=bare)) is R.KEY_NOT_TRUSTED
    assert bare.keys_for(PayloadType.KEY_PACK) == frozenset()


def test_nothing_is_accepted_by_a_keyring_that_has_ended() -> None:
    later = a_keyring().expires_at
    assert refusal(activation(SEALED[PayloadType.ACTIVATION], now=later)) is R.KEYRING_EXPIRED
    assert refusal(key_pack(SEALED[PayloadType.KEY_PACK], now=later)) is R.KEYRING_EXPIRED
    assert refusal(keyring(SEALED[PayloadType.KEYRING], now=later)) is R.KEYRING_EXPIRED


def test_a_key_taken_out_of_the_keyring_signs_nothing_any_more() -> None:
    rotated = a_keyring(version=2, keys=(RoleKey(Role.PACK, a_signer("pack 2").public_key),))
    assert refusal(key_pack(SEALED[PayloadType.KEY_PACK], trust=a_trust(keyring=rotated))) is R.KEY_NOT_TRUSTED


def test_two_keys_of_one_role_may_overlap() -> None:
    new = a_signer("pack 2")
    both = a_trust(keyring=a_keyring(keys=(*a_keyring().keys, RoleKey(Role.PACK, new.public_key))))
    assert key_pack(sealed(a_pack()), trust=both) == a_pack()
    assert key_pack(sealed(a_pack(), new), trust=both) == a_pack()


def test_an_older_keyring_does_not_come_back() -> None:
    assert refusal(keyring(SEALED[PayloadType.KEYRING], newest=2)) is R.KEYRING_OUTDATED
    assert keyring(SEALED[PayloadType.KEYRING], newest=1) == a_keyring()


@pytest.mark.parametrize("roles", [(Role.PACK, Role.PACK), (Role.PACK, Role.ACTIVATION)])
def test_a_key_stands_in_a_keyring_once(roles: tuple[Role, Role]) -> None:
    keys = tuple(RoleKey(role, PACK.public_key) for role in roles)
    assert refusal(keyring(sealed(a_keyring(keys=keys)))) is R.MALFORMED


def test_a_keyring_makes_no_roots() -> None:
    keys = (RoleKey(Role.ROOT, PACK.public_key),)
    assert refusal(keyring(sealed(a_keyring(keys=keys)))) is R.MALFORMED


def test_licenses_are_signed_by_no_key_of_the_clearinghouse() -> None:
    assert a_trust().keys_for(PayloadType.LICENSE) == frozenset()
    assert Trust(frozenset({b"r"})).keys_for(PayloadType.KEYRING) == {b"r"}


def test_a_request_of_a_key_that_anybody_can_sign_for_is_malformed() -> None:
    weak = a_request(server_key=b"\x01" + 31 * b"\x00")
    assert refusal(request(sealed(weak))) is R.MALFORMED


def test_a_request_signed_by_another_key_than_its_own_is_refused() -> None:
    assert refusal(request(sealed(a_request(), STRANGER))) is R.KEY_NOT_TRUSTED


def test_a_request_in_the_name_of_another_server_is_refused() -> None:
    stolen = {SERVER.keyid: ServerKey(OTHER_SERVER_ID, SERVER.public_key)}
    kind = PayloadType.CONTACT
    assert refusal(server_request(kind, SEALED[kind], key_of=stolen.get)) is R.FOR_ANOTHER_SERVER
    kind = PayloadType.DEACTIVATION
    assert refusal(server_request(kind, SEALED[kind], key_of=stolen.get)) is R.FOR_ANOTHER_SERVER


def test_an_order_for_another_server_is_refused() -> None:
    for kind in _ORDERS:
        assert refusal(order(kind, SEALED[kind], server_id=OTHER_SERVER_ID)) is R.FOR_ANOTHER_SERVER


def test_a_handover_is_taken_by_its_digest_alone() -> None:
    text = SEALED[PayloadType.HANDOVER]
    digest = sha256(text).digest()
    assert accept_handover(text + b"\n", digest=digest) == STATEMENTS[PayloadType.HANDOVER]()
    assert refusal(accept_handover(text.replace(b"A", b"B", 1), digest=digest)) is R.SIGNATURE_INVALID
    other = SEALED[PayloadType.RELEASE]
    assert refusal(accept_handover(other, digest=sha256(other).digest())) is R.WRONG_PAYLOAD_TYPE


def test_what_an_envelope_claims_to_be_chooses_its_reader() -> None:
    assert [payload_type_of(text) for text in SEALED.values()] == list(SEALED)
    assert payload_type_of(b"{}") is None
    assert payload_type_of(seal("text/plain", b"x", ACTIVATION)) is None
