"""Who vouches for session hosts' keys in the licensing protocol?

A client wants to see a chain of certificates before it encrypts a premaster for a host; which, it does not check. So the license
server has an authority for this alone: an RSA key (``wire.key``) and its self-signed root (``wire.pem``), kept apart from every other
key. It authenticates nothing of value: a lost or worn-out one is simply made anew, and hosts fetch another chain.

Source: [MS-RDPELE] 2.2.1.4.2 (X.509 certificate chains: the license server's own, then the host's).
"""

import os
import secrets
import stat
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import NameOID

from calward.app.licensing.certify_host import Certified
from calward.domain.errors import LicensingError, Problem

__all__ = ["OwnWireAuthority", "open_wire_authority"]

KEY_FILE: Final = "wire.key"
ROOT_FILE: Final = "wire.pem"
KEY_BITS: Final = 2048
"""More than that rdesktop cannot encrypt with."""
EXPONENT: Final = 65537
"""With 3, the cube root of an unpadded premaster of 384 bits would be the premaster (reliability: every real client pads nothing)."""
ROOT_DAYS: Final = 20 * 365
HOST_DAYS: Final = 365
"""A host's key is used a year at most."""
_SKEW: Final = timedelta(days=1)
"""A client whose clock is a little slow must not meet a certificate from the future."""
_MODE: Final = 0o600
_NAME_MAX: Final = 64
"""Characters in a common name (X.520, ub-common-name)."""


class OwnWireAuthority:
    """The authority in one data folder; see ``open_wire_authority``."""

    def __init__(self, key: rsa.RSAPrivateKey, root: x509.Certificate) -> None:
        self._key = key
        self._root = root
        self.root = root.public_bytes(serialization.Encoding.DER)

    def certify(self, public_key: bytes, host: str, now: int) -> Certified:
        """Sign a host's key (SubjectPublicKeyInfo, DER) for a year; raises LicensingError(MALFORMED)."""
        key = _host_key(public_key)
        begin = datetime.fromtimestamp(now, UTC)
        end = min(begin + timedelta(days=HOST_DAYS), self._root.not_valid_after_utc)
        leaf = (
            _builder(key, host[:_NAME_MAX], begin - _SKEW, end)
            .issuer_name(self._root.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(key_encipherment=True), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, SHA256())
        )
        return Certified((self.root, leaf.public_bytes(serialization.Encoding.DER)), int(end.timestamp()))


def open_wire_authority(folder: Path, *, now: int) -> OwnWireAuthority:
    """The authority in a folder; whatever of it is missing, ended or does not belong together is made anew.

    Raises: LicensingError: FORBIDDEN: others than its owner may read the key; CORRUPT: it is no such key; UNAVAILABLE: the
    folder cannot be read or written.
    """
    try:
        key = _load_key(folder / KEY_FILE) or _make_key(folder / KEY_FILE)
        root = _load_root(folder / ROOT_FILE, key, now) or _make_root(folder / ROOT_FILE, key, now)
    except OSError as error:
        detail = f"the wire authority in {folder} cannot be opened: {error.strerror}"
        raise LicensingError(Problem.UNAVAILABLE, detail) from None
    return OwnWireAuthority(key, root)


def _load_key(path: Path) -> rsa.RSAPrivateKey | None:
    try:
        # The open file is asked for its mode, not the path: nobody can exchange it in between.
        with path.open("rb") as file:
            if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
                detail = f"others than its owner may read the key file {path}: remove it, and a new one is made"
                raise LicensingError(Problem.FORBIDDEN, detail)
            text = file.read()
    except FileNotFoundError:
        return None
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        key = serialization.load_pem_private_key(text, None)
        if isinstance(key, rsa.RSAPrivateKey) and _fits(key.public_key()):
            return key
    raise LicensingError(Problem.CORRUPT, f"{path} is no RSA key of ours: remove it, and a new one is made")


def _load_root(path: Path, key: rsa.RSAPrivateKey, now: int) -> x509.Certificate | None:
    """The root if it is of this key and holds longer than a host's certificate will; else None."""
    with suppress(FileNotFoundError, ValueError, UnsupportedAlgorithm):
        root = x509.load_pem_x509_certificate(path.read_bytes())
        wanted = datetime.fromtimestamp(now, UTC) + timedelta(days=HOST_DAYS)
        if root.public_key() == key.public_key() and wanted < root.not_valid_after_utc:
            return root
    return None


def _make_key(path: Path) -> rsa.RSAPrivateKey:
    key = rsa.generate_private_key(EXPONENT, KEY_BITS)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    _write(path, key.private_bytes(encoding, form, serialization.NoEncryption()))
    return key


def _make_root(path: Path, key: rsa.RSAPrivateKey, now: int) -> x509.Certificate:
    begin = datetime.fromtimestamp(now, UTC)
    # The name tells one license server's root from another's; a new root has a new one.
    name = f"Calward wire authority {secrets.token_hex(8)}"
    builder = _builder(key.public_key(), name, begin - _SKEW, begin + timedelta(days=ROOT_DAYS))
    root = (
        builder.issuer_name(_named(name))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True), critical=True)
        .sign(key, SHA256())
    )
    _write(path, root.public_bytes(serialization.Encoding.PEM))
    return root


def _builder(key: rsa.RSAPublicKey, name: str, begin: datetime, end: datetime) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _usage(*, key_encipherment: bool = False, key_cert_sign: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _host_key(public_key: bytes) -> rsa.RSAPublicKey:
    with suppress(ValueError, TypeError, UnsupportedAlgorithm):
        key = serialization.load_der_public_key(public_key)
        if isinstance(key, rsa.RSAPublicKey) and _fits(key):
            return key
    detail = (
        f"public_key must be an RSA key of {KEY_BITS} bits with the exponent {EXPONENT} (SubjectPublicKeyInfo, DER)"
    )
    raise LicensingError(Problem.MALFORMED, detail, field="public_key")


def _fits(key: rsa.RSAPublicKey) -> bool:
    return key.key_size == KEY_BITS and key.public_numbers().e == EXPONENT


def _write(path: Path, content: bytes) -> None:
    """Put a file there whole, durable, for its owner only; what was there before gives way."""
    beside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    number = os.open(beside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_NOFOLLOW, _MODE)
    with os.fdopen(number, "wb") as out:
        os.fchmod(number, _MODE)
        out.write(content)
        out.flush()
        os.fsync(number)
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
