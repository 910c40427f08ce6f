"""Presented licenses: whose are believed, and that whatever a client shows is a value, never an error."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.adapters.signing import seal, verify
from calward.domain.cals import CalType, HolderKind
from calward.domain.envelope import MAX_ENVELOPE_SIZE, Envelope, Signature, decode_envelope
from calward.domain.errors import LicensingError, Problem
from calward.domain.heard import HeldLicense
from calward.domain.issued_license import (
    MAX_LICENSE_SIZE,
    IssuedLicense,
    KnownServer,
    NoLicense,
    PresentedRefusal,
    accept_license,
)
from calward.domain.licenses import Change, Status
from calward.domain.statements import PayloadType
from tests.support.signed import NOW, OTHER_SERVER_ID, SERVER_ID, a_signer, value_or_malformed

LICENSES, LATER, OTHERS = map(a_signer, ("licenses", "licenses, the next key", "another server's licenses"))
DEVICE = "0a0b0c0d" * 5
END = NOW + timedelta(days=60)
R = PresentedRefusal
OURS = KnownServer("https://ls1.example", SERVER_ID, frozenset({LICENSES.public_key, LATER.public_key}))
THEIRS = KnownServer("https://ls2.example", OTHER_SERVER_ID, frozenset({OTHERS.public_key}))


def a_license(**changes: Any) -> IssuedLicense:
    issued = IssuedLicense(
        server=SERVER_ID,
        host="SH1",
        kind=HolderKind.DEVICE,
        holder=DEVICE,
        id="L12",
        version="2008R2",
        type=CalType.PER_DEVICE,
        status=Status.ACTIVE,
        expires_at=END,
        pack="9a" * 16,
        change=Change.NEW,
    )
    return replace(issued, **changes)


def presented(issued: IssuedLicense | None = None, signer: Any = LICENSES, kind: str = PayloadType.LICENSE) -> bytes:
    return seal(kind, (issued or a_license()).to_payload(), signer)


def accept(text: bytes, **changes: Any) -> IssuedLicense | NoLicense:
    usual = {"servers": (OURS, THEIRS), "device_id": DEVICE, "now": NOW, "verify": verify}
    return accept_license(text, **{**usual, **changes})


def refusal(found: IssuedLicense | NoLicense) -> PresentedRefusal:
    assert isinstance(found, NoLicense)
    assert found.detail == found.detail.rstrip(".")
    return found.reason


@pytest.mark.parametrize("signer", [LICENSES, LATER])
def test_what_any_key_of_a_known_server_signed_for_this_device_is_accepted(signer: Any) -> None:
    assert accept(presented(signer=signer)) == a_license()


def test_a_license_of_the_second_server_is_accepted_too() -> None:
    theirs = a_license(server=OTHER_SERVER_ID)
    assert accept(presented(theirs, OTHERS)) == theirs


def test_a_line_feed_at_its_end_does_not_matter() -> None:
    assert accept(presented() + b"\n") == a_license()


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\x00" * 100,
        b"\x30\x82\x01\x00",
        "license".encode("utf-16-le"),
        b"{}",
        b"[" * 5000,
        b" " * (MAX_LICENSE_SIZE + 1),
        b"{" + b" " * MAX_ENVELOPE_SIZE + b"}",
    ],
)
def test_what_another_product_left_on_the_client_is_foreign(text: bytes) -> None:
    assert refusal(accept(text)) is R.FOREIGN


def test_nothing_above_its_size_is_parsed() -> None:
    large = Envelope(PayloadType.LICENSE, b"x" * MAX_LICENSE_SIZE, (Signature(LICENSES.keyid, b"x"),)).encode()
    assert MAX_LICENSE_SIZE < len(large) <= MAX_ENVELOPE_SIZE
    assert refusal(accept(large)) is R.FOREIGN


@pytest.mark.parametrize("kind", [kind for kind in PayloadType if kind is not PayloadType.LICENSE])
def test_another_signed_thing_is_no_license(kind: PayloadType) -> None:
    assert refusal(accept(presented(kind=kind))) is R.FOREIGN


def test_a_license_of_a_server_that_is_not_known_here_is_foreign() -> None:
    assert refusal(accept(presented(signer=a_signer("stranger")))) is R.FOREIGN
    assert refusal(accept(presented(), servers=())) is R.FOREIGN


def test_a_keyid_alone_opens_nothing() -> None:
    envelope = decode_envelope(presented(signer=a_signer("stranger")))
    forged = replace(envelope, signatures=(Signature(LICENSES.keyid, envelope.signatures[0].value),))
    assert refusal(accept(forged.encode())) is R.SIGNATURE_INVALID


def test_every_flip_of_a_byte_is_refused() -> None:
    text = presented()
    for at in range(len(text)):
        for flip in (0x01, 0x20, 0x80):
            refusal(accept(text[:at] + bytes([text[at] ^ flip]) + text[at + 1 :]))


def test_every_truncation_is_refused() -> None:
    text = presented()
    for size in range(len(text)):
        refusal(accept(text[:size]))


def test_one_server_cannot_sign_for_another() -> None:
    assert refusal(accept(presented(signer=OTHERS))) is R.UNREADABLE


@pytest.mark.parametrize("payload", [b" ", b"{}", b"null", b'{"a":1}', a_license().to_payload() + b" "])
def test_what_a_known_key_signed_and_this_release_cannot_read_is_unreadable(payload: bytes) -> None:
    assert refusal(accept(seal(PayloadType.LICENSE, payload, LICENSES))) is R.UNREADABLE


@pytest.mark.parametrize("device_id", [None, "", "0a", DEVICE.upper(), DEVICE + "+pc1"])
def test_another_device_gets_nothing_for_it(device_id: str | None) -> None:
    assert refusal(accept(presented(), device_id=device_id)) is R.OTHER_DEVICE


def test_a_users_license_is_no_devices_even_under_the_same_name() -> None:
    theirs = a_license(kind=HolderKind.USER, type=CalType.PER_USER)
    assert refusal(accept(presented(theirs))) is R.OTHER_DEVICE


def test_it_ends_with_the_second_in_which_it_expires() -> None:
    assert accept(presented(), now=END - timedelta(seconds=1)) == a_license()
    assert refusal(accept(presented(), now=END)) is R.EXPIRED


def test_a_revoked_one_is_refused_and_only_by_its_own_server() -> None:
    revoked = frozenset({"L12"})
    assert refusal(accept(presented(), servers=(replace(OURS, revoked=revoked), THEIRS))) is R.REVOKED
    assert accept(presented(), servers=(OURS, replace(THEIRS, revoked=revoked))) == a_license()


def test_a_host_handles_it_like_a_license_that_it_has_heard_of() -> None:
    held = a_license().held("https://ls1.example")
    assert held == HeldLicense(
        id="L12",
        version="2008R2",
        type=CalType.PER_DEVICE,
        status="active",
        expires_at=END,
        pack="9a" * 16,
        change="new",
        server="https://ls1.example",
    )


@pytest.mark.parametrize(
    "issued",
    [
        a_license(),
        a_license(pack=None, status=Status.TEMPORARY),
        a_license(kind=HolderKind.USER, holder="ünïcode\u2603", type=CalType.PER_USER),
    ],
)
def test_what_is_written_is_read_back(issued: IssuedLicense) -> None:
    assert IssuedLicense.from_payload(issued.to_payload()) == issued


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"L12"', b'"l12"'),
        (b'"L12"', b'"L012"'),
        (b'"L12"', b'"12"'),
        (b'"hardware_id"', b'"hardware"'),
        (b'"new"', b'"made"'),
        (b'"active"', b'"golden"'),
        (b'"host":"SH1"', b'"host":5'),
        (b'{"hardware_id":"' + DEVICE.encode() + b'"}', b'"pc1"'),
        (b'{"hardware_id":"' + DEVICE.encode() + b'"}', b"{}"),
        (b'"server":"5e', b'"server":"XX'),
    ],
)
def test_one_wrong_field_is_malformed(old: bytes, new: bytes) -> None:
    payload = a_license().to_payload()
    assert payload.count(old) == 1
    with pytest.raises(LicensingError) as raised:
        IssuedLicense.from_payload(payload.replace(old, new))
    assert raised.value.problem is Problem.MALFORMED


ENVELOPES = st.builds(
    lambda kind, payload, keyid, value: Envelope(kind, payload, (Signature(keyid, value),)).encode(),
    st.sampled_from([*PayloadType, "x"]),
    st.binary(max_size=300) | st.just(a_license().to_payload()),
    st.sampled_from([LICENSES.keyid, OTHERS.keyid, "0" * 16]),
    st.binary(max_size=80),
)


@given(st.binary(max_size=600) | ENVELOPES | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_a_value_and_never_an_error(text: bytes) -> None:
    assert isinstance(accept(text), NoLicense)


@given(st.data())
def test_a_few_changed_bytes_never_open_anything(data: st.DataObject) -> None:
    text = bytearray(presented())
    for at in data.draw(st.lists(st.integers(0, len(text) - 1), min_size=1, max_size=4)):
        text[at] = data.draw(st.integers(0, 255))
    found = accept(bytes(text))
    assert isinstance(found, NoLicense) is (bytes(text) != presented())


@given(st.binary(min_size=1, max_size=600))
def test_any_payload_that_is_signed_is_a_license_or_unreadable(payload: bytes) -> None:
    assert refusal(accept(seal(PayloadType.LICENSE, payload, LICENSES))) is R.UNREADABLE


@given(st.binary(max_size=400))
def test_any_payload_is_read_or_malformed(payload: bytes) -> None:
    read = value_or_malformed(IssuedLicense.from_payload, payload)
    assert read is None or read.to_payload() == payload
