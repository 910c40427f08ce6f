"""How is a private key kept so that the file alone is worth nothing?

The seed is encrypted with AES-256-GCM under a key that scrypt makes of a passphrase; everything else in the file is authenticated with
it, so that no line can be exchanged. The public half stays readable: what a file is for can be seen without the passphrase.
Source: RFC 7914 (scrypt), section 2 for the meaning of N, r and p.
"""

import os
from collections.abc import Callable
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from calward.domain.errors import LicensingError, Problem

__all__ = ["KDF", "Passphrase", "open_seed", "seal_seed"]

Passphrase = Callable[[], bytes]
"""Asked when an encrypted key is opened or made, not before; raises LicensingError(UNAUTHORIZED) where nobody can say it."""

KDF: Final = "scrypt 2^15 8 1"
"""32 MiB and about a tenth of a second for each guess."""
_N, _R, _P = 2**15, 8, 1
_SALT, _NONCE, _KEY = 16, 12, 32


def seal_seed(seed: bytes, passphrase: bytes, head: bytes) -> tuple[bytes, bytes]:
    """Encrypt a seed; salt, and nonce with ciphertext. ``head``: what is authenticated with it."""
    salt, nonce = os.urandom(_SALT), os.urandom(_NONCE)
    return salt, nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, seed, head)


def open_seed(salt: bytes, sealed: bytes, passphrase: bytes, head: bytes, where: str) -> bytes:
    """The seed; raises LicensingError(UNAUTHORIZED): another passphrase, or a file that was changed."""
    try:
        return AESGCM(_key(passphrase, salt)).decrypt(sealed[:_NONCE], sealed[_NONCE:], head)
    except InvalidTag:
        detail = f"the passphrase does not open the key file {where}: it is another one, or the file was changed"
        raise LicensingError(Problem.UNAUTHORIZED, detail) from None


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=_KEY, n=_N, r=_R, p=_P).derive(passphrase)
