"""What do events call a device or a user, so that its name can be erased and the events still stand?"""

import hashlib
from binascii import b2a_base64
from types import MappingProxyType

from calward.domain.cals import HolderKind

__all__ = ["HASH_SIZE", "SALT_SIZE", "holder_hash", "holder_token", "token_of"]

_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_PREFIXES = MappingProxyType({kind: f"{kind}\0".encode() for kind in HolderKind})
SALT_SIZE = 16
HASH_SIZE = 16


def holder_hash(kind: HolderKind, key: str, salt: bytes) -> bytes:
    """A salted hash of who it is: the first 16 bytes of SHA-256. Without the salt it says nothing."""
    return hashlib.sha256(salt + _PREFIXES[kind] + key.encode()).digest()[:HASH_SIZE]


def token_of(kind: HolderKind, digest: bytes) -> str:
    """The hash as events write it: "d:" or "u:" and 22 characters."""
    return f"{kind[0]}:{b2a_base64(digest, newline=False)[:22].translate(_URL_SAFE).decode()}"


def holder_token(kind: HolderKind, key: str, salt: bytes) -> str:
    """What events call this holder."""
    return token_of(kind, holder_hash(kind, key, salt))
