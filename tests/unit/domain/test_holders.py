"""What do events call a device or a user?"""

import base64
import hashlib

import pytest

from calward.domain.cals import CalType, HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.holders import HASH_SIZE, SALT_SIZE, holder_hash, holder_token, token_of

SALT = bytes(range(SALT_SIZE))


def test_the_hash_is_the_first_half_of_sha_256_over_salt_kind_and_key():
    whole = hashlib.sha256(SALT + b"user\0alice").digest()
    assert holder_hash(HolderKind.USER, "alice", SALT) == whole[:HASH_SIZE]


def test_the_token_is_the_kinds_letter_and_the_hash_in_22_characters():
    token = holder_token(HolderKind.DEVICE, "0A1B", SALT)
    digest = base64.urlsafe_b64decode(token[2:] + "==")
    assert token == token_of(HolderKind.DEVICE, digest)
    assert (token[:2], len(token)) == ("d:", 24)
    assert digest == holder_hash(HolderKind.DEVICE, "0A1B", SALT)


def test_a_device_and_a_user_of_one_name_are_two_holders():
    assert holder_token(HolderKind.DEVICE, "x", SALT)[2:] != holder_token(HolderKind.USER, "x", SALT)[2:]


def test_another_salt_gives_another_token():
    assert holder_token(HolderKind.USER, "alice", SALT) != holder_token(HolderKind.USER, "alice", bytes(SALT_SIZE))


def test_letters_of_any_script_are_hashed_as_utf_8():
    whole = hashlib.sha256(SALT + b"user\0Zo\xc3\xab").digest()
    assert holder_hash(HolderKind.USER, "Zo\u00eb", SALT) == whole[:HASH_SIZE]


@pytest.mark.parametrize(
    ("type_", "kind"), [(CalType.PER_DEVICE, HolderKind.DEVICE), (CalType.PER_USER, HolderKind.USER)]
)
def test_a_cal_type_says_who_holds_it(type_, kind):
    assert type_.holder_kind is kind


@pytest.mark.parametrize("text", ["per-user", " Per-User ", "PER-USER"])
def test_a_cal_type_is_read_as_people_write_it(text):
    assert CalType.parse(text) is CalType.PER_USER


def test_what_is_no_cal_type_is_refused_with_both_that_are():
    with pytest.raises(LicensingError, match="'users' is no CAL type: say per-device or per-user") as caught:
        CalType.parse("users")
    assert caught.value.problem is Problem.MALFORMED
