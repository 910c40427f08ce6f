"""Activate a license server, or renew its right to issue, at a clearinghouse that can be reached."""

from calward.app.licensing.acts import Done
from calward.app.licensing.signed_things import (
    Clearinghouse,
    Signatures,
    request_activation,
    take_activation,
    take_keyring,
)
from calward.app.ports import Entropy, Ledger
from calward.domain.acceptance import NotAccepted

__all__ = ["activate_online"]


def activate_online(
    ledger: Ledger, clearinghouse: Clearinghouse, signatures: Signatures, entropy: Entropy, *, by: str
) -> Done | NotAccepted:
    """Fetch the keyring, ask, take the answer; no transaction is open while the clearinghouse is asked.

    Raises: LicensingError: UNREACHABLE, or what the clearinghouse answered.
    """
    keyring = clearinghouse.keyring()
    refused = ledger.write(lambda book: take_keyring(keyring, book, signatures, now=book.now()))
    if refused:
        return refused
    request = ledger.write(lambda book: request_activation(book, signatures, entropy, now=book.now()))
    answer = clearinghouse.activate(request)
    return ledger.write(lambda book: take_activation(answer, book, signatures, now=book.now(), by=by))
