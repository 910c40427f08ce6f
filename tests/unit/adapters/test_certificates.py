"""Is a license server's own certificate what hosts can pin, and does it stay?"""

import hashlib
import os
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from calward.adapters.network.certificates import fingerprint_of, names_of_this_machine, own_certificate, reachable
from calward.domain.errors import LicensingError, Problem
from tests.support.clocks import NOW

NAMES = ["localhost", "ls1.example", "bücher.example", "127.0.0.1", "::1"]


def made(folder):
    return x509.load_pem_x509_certificate(own_certificate(folder, NAMES, now=NOW).certificate.read_bytes())


def test_it_holds_for_names_and_addresses_and_for_servers_only(tmp_path):
    found = made(tmp_path)
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "ls1.example", "xn--bcher-kva.example"]
    assert [str(x) for x in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1", "::1"]
    usage = found.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_its_key_is_on_p256_and_readable_by_its_owner_alone_whatever_the_umask(tmp_path):
    kept = os.umask(0)
    try:
        files = own_certificate(tmp_path, NAMES, now=NOW)
    finally:
        os.umask(kept)
    assert isinstance(made(tmp_path).public_key().curve, ec.SECP256R1)
    assert files.key.stat().st_mode & 0o777 == 0o600
    assert files.certificate.stat().st_mode & 0o777 == 0o644


def test_it_is_valid_from_before_now_for_twenty_years(tmp_path):
    found = made(tmp_path)
    assert found.not_valid_before_utc.timestamp() < NOW
    assert found.not_valid_after_utc.timestamp() > NOW + 19 * 365 * 86_400


def test_it_never_changes_by_itself(tmp_path):
    first = made(tmp_path)
    later = own_certificate(tmp_path, ["another.example"], now=NOW + 30 * 365 * 86_400)
    assert x509.load_pem_x509_certificate(later.certificate.read_bytes()) == first


def test_openssl_takes_certificate_and_key_together(tmp_path):
    files = own_certificate(tmp_path, NAMES, now=NOW)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(files.certificate, files.key)


@pytest.mark.parametrize("gone", ["certificate", "key"])
def test_one_file_without_the_other_is_an_error_that_says_what_helps(tmp_path, gone):
    getattr(own_certificate(tmp_path, NAMES, now=NOW), gone).unlink()
    with pytest.raises(LicensingError, match="go together") as caught:
        own_certificate(tmp_path, NAMES, now=NOW)
    assert caught.value.problem is Problem.CORRUPT


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(LicensingError) as caught:
        own_certificate(tmp_path / "none", NAMES, now=NOW)
    assert caught.value.problem is Problem.UNAVAILABLE


def test_its_fingerprint_is_the_sha256_that_clients_compute(tmp_path):
    files = own_certificate(tmp_path, NAMES, now=NOW)
    der = ssl.PEM_cert_to_DER_cert(files.certificate.read_text())
    assert fingerprint_of(files.certificate) == hashlib.sha256(der).digest()


def test_of_a_chain_the_first_certificate_counts(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, second = (own_certificate(tmp_path / x, NAMES, now=NOW).certificate for x in "ab")
    chain = tmp_path / "chain.pem"
    chain.write_bytes(first.read_bytes() + second.read_bytes())
    assert fingerprint_of(chain) == fingerprint_of(first) != fingerprint_of(second)


@pytest.mark.parametrize(
    ("content", "problem"), [(None, Problem.NOT_FOUND), (b"", Problem.MALFORMED), (b"\xff\x00", Problem.MALFORMED)]
)
def test_a_file_without_a_certificate_is_named(tmp_path, content, problem):
    file = tmp_path / "c.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(LicensingError, match=r"c\.pem") as caught:
        fingerprint_of(file)
    assert caught.value.problem is problem


def test_the_names_hold_the_address_that_is_listened_on_and_localhost():
    assert {"192.0.2.7", "localhost"} <= set(names_of_this_machine("192.0.2.7"))
    everywhere = set(names_of_this_machine("0.0.0.0"))
    assert {"localhost", "127.0.0.1", "::1"} <= everywhere
    assert "0.0.0.0" not in everywhere


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://192.0.2.7:8460", "https://192.0.2.7:8460"),
        ("https://0.0.0.0:8460", "https://here:8460"),
        ("https://[::]:8460", "https://here:8460"),
        ("http://[::1]:8460", "http://[::1]:8460"),
    ],
)
def test_everywhere_is_shown_as_the_name_of_this_machine(monkeypatch, url, expected):
    monkeypatch.setattr("socket.gethostname", lambda: "here")
    assert reachable(url) == expected
