"""Which certificate does a license server show that was given none?

One of its own: hosts pin its fingerprint, which their one-time code carries, so nobody has to sign it. For the same reason it never
changes by itself: a new one would lock every host out.
"""

import hashlib
import ipaddress
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from calward.domain.errors import LicensingError, Problem

__all__ = ["OwnCertificate", "fingerprint_of", "names_of_this_machine", "own_certificate", "reachable"]

CERTIFICATE_FILE: Final = "tls.pem"
KEY_FILE: Final = "tls.key"
_YEARS: Final = 20
"""Longer than a server is in use: what is pinned is not renewed by time."""
_EVERYWHERE: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 - compared with, not listened on


@dataclass(frozen=True, slots=True)
class OwnCertificate:
    """Two PEM files; the key's is readable by its owner only."""

    certificate: Path
    key: Path


def own_certificate(
    folder: Path, names: Iterable[str], *, now: int, holder: str = "Calward license server"
) -> OwnCertificate:
    """The certificate in a folder, made there if there is none (ECDSA, P-256).

    ``names``: host names and addresses that it shall hold for; ``now``: seconds since 1970 (UTC); ``holder``: its common name,
    which clients show to people.
    Raises: LicensingError: UNAVAILABLE: the folder cannot be written; CORRUPT: one of the two files is gone.
    """
    files = OwnCertificate(folder / CERTIFICATE_FILE, folder / KEY_FILE)
    have = [file.exists() for file in (files.certificate, files.key)]
    if any(have) and not all(have):
        detail = f"{files.certificate} and {files.key} go together and one is gone: restore it, or remove both and enroll the hosts anew"
        raise LicensingError(Problem.CORRUPT, detail)
    if not all(have):
        _make(files, list(names), datetime.fromtimestamp(now, UTC), holder)
    return files


def fingerprint_of(certificate: Path) -> bytes:
    """SHA-256 of the first certificate in a PEM file, 32 bytes; raises LicensingError: NOT_FOUND, MALFORMED."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except OSError as error:
        detail = f"the certificate {certificate} cannot be read: {error.strerror}"
        raise LicensingError(Problem.NOT_FOUND, detail, field="tls_certificate") from None
    except ValueError:
        detail = f"{certificate} holds no certificate in PEM"
        raise LicensingError(Problem.MALFORMED, detail, field="tls_certificate") from None
    return hashlib.sha256(found.public_bytes(serialization.Encoding.DER)).digest()


def names_of_this_machine(listen: str) -> list[str]:
    """What a server that listens on an address may be called by: the address, or, where it listens everywhere, what the machine has."""
    name = socket.gethostname()
    found = {"localhost", name, socket.getfqdn(name)}
    if listen not in _EVERYWHERE:
        return sorted(found | {listen})
    try:
        # An address with a zone ("fe80::1%eth0") means something on this machine only.
        addresses = {str(entry[4][0]).partition("%")[0] for entry in socket.getaddrinfo(name, None)}
    except OSError:
        addresses = set()
    return sorted(found | addresses | {"127.0.0.1", "::1"})


def reachable(url: str) -> str:
    """The address under which others reach a server that listens at ``url``: "everywhere" is no address, this machine's name is one."""
    scheme, _, place = url.partition("://")
    host, _, port = place.rpartition(":")
    return f"{scheme}://{socket.gethostname()}:{port}" if host.strip("[]") in _EVERYWHERE else url


def _make(files: OwnCertificate, names: list[str], now: datetime, holder: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _certificate(key, names, now, holder)
    key_text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    try:
        _write(files.key, key_text, 0o600)
        _write(files.certificate, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
    except OSError as error:
        detail = f"a certificate cannot be written to {files.certificate.parent}: {error.strerror}"
        raise LicensingError(Problem.UNAVAILABLE, detail) from None


def _certificate(key: ec.EllipticCurvePrivateKey, names: list[str], now: datetime, holder: str) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, holder)])
    # A client whose clock is a little slow must not meet a certificate from the future.
    begin = now - timedelta(days=1)
    usage = x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,  # Signs itself, so that it can also be trusted as a file (--ca-file).
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + timedelta(days=365 * _YEARS))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, SHA256())
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name.encode("idna").decode("ascii") if not name.isascii() else name)


def _write(file: Path, content: bytes, mode: int) -> None:
    """A new file, durable, with exactly this mode."""
    number = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, mode)
    with os.fdopen(number, "wb") as out:
        os.fchmod(number, mode)
        out.write(content)
        out.flush()
        os.fsync(number)
