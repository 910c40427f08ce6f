"""Envelope: DSSE's own vector, one spelling, and nothing that any bytes can break."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.domain.envelope import MAX_ENVELOPE_SIZE, Envelope, Signature, decode_envelope, fingerprint, keyid_of, pae
from calward.domain.errors import LicensingError, Problem
from tests.support.signed import value_or_malformed

AN_ENVELOPE = Envelope("application/x", b"payload", (Signature("one", b"\x00\x01"), Signature("two", b"\xff" * 64)))
TEXT = AN_ENVELOPE.encode()


def with_change(**changes: object) -> bytes:
    found = {**json.loads(TEXT), **changes}
    return json.dumps(found, sort_keys=True, separators=(",", ":")).encode()


def test_the_signed_bytes_are_those_of_the_specification() -> None:
    # DSSE protocol, "Test Vectors".
    assert (
        pae("http://example.com/HelloWorld", b"hello world")
        == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


def test_lengths_are_those_of_the_bytes() -> None:
    assert pae("ü", b"") == b"DSSEv1 2 \xc3\xbc 0 "


def test_what_is_written_is_read_with_or_without_a_line_end() -> None:
    assert decode_envelope(TEXT) == AN_ENVELOPE
    assert decode_envelope(TEXT + b"\n") == AN_ENVELOPE
    assert AN_ENVELOPE.signed_bytes() == b"DSSEv1 13 application/x 7 payload"


@given(
    st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=100),
    st.binary(min_size=1),
    st.binary(min_size=1),
)
def test_any_envelope_comes_back(kind: str, payload: bytes, signature: bytes) -> None:
    envelope = Envelope(kind, payload, (Signature("k", signature),))
    assert decode_envelope(envelope.encode()) == envelope


@given(st.binary())
def test_any_bytes_are_an_envelope_or_malformed(text: bytes) -> None:
    found = value_or_malformed(decode_envelope, text)
    assert found is None or found.encode() == text


@pytest.mark.parametrize("length", range(len(TEXT)))
def test_a_truncated_envelope_is_malformed(length: int) -> None:
    with pytest.raises(LicensingError):
        decode_envelope(TEXT[:length])


@pytest.mark.parametrize(
    "text",
    [
        with_change(more=1),
        with_change(payload=1),
        with_change(payload=""),
        with_change(payload="cGF5bG9hZA"),  # No padding.
        with_change(payload="cGF5bG9hZB=="),  # Unused bits that are set.
        with_change(payload="cGF5bG9h\nZA=="),
        with_change(payload="ü" * 4),
        with_change(payloadType=None),
        with_change(payloadType="x" * 101),
        with_change(signatures=[]),
        with_change(signatures={}),
        with_change(signatures=[1]),
        with_change(signatures=[{"keyid": "a", "sig": "AAAA"}] * 9),
        with_change(signatures=[{"keyid": "a", "sig": "AAAA", "more": 1}]),
        with_change(signatures=[{"keyid": "a"}]),
        with_change(signatures=[{"keyid": "a", "sig": "A" * 4100}]),
        TEXT + b"\n\n",
        b" " + TEXT,
        TEXT.replace(b'"payload"', b'"payload":"eA==","payload"'),
    ],
)
def test_what_is_not_exactly_an_envelope_is_malformed(text: bytes) -> None:
    with pytest.raises(LicensingError) as caught:
        decode_envelope(text)
    assert caught.value.problem is Problem.MALFORMED


def test_the_size_is_capped_before_anything_is_parsed() -> None:
    with pytest.raises(LicensingError, match="are allowed"):
        decode_envelope(b"{" * (MAX_ENVELOPE_SIZE + 1))


def test_a_key_is_named_by_its_hash() -> None:
    assert keyid_of(b"\x00" * 32) == "66687aadf862bd77"


def test_a_fingerprint_is_that_of_the_file_with_or_without_its_line_end() -> None:
    assert fingerprint(b"") == "4OYM-IQUY-7QOB-JGX3"
    assert fingerprint(TEXT) == fingerprint(TEXT + b"\n") != fingerprint(TEXT[:-1])
