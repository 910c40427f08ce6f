"""Which keyring is the newest?"""

from collections.abc import Sequence

from calward.app.clearinghouse.ports import Book, Store
from calward.app.clearinghouse.records import Intent
from calward.domain.errors import LicensingError, Problem
from calward.domain.statements import PayloadType
from calward.domain.trust import Keyring

__all__ = ["all_keyrings", "current_keyring", "keyring_in"]


def current_keyring(store: Store) -> tuple[Keyring, bytes]:
    """The newest signed keyring and its envelope; raises LicensingError(NOT_FOUND)."""
    keyring, intent = store.read(keyring_in)
    return keyring, intent.envelope or b""


def keyring_in(book: Book) -> tuple[Keyring, Intent]:
    """The newest signed keyring, within a transaction; raises LicensingError(NOT_FOUND)."""
    signed = [one for one in all_keyrings(book) if one.envelope is not None]
    if not signed:
        raise LicensingError(Problem.NOT_FOUND, "the clearinghouse has no keyring yet: run calward clearinghouse init")
    newest = max(signed, key=lambda one: int(one.order))
    return Keyring.from_payload(newest.payload), newest


def all_keyrings(book: Book) -> Sequence[Intent]:
    """All keyrings that were ever planned, the oldest first."""
    return book.papers.intents(PayloadType.KEYRING)
