"""Statements: each comes back as it was written; nothing else is read."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.domain.errors import LicensingError, Problem
from calward.domain.handover import Handover
from calward.domain.pack_requests import Contact
from calward.domain.statements import (
    _SMALL_ORDER,
    MAX_PAYLOAD_SIZE,
    MAX_TOTAL,
    KeyPackStatement,
    PayloadType,
    check_public_key,
    check_server_id,
)
from tests.support.signed import DAY, NOW, SERVER, STATEMENTS, a_pack, an_activation, value_or_malformed

ALL = [build() for build in STATEMENTS.values()]
KINDS = [type(one) for one in ALL]
NULLABLE = {"issue_until", "handover", "quantity", "proof", "count"}
JUNK = [None, True, 0, -1, 1.5, 10**30, "", " ", "x" * 300, "a\nb", "\u202e", [], {}, [[]]]
FREE = [([], "packs"), ([], "done"), ([], "after"), ([], "licenses"), (True, "preview"), (0, "licenses"), (0, "left")]
FREE += [(junk, "checkpoint") for junk in JUNK if isinstance(junk, str)]
PRIME = 2**255 - 19


def changed(statement: Any, **changes: object) -> bytes:
    found = {**json.loads(statement.to_payload()), **changes}
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize("statement", ALL, ids=lambda one: type(one).__name__)
def test_a_statement_comes_back_as_it_was(statement: Any) -> None:
    assert type(statement).from_payload(statement.to_payload()) == statement


@pytest.mark.parametrize("statement", ALL, ids=lambda one: type(one).__name__)
def test_every_field_is_needed_and_no_other_is_taken(statement: Any) -> None:
    found = json.loads(statement.to_payload())
    for name in found:
        less = {key: value for key, value in found.items() if key != name}
        with pytest.raises(LicensingError, match="lacks the field"):
            type(statement).from_payload(
                json.dumps(less, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
            )
    with pytest.raises(LicensingError, match="not known here"):
        type(statement).from_payload(changed(statement, zzz=1))


@pytest.mark.parametrize("statement", ALL, ids=lambda one: type(one).__name__)
def test_junk_in_any_field_is_malformed(statement: Any) -> None:
    for name in json.loads(statement.to_payload()):
        for junk in JUNK:
            if (junk is None and name in NULLABLE) or (junk, name) in FREE:
                continue
            with pytest.raises(LicensingError) as caught:
                type(statement).from_payload(changed(statement, **{name: junk}))
            assert caught.value.problem is Problem.MALFORMED


@pytest.mark.parametrize("statement", ALL, ids=lambda one: type(one).__name__)
def test_a_truncated_statement_is_malformed(statement: Any) -> None:
    payload = statement.to_payload()
    for length in range(len(payload)):
        with pytest.raises(LicensingError):
            type(statement).from_payload(payload[:length])


@given(st.sampled_from(KINDS), st.binary())
def test_any_bytes_are_malformed(kind: Any, payload: bytes) -> None:
    with pytest.raises(LicensingError) as caught:
        kind.from_payload(payload)
    assert caught.value.problem is Problem.MALFORMED


@given(
    st.sampled_from(ALL).flatmap(
        lambda one: st.tuples(st.just(one), st.integers(0, len(one.to_payload()) - 1), st.integers(1, 255))
    )
)
def test_a_flipped_byte_is_another_statement_or_malformed(drawn: tuple[Any, int, int]) -> None:
    statement, at, flip = drawn
    payload = bytearray(statement.to_payload())
    payload[at] ^= flip
    other = value_or_malformed(type(statement).from_payload, bytes(payload))
    assert other != statement
    assert other is None or other.to_payload() == bytes(payload)


def test_a_statement_of_more_than_the_allowed_size_is_not_parsed() -> None:
    with pytest.raises(LicensingError, match="are allowed"):
        KeyPackStatement.from_payload(b"{" * (MAX_PAYLOAD_SIZE + 1))


@pytest.mark.parametrize("total", [0, MAX_TOTAL + 1])
def test_a_pack_has_a_finite_number_of_cals(total: int) -> None:
    with pytest.raises(LicensingError, match="total of the key pack"):
        KeyPackStatement.from_payload(a_pack(total=total).to_payload())


def test_nothing_ends_before_it_begins() -> None:
    for statement in (a_pack(expires_at=NOW), an_activation(issue_until=NOW - DAY)):
        with pytest.raises(LicensingError, match="not after it was issued"):
            type(statement).from_payload(statement.to_payload())


def test_the_right_to_issue_ends_at_its_second() -> None:
    activation = an_activation(issue_until=NOW + DAY)
    assert activation.may_issue(NOW + DAY - timedelta(seconds=1))
    assert not activation.may_issue(NOW + DAY)
    assert an_activation(issue_until=None).may_issue(NOW + 100_000 * DAY)


def test_a_server_id_has_one_spelling() -> None:
    assert check_server_id("ab" * 16) == "ab" * 16
    for wrong in ("AB" * 16, "ab" * 15, "", "zz" * 16):
        with pytest.raises(LicensingError):
            check_server_id(wrong)


def add(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
    """Add two points of edwards25519 (RFC 8032, 5.1.4, in affine coordinates)."""
    d = -121665 * pow(121666, -1, PRIME)
    (x1, y1), (x2, y2) = one, two
    common = d * x1 * x2 * y1 * y2
    x = (x1 * y2 + x2 * y1) * pow(1 + common, -1, PRIME)
    y = (y1 * y2 + x1 * x2) * pow(1 - common, -1, PRIME)
    return x % PRIME, y % PRIME


def decompress(key: bytes) -> tuple[int, int]:
    """Find the point of a key, whatever its sign bit says (RFC 8032, 5.1.3)."""
    y = int.from_bytes(key, "little") % 2**255 % PRIME
    square = (y * y - 1) * pow(-121665 * pow(121666, -1, PRIME) * y * y + 1, -1, PRIME) % PRIME
    x = pow(square, (PRIME + 3) // 8, PRIME)
    if x * x % PRIME != square:
        x = x * pow(2, (PRIME - 1) // 4, PRIME) % PRIME
    assert x * x % PRIME == square
    return x, y


@pytest.mark.parametrize("key", sorted(_SMALL_ORDER), ids=bytes.hex)
def test_a_key_of_small_order_is_refused(key: bytes) -> None:
    point = decompress(key)
    for _ in range(3):
        point = add(point, point)
    assert point == (0, 1), "eight times the point is the neutral element"
    with pytest.raises(LicensingError, match="no Ed25519 public key"):
        check_public_key(key, "the key")


def test_an_ordinary_key_is_none_of_small_order() -> None:
    assert len(_SMALL_ORDER) == 14
    assert check_public_key(SERVER.public_key, "the key") == SERVER.public_key
    with pytest.raises(LicensingError):
        check_public_key(b"short", "the key")


def test_nothing_stands_twice_in_a_list() -> None:
    handover = STATEMENTS[PayloadType.HANDOVER]()
    twice = replace(handover, licenses=handover.licenses * 2)
    with pytest.raises(LicensingError, match="stands twice"):
        Handover.from_payload(twice.to_payload())
    contact = STATEMENTS[PayloadType.CONTACT]()
    with pytest.raises(LicensingError, match="stands twice"):
        Contact.from_payload(replace(contact, done=contact.done * 2).to_payload())


def test_what_may_be_absent_comes_back_absent() -> None:
    for kind, name in (
        (PayloadType.INSTALL_REQUEST, "quantity"),
        (PayloadType.CHANGE_REQUEST, "count"),
        (PayloadType.MOVE_REQUEST, "proof"),
        (PayloadType.KEY_PACK, "handover"),
    ):
        for value in (None, {"quantity": 3, "count": 3, "proof": "4711", "handover": b"\x01" * 32}[name]):
            statement = replace(STATEMENTS[kind](), **{name: value})
            assert type(statement).from_payload(statement.to_payload()) == statement
