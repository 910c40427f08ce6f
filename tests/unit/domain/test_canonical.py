"""Canonical JSON: one spelling is read, every other one is refused."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.domain.canonical import decode_object, encode
from calward.domain.errors import LicensingError, Problem
from tests.support.signed import value_or_malformed

LEAVES = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]))
OBJECTS = st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), LEAVES | st.lists(LEAVES))


def refusal(body: bytes, **limits: int) -> str:
    with pytest.raises(LicensingError) as caught:
        decode_object(body, "the file", **{"max_size": 1000, **limits})
    assert caught.value.problem is Problem.MALFORMED
    return caught.value.detail


@given(OBJECTS)
def test_what_is_written_is_read(value: dict[str, object]) -> None:
    assert decode_object(encode(value), "the file", max_size=1_000_000) == value


@given(OBJECTS)
def test_another_spelling_is_refused(value: dict[str, object]) -> None:
    spelled = json.dumps(value, indent=1).encode()
    if spelled != encode(value):
        with pytest.raises(LicensingError):
            decode_object(spelled, "the file", max_size=1_000_000)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_malformed(body: bytes) -> None:
    found = value_or_malformed(decode_object, body, "the file", max_size=100)
    assert found is None or encode(found) == body


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "expecting value at character 0"),
        (b"[]", "no object"),
        (b"null", "no object"),
        (b'{"a":1.5}', "whole numbers"),
        (b'{"a":1e3}', "whole numbers"),
        (b'{"a":NaN}', "whole numbers"),
        (b'{"a":-Infinity}', "whole numbers"),
        (b'{"a":1,"a":1}', "twice"),
        (b'{"b":1,"a":1}', "canonical"),
        (b'{"a": 1}', "canonical"),
        (b'{"a":1}\n', "canonical"),
        (b'{"a":-0}', "canonical"),
        (b'{"a":"\\u0041"}', "canonical"),
        (b'{"a":"\\/"}', "canonical"),
        (b'{"a":"\\ud800"}', "not UTF-8"),
        (b'{"a":"\xff"}', "not UTF-8"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b'{\x00"\x00a\x00', "no JSON"),
        (b'{"a":[[[[]]]]}', "nested deeper than 4"),
        (b"[" * 999, "nested deeper than 4"),
        (b'{"a":' + b"9" * 5000 + b"}", "is 5006 bytes long, 1000 are allowed"),
    ],
)
def test_the_error_says_what_is_wrong(body: bytes, said: str) -> None:
    assert said.lower() in refusal(body).lower()


def test_a_number_too_long_for_the_parser_is_malformed() -> None:
    assert "no JSON" in refusal(b'{"a":' + b"9" * 5000 + b"}", max_size=10_000)


def test_brackets_in_strings_are_not_nesting() -> None:
    assert decode_object(b'{"a":"[[[[{{\\"[["}', "the file", max_size=100) == {"a": '[[[[{{"[['}


def test_nesting_is_checked_where_the_string_never_ends() -> None:
    assert "no JSON" in refusal(b'{"a":"}}')


def test_a_long_text_takes_memory_in_proportion_to_its_length():
    body = encode({"payload": "A" * 2_000_000})
    tracemalloc.start()
    try:
        decode_object(body, "the envelope", max_size=len(body))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * len(body)
