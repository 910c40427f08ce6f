"""What is written in a one-time code, and in a token?

A code is read aloud, typed and pasted: groups of four letters and digits (base32, RFC 4648), whose case, spaces and hyphens do
not matter. It carries a secret that works once and, where the license server speaks TLS, the SHA-256 fingerprint of its
certificate, so that who uses the code talks to no other server. Only hashes of codes and tokens are ever stored.
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass, field

from calward.domain.errors import LicensingError, Problem

__all__ = [
    "ADMIN_PREFIX",
    "HOST_PREFIX",
    "SECRET_SIZE",
    "TOKEN_SIZE",
    "OneTimeCode",
    "read_code",
    "token_hash",
    "token_text",
]

SECRET_SIZE = 10
"""80 bits: nobody guesses them in the day for which a code lives."""
FINGERPRINT_SIZE = 32
TOKEN_SIZE = 32
HOST_PREFIX = "calh_"
"""Marks a host's token, so that scanners for secrets find one that has strayed."""
ADMIN_PREFIX = "cala_"
"""The same for an administrator's token."""

_GROUP = 4


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """A secret of 10 bytes and, where there is one, the certificate's fingerprint of 32 bytes."""

    secret: bytes = field(repr=False)
    fingerprint: bytes | None = None

    @property
    def hash(self) -> bytes:
        """What is stored of it."""
        return hashlib.sha256(self.secret).digest()

    def text(self) -> str:
        """The code as people see it."""
        letters = base64.b32encode(self.secret + (self.fingerprint or b"")).decode().rstrip("=")
        return "-".join(letters[at : at + _GROUP] for at in range(0, len(letters), _GROUP))


def read_code(text: str) -> OneTimeCode:
    """Read a code as it was typed; raises LicensingError(MALFORMED)."""
    letters = "".join(text.split()).replace("-", "").upper()
    try:
        found = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except (binascii.Error, ValueError):
        found = b""
    if len(found) not in {SECRET_SIZE, SECRET_SIZE + FINGERPRINT_SIZE}:
        raise LicensingError(Problem.MALFORMED, "this is no one-time code: copy all of its groups", field="code")
    return OneTimeCode(found[:SECRET_SIZE], found[SECRET_SIZE:] or None)


def token_text(prefix: str, secret: bytes) -> str:
    """A token as its owner keeps it, from 32 unpredictable bytes."""
    return prefix + base64.urlsafe_b64encode(secret).decode().rstrip("=")


def token_hash(token: str) -> bytes:
    """What is stored of a token, and looked up: SHA-256 (its 32 random bytes need no salt)."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
