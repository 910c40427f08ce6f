"""How is the premaster secret of a licensing exchange opened, and where does the key for it lie?

Clients encrypt with textbook RSA: 48 bytes, no padding, everything little-endian ([MS-RDPELE] 5.1.2.1). No interface for padded
RSA fits, so the operation itself is done here. Whoever reaches the relay may have it done on any number, therefore: the key is used for
nothing else; the exponent and its primes meet only constant-time powers of blinded numbers; a result is checked before it is
used, so that a faulty multiplication betrays no prime; and every number below the modulus gives 48 bytes. To refuse the results that
are too large would tell a peer more of its number, bit by bit, than it may know: its MAC will be wrong, that is all.
"""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

import gmpy2
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from calward.domain.errors import LicensingError, Problem
from calward.wire.errors import RemoteProtocolError

__all__ = ["EXPONENT", "KEY_BITS", "WireKey", "create_wire_key", "load_wire_key"]

KEY_BITS: Final = 2048
"""Rdesktop takes no longer key under standard RDP security."""
EXPONENT: Final = 65537
"""Not 3: without padding, the cube of 48 bytes is an integer whose root anybody can draw."""
PREMASTER_SIZE: Final = 48
_MAX_BLOB: Final = KEY_BITS // 8 + 64
"""Clients add eight zero bytes, or a few more; nobody has a longer number to send."""
_MAX_FILE: Final = 16_384
_MODE: Final = 0o600


class WireKey:
    """The private half of a session host's RSA key for licensing on the wire."""

    def __init__(self, key: rsa.RSAPrivateKey) -> None:
        numbers = key.private_numbers()
        if key.key_size != KEY_BITS or numbers.public_numbers.e != EXPONENT:
            raise LicensingError(Problem.MALFORMED, f"a key for the wire has {KEY_BITS} bits and exponent {EXPONENT}")
        self._key = key
        self._n = gmpy2.mpz(numbers.public_numbers.n)
        self._p, self._q = gmpy2.mpz(numbers.p), gmpy2.mpz(numbers.q)
        self._dp, self._dq = gmpy2.mpz(numbers.dmp1), gmpy2.mpz(numbers.dmq1)
        self._q_inverse = gmpy2.mpz(numbers.iqmp)

    @property
    def private_key(self) -> rsa.RSAPrivateKey:
        """The key as ``cryptography`` has it: to sign a certificate of one's own."""
        return self._key

    @property
    def public_key_der(self) -> bytes:
        """DER SubjectPublicKeyInfo: what a license server makes a certificate for."""
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def decrypt_premaster(self, blob: bytes) -> bytes:
        """Open EncryptedPreMasterSecret, little-endian, whatever its padding with zeros; gives 48 bytes.

        Raises: RemoteProtocolError: the number is not below the modulus; the same sentence for all that is wrong.
        """
        number = gmpy2.mpz(int.from_bytes(blob, "little")) if len(blob) <= _MAX_BLOB else self._n
        if number >= self._n:
            raise RemoteProtocolError(
                "is not below the modulus", structure="EncryptedPreMasterSecret", field="encryptedData"
            )
        low = int(self._power(number)) & ((1 << (8 * PREMASTER_SIZE)) - 1)
        return low.to_bytes(PREMASTER_SIZE, "little")

    def _power(self, number: "gmpy2.mpz") -> "gmpy2.mpz":
        """Raise to the private exponent, by the Chinese remainder theorem, on a blinded number."""
        blind = gmpy2.mpz(secrets.randbelow(int(self._n) - 2) + 2)
        blinded = number * gmpy2.powmod(blind, EXPONENT, self._n) % self._n
        by_p = self._part(blinded, self._dp, self._p)
        by_q = self._part(blinded, self._dq, self._q)
        found = by_q + self._q * (self._q_inverse * (by_p - by_q) % self._p)
        if gmpy2.powmod(found, EXPONENT, self._n) != blinded:
            raise LicensingError(
                Problem.CORRUPT, "an RSA operation has gone wrong: the key file or the machine is faulty"
            )
        return found * gmpy2.invert(blind, self._n) % self._n

    @staticmethod
    def _part(number: "gmpy2.mpz", exponent: "gmpy2.mpz", prime: "gmpy2.mpz") -> "gmpy2.mpz":
        return gmpy2.powmod_sec(number % prime, exponent, prime)


def create_wire_key(path: Path) -> WireKey:
    """Make a key and write it to a new file (PEM, mode 0600), on the disk for good when this returns.

    Raises: LicensingError: CONFLICT: the file exists; UNAVAILABLE: it cannot be written.
    """
    key = rsa.generate_private_key(EXPONENT, KEY_BITS)
    text = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, _MODE)
        with os.fdopen(handle, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise LicensingError(Problem.CONFLICT, f"the key file {path} exists: a key is never overwritten") from None
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"the key file {path} cannot be written: {error.strerror}") from None
    return WireKey(key)


def load_wire_key(path: Path) -> WireKey:
    """Read a key file.

    Raises: LicensingError: NOT_FOUND; FORBIDDEN: others than its owner may read it; MALFORMED: it holds no such key.
    """
    try:
        with path.open("rb") as file:
            others = stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077
            text = file.read(_MAX_FILE)
    except FileNotFoundError:
        raise LicensingError(Problem.NOT_FOUND, f"there is no key file {path}") from None
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"the key file {path} cannot be read: {error.strerror}") from None
    if others:
        detail = f"others than its owner may read the key file {path}: chmod 600 it, or make a new key"
        raise LicensingError(Problem.FORBIDDEN, detail)
    return WireKey(_parsed(text, path))


def _parsed(text: bytes, path: Path) -> rsa.RSAPrivateKey:
    try:
        key = load_pem_private_key(text, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise LicensingError(Problem.MALFORMED, f"{path} is no file with an RSA key")
    return key
