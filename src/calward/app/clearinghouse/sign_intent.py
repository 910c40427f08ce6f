"""How does a plan become a signed envelope, so that a crash at any moment loses nothing and signs nothing twice?"""

from calward.app.clearinghouse.ports import Intent, Signer, Store
from calward.domain.envelope import Envelope, Signature, pae

__all__ = ["sign_intent"]


def sign_intent(intent: Intent, *, store: Store, signer: Signer) -> bytes:
    """Store the intent, sign it, store the envelope; what was signed before comes back byte for byte.

    After a crash in between the intent is there without an envelope; asking again under the same order finishes it.
    """
    planned = store.plan(intent)
    if planned.envelope is not None:
        return planned.envelope
    signature = Signature(signer.keyid, signer.sign(pae(planned.payload_type, planned.payload)))
    envelope = Envelope(planned.payload_type, planned.payload, (signature,))
    return store.complete(planned.signed(envelope.encode()))
