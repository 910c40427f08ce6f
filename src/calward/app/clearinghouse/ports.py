"""What does a clearinghouse need from outside, beside clock and entropy?"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from calward.domain.statements import PayloadType

__all__ = ["Intent", "RegisteredServer", "Signer", "Store"]


class Signer(Protocol):
    """One private key. Signing the same bytes twice gives the same signature."""

    @property
    def public_key(self) -> bytes:
        """The raw public key, 32 bytes."""

    @property
    def keyid(self) -> str:
        """The name of the key, as envelopes carry it."""

    def sign(self, message: bytes) -> bytes:
        """Sign; 64 bytes. Raises LicensingError(UNAVAILABLE) where that cannot be done now."""


@dataclass(frozen=True, slots=True)
class RegisteredServer:
    """A license server that asked once, and the key that its id belongs to since."""

    server_id: str
    name: str
    public_key: bytes
    registered_at: datetime


@dataclass(frozen=True, slots=True)
class Intent:
    """Something to sign: stored before it is signed, so that nothing signed is ever unknown.

    ``order`` names it among those of its type; ``asked`` is the digest of what was asked for under that name. ``envelope`` is None until
    it was signed.
    """

    payload_type: PayloadType
    order: str
    asked: str
    payload: bytes
    planned_at: datetime
    envelope: bytes | None = None

    def signed(self, envelope: bytes) -> "Intent":
        """The same, signed."""
        return replace(self, envelope=envelope)


class Store(Protocol):
    """The clearinghouse's memory. Every method is a transaction of its own, durable when it returns; nothing is ever removed.

    Raises: LicensingError(UNAVAILABLE): it is not known whether the change is stored; repeating the call is safe.
    """

    def register(self, server: RegisteredServer) -> None:
        """Remember a license server, or its new name; CONFLICT where its id belongs to another key."""

    def server(self, server_id: str) -> RegisteredServer | None:
        """A license server by its id."""

    def servers(self) -> Sequence[RegisteredServer]:
        """All license servers, the oldest first."""

    def plan(self, intent: Intent) -> Intent:
        """Store an intent; where its type and order are known already, what is stored. CONFLICT where another thing was asked for."""

    def complete(self, intent: Intent) -> bytes:
        """Store the envelope of a planned intent and return what is stored: the first one stays."""

    def intents(self, payload_type: PayloadType) -> Sequence[Intent]:
        """All intents of a type, the oldest first."""

    def add_operator(self, name: str, token_hash: bytes, at: datetime) -> None:
        """Remember whose token has this SHA-256; CONFLICT where there is an operator of that name."""

    def operator(self, token_hash: bytes) -> str | None:
        """Whose token it is."""
