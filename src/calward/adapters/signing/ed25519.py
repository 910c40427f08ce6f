"""How are bytes signed, and is a signature good?"""

from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from nacl.bindings import crypto_sign, crypto_sign_BYTES, crypto_sign_seed_keypair

from calward.domain.envelope import Envelope, Signature, keyid_of, pae
from calward.domain.errors import LicensingError, Problem

__all__ = ["Ed25519Signer", "seal", "verify"]


class Signs(Protocol):
    """Whoever can sign and says which key that is."""

    @property
    def keyid(self) -> str: ...

    def sign(self, message: bytes) -> bytes: ...


class Ed25519Signer:
    """Signs with one private key. The same bytes always get the same signature: Ed25519 draws no random numbers.

    Args: seed: the 32 secret bytes that the key is made of; from ``secrets.token_bytes(32)``, never seen again outside.
    checks: verify each signature before it is handed out. Off only for the license server's license key, which signs at every
    request: checking costs three times as much as signing, and that key is this server's own and can be exchanged.
    """

    def __init__(self, seed: bytes, *, checks: bool = True) -> None:
        self._checks = checks
        self.public_key, self._private = crypto_sign_seed_keypair(seed)
        self.keyid = keyid_of(self.public_key)

    def __repr__(self) -> str:
        return f"Ed25519Signer(keyid={self.keyid!r})"

    def sign(self, message: bytes) -> bytes:
        """Sign; 64 bytes, verified before they are handed out unless this signer does not check.

        Raises: LicensingError(UNAVAILABLE): the signature came out wrong. A bit that flipped while signing can give the
        private key away, so such a signature never leaves this function.
        """
        signature = crypto_sign(message, self._private)[:crypto_sign_BYTES]
        if self._checks and not verify(self.public_key, message, signature):
            raise LicensingError(
                Problem.UNAVAILABLE, f"key {self.keyid} made a wrong signature: check this machine's memory"
            )
        return signature


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether ``signature`` is that of ``message`` by the raw public key; False too for what is no key at all.

    By another library than the one that signs: two that agree are a check of both.
    """
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def seal(payload_type: str, payload: bytes, signer: Signs) -> bytes:
    """Sign a payload as one of its type and render the envelope."""
    signature = Signature(signer.keyid, signer.sign(pae(payload_type, payload)))
    return Envelope(payload_type, payload, (signature,)).encode()
