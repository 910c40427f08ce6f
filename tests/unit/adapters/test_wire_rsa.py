"""Is the premaster secret opened, whatever a peer sends, and is the key's file kept safe?"""

import secrets
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from calward.adapters.signing.wire_rsa import WireKey, create_wire_key, load_wire_key
from calward.domain.errors import LicensingError, Problem
from calward.wire.errors import RemoteProtocolError

KEY = rsa.generate_private_key(65537, 2048)
WIRE = WireKey(KEY)
N = KEY.public_key().public_numbers().n


def encrypted(number: int, size: int = 264) -> bytes:
    return pow(number, 65537, N).to_bytes(size, "little")


@pytest.mark.parametrize("size", [256, 257, 264, 272])
def test_a_premaster_comes_out_as_it_went_in_whatever_zeros_follow(size):
    premaster = secrets.token_bytes(48)
    assert WIRE.decrypt_premaster(encrypted(int.from_bytes(premaster, "little"), size)) == premaster


@given(st.integers(min_value=0, max_value=N - 1))
def test_every_number_below_the_modulus_is_raised_to_the_private_exponent(number):
    expected = pow(number, KEY.private_numbers().d, N) % (1 << 384)
    assert WIRE.decrypt_premaster(number.to_bytes(256, "little")) == expected.to_bytes(48, "little")


def test_a_result_that_is_too_large_gives_its_low_bytes_and_no_error():
    assert WIRE.decrypt_premaster(encrypted((7 << 400) + 5)) == (5).to_bytes(48, "little")


@pytest.mark.parametrize(
    "blob",
    [N.to_bytes(256, "little"), b"\xff" * 264, bytes(400), b"\xff" * 65535],
    ids=["the modulus", "a large number", "a long zero", "a whole field"],
)
def test_everything_else_is_refused_with_one_sentence(blob):
    with pytest.raises(RemoteProtocolError) as caught:
        WIRE.decrypt_premaster(blob)
    assert str(caught.value) == "EncryptedPreMasterSecret.encryptedData: is not below the modulus"


def test_a_faulty_prime_is_noticed_before_its_result_leaves():
    broken = WireKey(KEY)
    broken._dp += 1
    with pytest.raises(LicensingError) as caught:
        broken.decrypt_premaster(encrypted(5))
    assert caught.value.problem is Problem.CORRUPT


def test_a_key_file_is_read_back_and_only_its_owner_may_read_it(tmp_path: Path):
    path = tmp_path / "wire.key"
    made = create_wire_key(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_wire_key(path).public_key_der == made.public_key_der
    assert load_der_public_key(made.public_key_der).key_size == 2048


def test_a_key_is_never_overwritten(tmp_path: Path):
    path = tmp_path / "wire.key"
    path.write_text("something")
    with pytest.raises(LicensingError) as caught:
        create_wire_key(path)
    assert caught.value.problem is Problem.CONFLICT
    assert path.read_text() == "something"


def test_a_file_that_others_may_read_is_refused(tmp_path: Path):
    path = tmp_path / "wire.key"
    create_wire_key(path)
    path.chmod(0o640)
    with pytest.raises(LicensingError) as caught:
        load_wire_key(path)
    assert caught.value.problem is Problem.FORBIDDEN


def pem(key) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "content",
    [b"", b"no key", pem(ec.generate_private_key(ec.SECP256R1())), pem(rsa.generate_private_key(65537, 3072))],
    ids=["empty", "text", "elliptic", "3072 bits"],
)
def test_a_file_without_such_a_key_is_malformed(tmp_path: Path, content):
    path = tmp_path / "wire.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(LicensingError) as caught:
        load_wire_key(path)
    assert caught.value.problem is Problem.MALFORMED


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(LicensingError) as caught:
        load_wire_key(tmp_path / "wire.key")
    assert caught.value.problem is Problem.NOT_FOUND
