"""Do codes and tokens survive being read aloud, typed and pasted, and give nothing away?"""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.domain.codes import ADMIN_PREFIX, HOST_PREFIX, OneTimeCode, read_code, token_hash, token_text
from calward.domain.errors import LicensingError, Problem

SECRETS = st.binary(min_size=10, max_size=10)
FINGERPRINTS = st.none() | st.binary(min_size=32, max_size=32)


@given(SECRETS, FINGERPRINTS)
def test_a_code_is_read_as_it_was_written(secret, fingerprint):
    code = OneTimeCode(secret, fingerprint)
    assert read_code(code.text()) == code


@given(SECRETS, FINGERPRINTS)
def test_case_spaces_and_hyphens_do_not_matter(secret, fingerprint):
    code = OneTimeCode(secret, fingerprint)
    assert read_code(f"  {code.text().lower().replace('-', ' ')}\n") == code


def test_a_code_without_a_certificate_is_short():
    assert OneTimeCode(bytes(10)).text() == "AAAA-AAAA-AAAA-AAAA"


@pytest.mark.parametrize(
    "text", ["", "AAAA", "AAAA-AAAA-AAAA-AAA1", "AAAA-AAAA-AAAA-AAAA-AAAA", "ÄÄÄÄ-AAAA-AAAA-AAAA", "\ud800"]
)
def test_what_is_no_code_is_said_to_be_none(text):
    with pytest.raises(LicensingError) as caught:
        read_code(text)
    assert caught.value.problem is Problem.MALFORMED


@given(st.text(max_size=100))
def test_any_text_is_a_code_or_refused(text):
    with suppress(LicensingError):
        assert len(read_code(text).secret) == 10


def test_a_secret_is_never_shown_by_accident():
    assert "secret" not in repr(OneTimeCode(b"0123456789"))


def test_what_is_stored_of_a_code_does_not_hang_on_the_certificate():
    assert OneTimeCode(bytes(10)).hash == OneTimeCode(bytes(10), bytes(32)).hash


@pytest.mark.parametrize("prefix", [HOST_PREFIX, ADMIN_PREFIX])
def test_a_token_tells_scanners_what_it_is(prefix):
    text = token_text(prefix, bytes(range(32)))
    assert text.startswith(prefix)
    assert len(text) == len(prefix) + 43
    assert text.isascii()


def test_any_text_can_be_looked_up_as_a_token():
    assert len({token_hash("a"), token_hash("b"), token_hash("\ud800")}) == 3
