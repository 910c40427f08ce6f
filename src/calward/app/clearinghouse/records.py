"""What does a clearinghouse remember of those who deal with it, and of what it signed and answered?"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from calward.domain.envelope import keyid_of
from calward.domain.statements import ActivationReason, PayloadType

__all__ = ["Answered", "Intent", "KeyChange", "Organization", "Part", "RegisteredServer", "Waiting"]


@dataclass(frozen=True, slots=True)
class Organization:
    """Who buys CALs. ``contact`` is for people; it may be empty."""

    organization_id: str
    name: str
    contact: str
    added_at: datetime


@dataclass(frozen=True, slots=True)
class RegisteredServer:
    """A license server that asked once, and the key that its id belongs to.

    ``issue_until`` is the latest end of all rights to issue that were given to it, None where it has none; ``version`` is empty
    where it never said it. ``right_asked_at`` is when it asked for the newest of them, by its own clock, but never later than ours;
    ``heard_at`` the same of the newest contact that was heard, ``heard_nonce`` names that one or the recover request after it.
    ``checkpoint_size`` and ``checkpoint_root`` are of the largest ledger that it showed. ``rolled_back``: it
    showed an older or another one since, and gets nothing until it recovers.
    """

    server_id: str
    name: str
    public_key: bytes
    registered_at: datetime
    organization: str | None = None
    version: str = ""
    issue_until: datetime | None = None
    right_asked_at: datetime | None = None
    last_contact: datetime | None = None
    heard_at: datetime | None = None
    heard_nonce: str = ""
    checkpoint_size: int = 0
    checkpoint_root: bytes = b""
    rolled_back: bool = False

    @property
    def keyid(self) -> str:
        """The name of its key, as envelopes carry it."""
        return keyid_of(self.public_key)


@dataclass(frozen=True, slots=True)
class KeyChange:
    """A known license server came with a new key: it counts once an operator has compared its fingerprint."""

    server_id: str
    public_key: bytes
    reason: ActivationReason
    asked_at: datetime
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None


class Part(NamedTuple):
    """One envelope of an answer: an intent by type and order, or the list of licenses of a transfer (its id is the order)."""

    payload_type: PayloadType
    order: str


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

    @property
    def part(self) -> Part:
        """Its place in an answer."""
        return Part(self.payload_type, self.order)

    def signed(self, envelope: bytes) -> "Intent":
        """The same, signed."""
        return replace(self, envelope=envelope)


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something in a server's outbox. ``item`` is what the server names it by when it has it; ``handover``: a transfer's id."""

    item: str
    part: Part
    posted_at: datetime
    handover: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was answered: ``digest`` is the SHA-256 of its envelope, in hexadecimal digits."""

    digest: str
    server_id: str
    nonce: str
    payload_type: PayloadType
    answered_at: datetime
    parts: tuple[Part, ...]
