"""Say how large the clearinghouse's ledger is and what its root is, signed, so that others can hold it to it later."""

from calward.app.clearinghouse.keyrings import keyring_in
from calward.app.clearinghouse.means import Means
from calward.domain.errors import LicensingError, Problem
from calward.domain.merkle import Frontier
from calward.domain.notes import Checkpoint, checkpoint_text, parse_checkpoint, parse_note, sign_note, verify_note
from calward.domain.trust import Role

__all__ = ["ORIGIN", "read_own_checkpoint", "sign_checkpoint"]

ORIGIN = "calward/clearinghouse"
"""The log's name in its checkpoints. What the key signs otherwise begins with ``DSSEv1``: neither is taken for the other."""


def sign_checkpoint(means: Means) -> str:
    """A signed note of the ledger as it stands."""
    size, stored = means.store.read(lambda book: book.log.tree())
    text = checkpoint_text(ORIGIN, size, Frontier.from_bytes(stored).root(), means.now())
    signer = means.activation_signer
    return sign_note(text, ORIGIN, signer.public_key, signer.sign).encode()


def read_own_checkpoint(note: str, means: Means) -> Checkpoint:
    """A checkpoint that was kept elsewhere; raises LicensingError(MALFORMED): unreadable, or not signed by this clearinghouse."""
    found = parse_note(note)
    keys = means.store.read(keyring_in)[0].keys_of(Role.ACTIVATION) | {means.activation_signer.public_key}
    if not any(verify_note(found, ORIGIN, key, means.verify) for key in keys):
        raise LicensingError(Problem.MALFORMED, "the checkpoint is not signed by this clearinghouse")
    return parse_checkpoint(found.text)
