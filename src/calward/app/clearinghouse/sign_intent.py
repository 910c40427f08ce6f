"""How does a plan become a signed envelope, so that a crash at any moment loses nothing and signs nothing twice?"""

from calward.app.clearinghouse.means import Means
from calward.app.clearinghouse.ports import Book, Signer, Store
from calward.app.clearinghouse.records import Intent, Part
from calward.domain.envelope import Envelope, Signature, pae
from calward.domain.errors import LicensingError, Problem
from calward.domain.statements import PayloadType
from calward.domain.trust import ROLE_OF, Role

__all__ = ["finish", "sign_intent", "sign_part"]


def sign_intent(intent: Intent, *, store: Store, signer: Signer) -> bytes:
    """Store the intent, sign it, store the envelope; what was signed before comes back byte for byte.

    After a crash in between the intent is there without an envelope; asking again under the same order finishes it.
    """
    return finish(store.write(lambda book: book.papers.plan(intent)), store=store, signer=signer)


def sign_part(part: Part, means: Means) -> bytes | None:
    """The envelope of one part of an answer, signed now if it was not before.

    None for a list of licenses that was delivered meanwhile and is forgotten.
    """
    if part.payload_type is PayloadType.HANDOVER:
        return means.store.read(lambda book: book.outbox.handover(part.order))
    planned = means.store.read(lambda book: _planned(part, book))
    signer = means.activation_signer if ROLE_OF[part.payload_type] is Role.ACTIVATION else means.pack_signer
    return finish(planned, store=means.store, signer=signer)


def finish(planned: Intent, *, store: Store, signer: Signer) -> bytes:
    """Sign an intent that is stored, outside of its transaction, and store the envelope."""
    if planned.envelope is not None:
        return planned.envelope
    signature = Signature(signer.keyid, signer.sign(pae(planned.payload_type, planned.payload)))
    signed = planned.signed(Envelope(planned.payload_type, planned.payload, (signature,)).encode())
    return store.write(lambda book: book.papers.complete(signed))


def _planned(part: Part, book: Book) -> Intent:
    found = book.papers.intent(part)
    if found is None:
        raise LicensingError(Problem.CORRUPT, f"the plan of {part.order} is gone from the clearinghouse's store")
    return found
