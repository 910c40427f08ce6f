"""Keys: the vectors of RFC 8032; files that only their owner may read; nothing overwritten."""

from pathlib import Path

import pytest

from calward.adapters.signing import (
    Ed25519Signer,
    create_key_file,
    load_public_key,
    load_signer,
    parse_public_key,
    render_public_key,
    seal,
    verify,
)
from calward.domain.envelope import decode_envelope, keyid_of
from calward.domain.errors import LicensingError, Problem

# RFC 8032, 7.1, tests 1 to 3: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
SEED = bytes.fromhex(VECTORS[0][0])
SIGNER = Ed25519Signer(SEED)


def refusal(path: Path, role: str = "pack") -> Problem:
    with pytest.raises(LicensingError) as caught:
        load_signer(path, role)
    assert str(path) in caught.value.detail
    assert SEED.hex() not in caught.value.detail
    return caught.value.problem


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pack.key"


@pytest.fixture
def key_file(path: Path) -> Path:
    create_key_file(path, "pack", SEED)
    return path


@pytest.mark.parametrize(("secret", "public", "message", "signature"), VECTORS)
def test_the_signatures_are_those_of_the_standard(secret: str, public: str, message: str, signature: str) -> None:
    signer = Ed25519Signer(bytes.fromhex(secret))
    assert signer.public_key.hex() == public
    assert signer.sign(bytes.fromhex(message)).hex() == signature


def test_a_signature_is_good_for_its_key_and_message_only() -> None:
    signature = SIGNER.sign(b"message")
    assert verify(SIGNER.public_key, b"message", signature)
    assert not verify(SIGNER.public_key, b"other", signature)
    assert not verify(bytes.fromhex(VECTORS[1][1]), b"message", signature)
    assert not verify(SIGNER.public_key, b"message", signature[:-1])
    assert not verify(SIGNER.public_key, b"message", b"")
    assert not verify(b"no key", b"message", signature)


def test_a_signer_shows_no_secret() -> None:
    assert SEED.hex() not in repr(SIGNER)
    assert SIGNER.keyid in repr(SIGNER)


def test_a_wrong_signature_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calward.adapters.signing.ed25519.verify", lambda *_: False)
    with pytest.raises(LicensingError) as caught:
        SIGNER.sign(b"message")
    assert caught.value.problem is Problem.UNAVAILABLE


def test_a_sealed_payload_is_signed_with_its_type() -> None:
    envelope = decode_envelope(seal("application/x", b"payload", SIGNER))
    (signature,) = envelope.signatures
    assert signature.keyid == keyid_of(SIGNER.public_key)
    assert verify(SIGNER.public_key, envelope.signed_bytes(), signature.value)


def test_a_key_comes_back_from_its_file(key_file: Path) -> None:
    assert load_signer(key_file, "pack").public_key == SIGNER.public_key
    assert key_file.stat().st_mode & 0o777 == 0o600


def test_a_key_is_never_overwritten(key_file: Path) -> None:
    before = key_file.read_text()
    with pytest.raises(LicensingError) as caught:
        create_key_file(key_file, "pack", bytes(32))
    assert caught.value.problem is Problem.CONFLICT
    assert key_file.read_text() == before


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o777])
def test_a_key_that_others_may_read_is_refused(key_file: Path, mode: int) -> None:
    key_file.chmod(mode)
    assert refusal(key_file) is Problem.FORBIDDEN


def test_a_key_of_another_role_is_refused(key_file: Path) -> None:
    assert refusal(key_file, "root") is Problem.MALFORMED


def test_a_key_that_is_not_there_or_no_file_is_said(path: Path, tmp_path: Path) -> None:
    assert refusal(path) is Problem.NOT_FOUND
    assert refusal(tmp_path) is Problem.UNAVAILABLE


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("private key", "public key", Problem.MALFORMED),
        ("public: d7", "public: d8", Problem.CORRUPT),
        ("private: 9d", "private: 9e", Problem.CORRUPT),
        ("private: 9d", "private: ", Problem.MALFORMED),
        ("private: ", "more: 1\nprivate: ", Problem.MALFORMED),
        ("role: pack", "role: pack\nrole: pack", Problem.MALFORMED),
        ("role: pack\n", "", Problem.MALFORMED),
        ("keyid: ", "keyid: \u00fc", Problem.MALFORMED),
    ],
)
def test_a_damaged_key_file_is_refused(key_file: Path, old: str, new: str, problem: Problem) -> None:
    text = key_file.read_text()
    assert old in text
    key_file.write_text(text.replace(old, new), encoding="utf-8")
    assert refusal(key_file) is problem


def test_a_public_key_file_may_be_read_by_all(path: Path) -> None:
    path.write_text(render_public_key("root", SIGNER.public_key))
    path.chmod(0o644)
    assert load_public_key(path, "root") == SIGNER.public_key
    with pytest.raises(LicensingError):
        load_public_key(path, "pack")


def test_a_public_key_stands_in_a_setting_as_hexadecimal_digits() -> None:
    assert parse_public_key(f" {SIGNER.public_key.hex().upper()}\n") == SIGNER.public_key
    for wrong in ("", "00", "zz" * 32, "00" * 32):
        with pytest.raises(LicensingError):
            parse_public_key(wrong)
