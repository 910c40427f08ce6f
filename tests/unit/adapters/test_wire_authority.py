"""Does the authority for the wire make ordinary certificates, keep its key to itself, and come back when it is lost?"""

import os
import stat
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from hypothesis import given
from hypothesis import strategies as st

from calward.adapters.signing.wire_authority import HOST_DAYS, open_wire_authority
from calward.domain.errors import LicensingError, Problem
from tests.support.clocks import NOW
from tests.support.signed import value_or_malformed

DAY = 86_400


def spki(key):
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="module")
def host_key():
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("wire")


@pytest.fixture(scope="module")
def authority(folder):
    return open_wire_authority(folder, now=NOW)


def certificates(authority, host_key, name="SH1", now=NOW):
    certified = authority.certify(spki(host_key), name, now)
    return [x509.load_der_x509_certificate(one) for one in certified.chain]


def test_the_chain_is_the_root_and_then_the_host(authority, host_key):
    root, leaf = certificates(authority, host_key)
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert leaf.public_key() == host_key.public_key()
    assert root.public_key() != leaf.public_key()


def test_both_are_ordinary_version_3_certificates_with_sha256(authority, host_key):
    for one in certificates(authority, host_key):
        assert one.version is x509.Version.v3
        assert isinstance(one.signature_hash_algorithm, SHA256)
        assert isinstance(one.signature_algorithm_parameters, padding.PKCS1v15)
        assert (one.public_key().key_size, one.public_key().public_numbers().e) == (2048, 65537)


def test_only_the_root_may_sign(authority, host_key):
    root, leaf = certificates(authority, host_key)
    may = [one.extensions.get_extension_for_class(x509.BasicConstraints).value.ca for one in (root, leaf)]
    assert may == [True, False]
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert (usage.key_encipherment, usage.key_cert_sign, usage.digital_signature) == (True, False, False)


def test_a_hosts_certificate_holds_a_year_from_a_little_before_now(authority, host_key):
    certified = authority.certify(spki(host_key), "SH1", NOW)
    leaf = x509.load_der_x509_certificate(certified.chain[1])
    assert leaf.not_valid_after_utc.timestamp() == certified.expires_at == NOW + HOST_DAYS * DAY
    assert NOW - 2 * DAY < leaf.not_valid_before_utc.timestamp() < NOW


def test_a_name_longer_than_a_common_name_is_cut(authority, host_key):
    [_, leaf] = certificates(authority, host_key, "h" * 253)
    assert leaf.subject.rfc4514_string() == f"CN={'h' * 64}"


@pytest.mark.parametrize(
    "key",
    [
        rsa.generate_private_key(3, 2048),
        rsa.generate_private_key(65537, 1024),
        rsa.generate_private_key(65537, 3072),
        ec.generate_private_key(ec.SECP256R1()),
        ed25519.Ed25519PrivateKey.generate(),
    ],
)
def test_only_rsa_of_2048_bits_with_the_usual_exponent_is_certified(authority, key):
    with pytest.raises(LicensingError) as refused:
        authority.certify(spki(key), "SH1", NOW)
    assert (refused.value.problem, refused.value.field) == (Problem.MALFORMED, "public_key")


@given(key=st.binary(max_size=400), cut=st.integers(0, 293), flip=st.integers(1, 255))
def test_any_bytes_are_a_key_or_malformed(authority, host_key, key, cut, flip):
    good = spki(host_key)
    for text in (key, good[:cut], good[:cut] + bytes([good[cut] ^ flip]) + good[cut + 1 :]):
        value_or_malformed(authority.certify, text, "SH1", NOW)


def test_its_files_are_their_owners_alone_whatever_the_umask(tmp_path):
    kept = os.umask(0)
    try:
        open_wire_authority(tmp_path, now=NOW)
    finally:
        os.umask(kept)
    modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()}
    assert modes == {"wire.key": 0o600, "wire.pem": 0o600}


def test_it_stays_the_same_when_opened_again(folder, authority):
    assert open_wire_authority(folder, now=NOW + 400 * DAY).root == authority.root


def test_a_key_that_others_may_read_is_refused(tmp_path):
    open_wire_authority(tmp_path, now=NOW)
    (tmp_path / "wire.key").chmod(0o640)
    with pytest.raises(LicensingError, match="remove it, and a new one is made") as refused:
        open_wire_authority(tmp_path, now=NOW)
    assert refused.value.problem is Problem.FORBIDDEN


@pytest.mark.parametrize("content", [b"", b"a letter to an aunt", None])
def test_a_key_file_that_is_none_is_named(tmp_path, content):
    if content is None:
        other = ec.generate_private_key(ec.SECP256R1())
        content = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "wire.key").write_bytes(content)
    (tmp_path / "wire.key").chmod(0o600)
    with pytest.raises(LicensingError, match=r"wire\.key") as refused:
        open_wire_authority(tmp_path, now=NOW)
    assert refused.value.problem is Problem.CORRUPT


@pytest.mark.parametrize("lost", [["wire.key"], ["wire.pem"], ["wire.key", "wire.pem"]])
def test_what_is_lost_is_made_anew_and_still_fits_together(tmp_path, host_key, lost):
    before = open_wire_authority(tmp_path, now=NOW)
    for name in lost:
        (tmp_path / name).unlink()
    after = open_wire_authority(tmp_path, now=NOW)
    assert after.root != before.root
    root, leaf = certificates(after, host_key)
    leaf.verify_directly_issued_by(root)
    key = load_pem_private_key((tmp_path / "wire.key").read_bytes(), None)
    assert key.public_key() == x509.load_pem_x509_certificate((tmp_path / "wire.pem").read_bytes()).public_key()


def test_a_damaged_root_is_made_anew(tmp_path):
    open_wire_authority(tmp_path, now=NOW)
    (tmp_path / "wire.pem").write_text("damaged")
    open_wire_authority(tmp_path, now=NOW)
    assert b"BEGIN CERTIFICATE" in (tmp_path / "wire.pem").read_bytes()


def test_a_root_is_followed_before_a_hosts_certificate_would_outlive_it(tmp_path, host_key):
    first = open_wire_authority(tmp_path, now=NOW)
    end = x509.load_der_x509_certificate(first.root).not_valid_after_utc
    late = int((end - timedelta(days=HOST_DAYS - 1)).timestamp())
    assert open_wire_authority(tmp_path, now=late).root != first.root
    # A server that has run without a restart since: the host's certificate ends with the root.
    assert first.certify(spki(host_key), "SH1", late).expires_at == int(end.timestamp())


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(LicensingError, match="gone") as refused:
        open_wire_authority(tmp_path / "gone", now=NOW)
    assert refused.value.problem is Problem.UNAVAILABLE
