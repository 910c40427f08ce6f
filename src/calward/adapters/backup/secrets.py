"""How do private keys lie in a backup, so that whoever finds it has nothing?

Encrypted as one thing: the passphrase becomes a key by scrypt (128 MiB of memory for each guess), ChaCha20-Poly1305 does the rest.
"""

import base64
import json
import os
from collections.abc import Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from calward.domain.errors import LicensingError, Problem

__all__ = ["SHORTEST", "open_secrets", "seal_secrets"]

SHORTEST: Final = 12
"""Characters of a passphrase at least."""
_COST: Final = {"n": 1 << 17, "r": 8, "p": 1}
_MOST: Final = {"n": 1 << 20, "r": 16, "p": 4}
"""What a file may ask of us: it may come from anywhere."""
_WHAT: Final = b"calward backup: secrets, format 1"
_SIZES: Final = {"salt": 16, "nonce": 12}


def seal_secrets(files: Mapping[str, bytes], passphrase: str) -> bytes:
    """Encrypt files by name; raises LicensingError(MALFORMED) for a passphrase that is too short."""
    if len(passphrase) < SHORTEST:
        detail = f"the passphrase has {len(passphrase)} characters, {SHORTEST} are needed: it guards the server's keys"
        raise LicensingError(Problem.MALFORMED, detail, field="passphrase")
    salt, nonce = (os.urandom(size) for size in _SIZES.values())
    plain = json.dumps({name: base64.b64encode(content).decode() for name, content in files.items()}).encode()
    sealed = ChaCha20Poly1305(_key(passphrase, salt, _COST)).encrypt(nonce, plain, _WHAT)
    parts = {"salt": salt, "nonce": nonce, "sealed": sealed}
    texts = {name: base64.b64encode(value).decode() for name, value in parts.items()}
    return json.dumps({"kdf": "scrypt", "cipher": "chacha20-poly1305"} | _COST | texts, indent=1).encode() + b"\n"


def open_secrets(content: bytes, passphrase: str) -> dict[str, bytes]:
    """Decrypt what ``seal_secrets`` made.

    Raises: LicensingError: UNAUTHORIZED: another passphrase, or content that somebody changed; MALFORMED: it is no such thing.
    """
    try:
        found = json.loads(content)
        parts = {name: base64.b64decode(found[name], validate=True) for name in ("salt", "nonce", "sealed")}
        cost = {name: int(found[name]) for name in _COST}
    except (ValueError, KeyError, TypeError) as error:
        raise LicensingError(Problem.MALFORMED, "the backup's keys cannot be read: it is damaged") from error
    _check(parts, cost)
    try:
        plain = ChaCha20Poly1305(_key(passphrase, parts["salt"], cost)).decrypt(parts["nonce"], parts["sealed"], _WHAT)
    except (InvalidTag, ValueError):
        detail = "the passphrase does not open the backup's keys, or they are damaged"
        raise LicensingError(Problem.UNAUTHORIZED, detail, field="passphrase") from None
    files: dict[str, str] = json.loads(plain)
    return {name: base64.b64decode(text) for name, text in files.items()}


def _check(parts: Mapping[str, Any], cost: Mapping[str, int]) -> None:
    if any(len(parts[name]) != size for name, size in _SIZES.items()):
        raise LicensingError(Problem.MALFORMED, "the backup's keys cannot be read: it is damaged")
    if any(not 1 <= cost[name] <= most for name, most in _MOST.items()):
        raise LicensingError(Problem.MALFORMED, "the backup's keys ask for more memory than any of ours: it is damaged")


def _key(passphrase: str, salt: bytes, cost: Mapping[str, int]) -> bytes:
    return Scrypt(salt=salt, length=32, n=cost["n"], r=cost["r"], p=cost["p"]).derive(passphrase.encode())
