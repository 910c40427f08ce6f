"""Name an operator: somebody who may work at the clearinghouse over HTTP; know one by the token, and take it back."""

import hashlib
from datetime import datetime

from calward.app.clearinghouse.ports import Store
from calward.app.ports import Entropy
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import check_name
from calward.domain.operators import Operator, OperatorRole

__all__ = ["end_operator", "name_operator", "operator_of"]

_TOKEN_SIZE = 32
_PREFIX = "cwo_"
"""Lets people and scanners see what a token is for when one turns up where it should not."""


def name_operator(
    name: str, *, store: Store, entropy: Entropy, now: datetime, role: OperatorRole = OperatorRole.SELLER
) -> str:
    """Make the token of a new operator. It is shown this once: only its hash is kept.

    Raises: LicensingError: MALFORMED: the name cannot be read; CONFLICT: it is taken.
    """
    token = _PREFIX + entropy.token(_TOKEN_SIZE).hex()
    named = Operator(check_name(name, "the operator's name"), role)
    store.write(lambda book: book.parties.add_operator(named, _hash(token), now))
    return token


def operator_of(token: str, *, store: Store) -> Operator | None:
    """Whose token it is. Looked up by its hash, so that the time it takes tells nothing about tokens that are near."""
    return store.read(lambda book: book.parties.operator(_hash(token)))


def end_operator(name: str, *, store: Store) -> None:
    """Take an operator's token back; raises LicensingError(NOT_FOUND)."""
    if not store.write(lambda book: book.parties.end_operator(name)):
        raise LicensingError(Problem.NOT_FOUND, f"there is no operator {name!a}", field="name")


def _hash(token: str) -> bytes:
    # The token holds 256 random bits: a plain hash cannot be guessed backwards, as one of a password could.
    return hashlib.sha256(token.encode(errors="replace")).digest()
