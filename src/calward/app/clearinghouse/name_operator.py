"""Name an operator: somebody who may sell packs over HTTP; and know one by the token."""

import hashlib
from datetime import datetime

from calward.app.clearinghouse.ports import Store
from calward.app.ports import Entropy
from calward.domain.fields import check_name

__all__ = ["name_operator", "operator_of"]

_TOKEN_SIZE = 32
_PREFIX = "cwo_"
"""Lets people and scanners see what a token is for when one turns up where it should not."""


def name_operator(name: str, *, store: Store, entropy: Entropy, now: datetime) -> str:
    """Make the token of a new operator. It is shown this once: only its hash is kept.

    Raises: LicensingError: MALFORMED: the name cannot be read; CONFLICT: it is taken.
    """
    token = _PREFIX + entropy.token(_TOKEN_SIZE).hex()
    named = check_name(name, "the operator's name")
    store.write(lambda book: book.parties.add_operator(named, _hash(token), now))
    return token


def operator_of(token: str, *, store: Store) -> str | None:
    """Whose token it is. Looked up by its hash, so that the time it takes tells nothing about tokens that are near."""
    return store.read(lambda book: book.parties.operator(_hash(token)))


def _hash(token: str) -> bytes:
    # The token holds 256 random bits: a plain hash cannot be guessed backwards, as one of a password could.
    return hashlib.sha256(token.encode(errors="replace")).digest()
