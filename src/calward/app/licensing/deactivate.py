"""Give up the right to issue, and tell the clearinghouse so."""

from calward.app.licensing.change_server import deactivate_server
from calward.app.licensing.signed_things import CONTACT_NONCE, DEACTIVATION, NONCE, Signatures, moment_of
from calward.app.ports import Book, Entropy
from calward.domain.statements import Deactivation, PayloadType

__all__ = ["request_deactivation"]


def request_deactivation(book: Book, signatures: Signatures, entropy: Entropy, *, now: int, by: str) -> bytes:
    """Deactivate this server and give the signed word for it; repeated it is the same bytes, until it is activated again.

    It is written down before it is said, and no answer to an earlier request brings the right back: whoever hears the word may count
    on it.
    """
    kept = book.document(DEACTIVATION)
    if kept is not None and book.server().issue_until is None:
        return kept
    if book.server().issue_until is not None:
        deactivate_server(book, now=now, by=by)
    for name in (NONCE, CONTACT_NONCE):
        book.keep_document(name, entropy.token(16).hex().encode())
    word = Deactivation(book.server().id, entropy.token(16).hex(), moment_of(now))
    envelope = signatures.seal(PayloadType.DEACTIVATION, word.to_payload())
    book.keep_document(DEACTIVATION, envelope)
    return envelope
