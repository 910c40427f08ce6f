"""Bundles: what was put together comes apart again; what was cut or is too much is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.domain.bundle import MAX_ENVELOPES, join, split
from calward.domain.errors import LicensingError, Problem

ENVELOPES = st.lists(st.binary(min_size=1).filter(lambda one: b"\n" not in one), min_size=1, max_size=5)


@given(ENVELOPES)
def test_what_was_joined_comes_apart(envelopes: list[bytes]) -> None:
    assert list(split(join(envelopes))) == envelopes


@pytest.mark.parametrize(
    ("bundle", "why"),
    [
        (b"", "empty"),
        (b"a\n\nb\n", "empty line"),
        (b"a\n" * (MAX_ENVELOPES + 1), f"more than {MAX_ENVELOPES}"),
        (b"aaaa", "4 bytes long, 3 are allowed"),
    ],
)
def test_what_is_no_bundle_is_refused_and_says_why(bundle: bytes, why: str) -> None:
    with pytest.raises(LicensingError, match=why) as caught:
        split(bundle, max_size=3 if bundle == b"aaaa" else 10_000)
    assert caught.value.problem is Problem.MALFORMED
