"""Which texts may be names, and is what is refused told without repeating it?"""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.domain.errors import LicensingError, Problem
from calward.domain.names import check_group, check_holder, check_host, check_label, check_request_id, check_token_name

HOSTILE = {
    "empty": "",
    "spaces around": " SH1 ",
    "line feed": "SH1\nSH2",
    "nul": "a\x00b",
    "escape sequence": "a\x1b[2Jb",
    "right-to-left override": "a\u202eb",
    "zero width": "a\u200bb",
    "lone surrogate": "a\ud800b",
    "line separator": "a\u2028b",
    "private use": "a\ue000b",
    "far too long": "a" * 300,
}
CHECKS = [
    check_host,
    check_group,
    check_token_name,
    check_request_id,
    check_label,
    lambda text: check_holder(text, "user"),
]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("check", CHECKS)
def test_a_hostile_name_is_refused_everywhere_and_not_repeated(check, text):
    with pytest.raises(LicensingError) as caught:
        check(text)
    assert caught.value.problem is Problem.MALFORMED
    assert caught.value.detail.isprintable()
    assert len(caught.value.detail) < 150


@pytest.mark.parametrize("text", ["SH1", "sh1.example.org", "a", "A-b_c.9", "x" * 253])
def test_a_host_is_called_as_machines_are(text):
    assert check_host(text) == text


@pytest.mark.parametrize("text", ["-a", "a-", ".", "a b", "a/b", "a:b", "ä", "a%2fb", "x" * 254])
def test_a_host_is_called_nothing_that_an_address_or_a_shell_would_read_otherwise(text):
    with pytest.raises(LicensingError, match="letters, digits"):
        check_host(text)


@pytest.mark.parametrize("text", ["alice", "EXAMPLE\\alice", "O'Brien, Zoë", "王小明", '<script>"&', "x" * 255])
def test_a_user_may_be_called_as_people_are(text):
    assert check_holder(text, "user") == text


def test_the_character_that_cannot_be_seen_is_named_by_its_number():
    with pytest.raises(LicensingError, match=r"user holds U\+202E, a character that cannot be seen"):
        check_holder("a\u202eb", "user")


def test_a_token_has_a_short_name():
    assert check_token_name("x" * 64)
    with pytest.raises(LicensingError, match="1 to 64"):
        check_token_name("x" * 65)


@given(st.text(max_size=300))
def test_a_name_is_taken_as_it_is_or_refused(text):
    with suppress(LicensingError):
        assert check_holder(text, "user") is text
