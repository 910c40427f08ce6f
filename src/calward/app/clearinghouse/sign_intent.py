"""How does a plan become a signed envelope, so that a crash at any moment loses nothing and signs nothing twice?"""

from calward.app.clearinghouse.keyrings import keyring_in
from calward.app.clearinghouse.means import Means
from calward.app.clearinghouse.ports import Book, Signer, Store
from calward.app.clearinghouse.records import Intent, Part
from calward.domain.envelope import Envelope, Signature, decode_envelope, keyid_of, pae
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

    What a key signed that the newest keyring names no more is signed again: nobody would believe it. None for a list of licenses
    that was delivered meanwhile and is forgotten.
    """
    if part.payload_type is PayloadType.HANDOVER:
        return means.store.read(lambda book: book.outbox.handover(part.order))
    planned, good = means.store.read(lambda book: (_planned(part, book), _keyids(part, book)))
    signer = means.activation_signer if ROLE_OF[part.payload_type] is Role.ACTIVATION else means.pack_signer
    if planned.envelope is None or part.payload_type is PayloadType.KEYRING or good & _signed_by(planned.envelope):
        return finish(planned, store=means.store, signer=signer)
    return _sealed(planned, signer)


def finish(planned: Intent, *, store: Store, signer: Signer) -> bytes:
    """Sign an intent that is stored, outside of its transaction, and store the envelope."""
    if planned.envelope is not None:
        return planned.envelope
    signed = planned.signed(_sealed(planned, signer))
    return store.write(lambda book: book.papers.complete(signed))


def _planned(part: Part, book: Book) -> Intent:
    found = book.papers.intent(part)
    if found is None:
        raise LicensingError(Problem.CORRUPT, f"the plan of {part.order} is gone from the clearinghouse's store")
    return found


def _sealed(planned: Intent, signer: Signer) -> bytes:
    signature = Signature(signer.keyid, signer.sign(pae(planned.payload_type, planned.payload)))
    return Envelope(planned.payload_type, planned.payload, (signature,)).encode()


def _keyids(part: Part, book: Book) -> frozenset[str]:
    """The names of the keys that may sign such a thing by the newest keyring."""
    keys = keyring_in(book)[0].keys_of(ROLE_OF[part.payload_type])
    return frozenset(map(keyid_of, keys))


def _signed_by(envelope: bytes) -> frozenset[str]:
    return frozenset(one.keyid for one in decode_envelope(envelope).signatures)
