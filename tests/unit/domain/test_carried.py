"""Carried files: cut and put together, in any order; whatever is missing or mixed is named."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.domain.carried import MAX_CARRIED, PART_BYTES, cut, put_together
from calward.domain.errors import LicensingError, Problem

CONTENT = bytes(range(256)) * 5


@given(st.binary(min_size=1, max_size=4 * PART_BYTES), st.randoms(use_true_random=False))
def test_what_was_cut_comes_together_in_any_order_and_doubled(content: bytes, chance: object) -> None:
    parts = cut(content) * 2
    chance.shuffle(parts)  # type: ignore[attr-defined]
    assert put_together(parts) == content


def test_a_part_fits_the_alphanumeric_mode_of_a_code() -> None:
    assert all(re.fullmatch(r"[0-9A-Z:]+", part) for part in cut(CONTENT))
    assert max(map(len, cut(CONTENT))) < 1_000


def test_the_largest_file_fits_and_one_byte_more_does_not() -> None:
    assert put_together(cut(b"x" * MAX_CARRIED)) == b"x" * MAX_CARRIED
    for content in (b"", b"x" * (MAX_CARRIED + 1)):
        with pytest.raises(LicensingError, match="do not fit QR codes"):
            cut(content)


def replaced(text: str, at: int, value: str) -> str:
    fields = text.split(":")
    fields[at] = value
    return ":".join(fields)


ONE, TWO, THREE = cut(CONTENT)


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        ([], "no code of Calward"),
        (["https://example.com"], "none of Calward's"),
        ([ONE, replaced(TWO, 2, "0"), THREE], "number 0 of 3"),
        ([ONE, replaced(TWO, 2, "4"), THREE], "number 4 of 3"),
        ([ONE, cut(b"other")[0]], "different files"),
        ([TWO], "these are missing: 1, 3"),
        ([ONE, replaced(TWO, 5, "A" * 8), THREE], "one of them was changed"),
        ([ONE, replaced(TWO, 5, "A"), THREE], "impossible length"),
    ],
)
def test_what_cannot_be_put_together_says_why(texts: list[str], why: str) -> None:
    with pytest.raises(LicensingError, match=why) as caught:
        put_together(texts)
    assert caught.value.problem is Problem.MALFORMED


@given(st.lists(st.text(max_size=60), max_size=3))
def test_any_texts_are_malformed(texts: list[str]) -> None:
    with pytest.raises(LicensingError):
        put_together(texts)
