"""Activate a license server, or renew its right to issue, at a clearinghouse that can be reached."""

from calward.app.licensing.acts import Done
from calward.app.licensing.signed_things import (
    Clearinghouse,
    Signatures,
    request_activation,
    take_activation,
    take_keyring,
)
from calward.app.ports import Book, Entropy, Ledger
from calward.domain.acceptance import NotAccepted

__all__ = ["activate_online", "asked_online", "keep_address"]

ASKED = "clearinghouse-address"


def activate_online(
    ledger: Ledger,
    clearinghouse: Clearinghouse,
    signatures: Signatures,
    entropy: Entropy,
    *,
    by: str,
    address: str | None = None,
) -> Done | NotAccepted:
    """Fetch the keyring, ask, take the answer; no transaction is open while the clearinghouse is asked.

    ``address``: kept with the answer, so that the right is renewed there; None where the settings name it.
    Raises: LicensingError: UNREACHABLE, or what the clearinghouse answered.
    """
    keyring = clearinghouse.keyring()
    refused = ledger.write(lambda book: take_keyring(keyring, book, signatures, now=book.now()))
    if refused:
        return refused
    request = ledger.write(lambda book: request_activation(book, signatures, entropy, now=book.now()))
    answer = clearinghouse.activate(request)

    def take(book: Book) -> Done | NotAccepted:
        found = take_activation(answer, book, signatures, now=book.now(), by=by)
        if address is not None and isinstance(found, Done):
            keep_address(address, book)
        return found

    return ledger.write(take)


def keep_address(address: str, book: Book) -> None:
    """Renew the right to issue there from now on."""
    book.keep_document(ASKED, address.encode())


def asked_online(book: Book) -> str | None:
    """The address at which an administrator last activated this server online, if ever."""
    kept = book.document(ASKED)
    return kept.decode() if kept else None
