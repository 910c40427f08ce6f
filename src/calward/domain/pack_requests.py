"""What may a license server ask of its clearinghouse about key packs, and what is the one way to write it down?

Each request is signed with the server's own key. All begin with the same head: who asks, as which version it runs, a nonce
that is new in each request, and when it was made; the same request always gets the same answer.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from calward.domain.canonical import decode_object, encode
from calward.domain.fields import Fields, render_moment
from calward.domain.statements import DIGEST_SIZE, ID_SIZE, MAX_PAYLOAD_SIZE, MAX_TOTAL, Program

__all__ = [
    "MAX_PACKS",
    "MAX_WORDS",
    "CancelRequest",
    "ChangeKind",
    "ChangeRequest",
    "Contact",
    "HeldPack",
    "InstallRequest",
    "MoveReason",
    "MoveRequest",
    "PackState",
    "RecoverReason",
    "RecoverRequest",
    "Release",
    "RequestHead",
    "SourceState",
]

MAX_PACKS: Final = 50
"""Packs that one request or one answer names at most: what fits an envelope."""
MAX_WORDS: Final = 200
"""Earlier contacts that a contact names at most: more than a week of them, hourly, of which none was answered."""
MAX_GENERATION: Final = 1_000_000
_MAX_NUMBERS = 4
_MAX_CHECKPOINT = 1_000


class SourceState(StrEnum):
    """How the license server stands from which a pack is to be moved."""

    CONNECTED = "connected"
    """It will release the pack itself, online or by file."""
    UNREACHABLE = "unreachable"
    """It runs and cannot be asked: the move waits until its right to issue has ended, or for its release."""
    DEAD = "dead"
    """It will never answer again; for the clearinghouse the same as unreachable, since nobody can know."""


class MoveReason(StrEnum):
    """Why packs are moved (rd-licensing 6.3)."""

    REPLACED = "replaced"
    NO_LONGER_WORKING = "no-longer-working"


class ChangeKind(StrEnum):
    """How a pack may become another one on the same server."""

    DOWNGRADE = "downgrade"
    UPGRADE = "upgrade"
    CONVERT = "convert"


class RecoverReason(StrEnum):
    """Why a license server asks what it holds."""

    REBUILD = "rebuild"
    """Its ledger is gone and begins anew."""
    RESTORED = "restored"
    """Its ledger was restored from a backup and may be older than what others have seen of it."""


class PackState(StrEnum):
    """How a pack stands on a license server."""

    USABLE = "usable"
    FROZEN = "frozen"
    """Ordered to another server: it issues and renews nothing; its licenses run on until the move has ended."""


@dataclass(frozen=True, slots=True)
class RequestHead:
    """What all requests begin with. Ids and nonces are 32 hexadecimal digits."""

    server_id: str
    server_version: str
    nonce: str
    requested_at: datetime

    def fields(self) -> dict[str, object]:
        """As the payload writes it."""
        return {
            "nonce": self.nonce,
            "requested_at": render_moment(self.requested_at),
            "server_id": self.server_id,
            "server_version": self.server_version,
        }

    @classmethod
    def take(cls, fields: Fields) -> "RequestHead":
        """Take it out of a payload's fields."""
        return cls(
            server_id=fields.hex("server_id", size=ID_SIZE).hex(),
            server_version=fields.name("server_version"),
            nonce=fields.hex("nonce", size=ID_SIZE).hex(),
            requested_at=fields.moment("requested_at"),
        )


@dataclass(frozen=True, slots=True)
class InstallRequest:
    """Claim what was bought. ``numbers`` are those that the program's papers bear; ``quantity`` None is all that is left.

    ``preview``: only say what would be installed; nothing is claimed.
    """

    head: RequestHead
    program: Program
    numbers: tuple[str, ...]
    quantity: int | None = None
    preview: bool = False

    def to_payload(self) -> bytes:
        """Render canonically."""
        body = {
            "numbers": list(self.numbers),
            "preview": self.preview,
            "program": self.program,
            "quantity": self.quantity,
        }
        return encode(self.head.fields() | body)

    @classmethod
    def from_payload(cls, payload: bytes) -> "InstallRequest":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the install request", depth=2)
        found = cls(
            head=RequestHead.take(fields),
            program=fields.choice("program", Program),
            numbers=fields.names("numbers", most=_MAX_NUMBERS),
            quantity=fields.integer_or_none("quantity", low=1, high=MAX_TOTAL),
            preview=fields.boolean("preview"),
        )
        fields.end()
        return found


@dataclass(frozen=True, slots=True)
class MoveRequest:
    """Move packs from ``source_id`` to the server that asks. No ``packs``: all that the source holds.

    ``proof``: a number of the purchase, needed where the two servers are not known to be of one organization.
    """

    head: RequestHead
    source_id: str
    source: SourceState
    reason: MoveReason
    packs: tuple[str, ...] = ()
    proof: str | None = None

    def to_payload(self) -> bytes:
        """Render canonically."""
        body: dict[str, object] = {"packs": list(self.packs), "proof": self.proof, "reason": self.reason}
        return encode(self.head.fields() | body | {"source": self.source, "source_id": self.source_id})

    @classmethod
    def from_payload(cls, payload: bytes) -> "MoveRequest":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the move request", depth=2)
        found = cls(
            head=RequestHead.take(fields),
            source_id=fields.hex("source_id", size=ID_SIZE).hex(),
            source=fields.choice("source", SourceState),
            reason=fields.choice("reason", MoveReason),
            packs=fields.hexes("packs", size=ID_SIZE, most=MAX_PACKS),
            proof=fields.name_or_none("proof"),
        )
        fields.end()
        return found


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """Downgrade or upgrade a pack that the server holds to the version ``to``, or convert it to the CAL type ``to``.

    ``count`` None is the whole pack; fewer CALs become a pack of their own. ``generation``: of the pack as the server has it.
    """

    head: RequestHead
    pack_id: str
    generation: int
    kind: ChangeKind
    to: str
    count: int | None = None

    def to_payload(self) -> bytes:
        """Render canonically."""
        body = {"count": self.count, "generation": self.generation, "kind": self.kind, "pack_id": self.pack_id}
        return encode(self.head.fields() | body | {"to": self.to})

    @classmethod
    def from_payload(cls, payload: bytes) -> "ChangeRequest":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the change request")
        found = cls(
            head=RequestHead.take(fields),
            pack_id=fields.hex("pack_id", size=ID_SIZE).hex(),
            generation=fields.integer("generation", low=1, high=MAX_GENERATION),
            kind=fields.choice("kind", ChangeKind),
            to=fields.name("to"),
            count=fields.integer_or_none("count", low=1, high=MAX_TOTAL),
        )
        fields.end()
        return found


@dataclass(frozen=True, slots=True)
class CancelRequest:
    """Give up a move that the asking server ordered and that has not taken effect."""

    head: RequestHead
    transfer_id: str

    def to_payload(self) -> bytes:
        """Render canonically."""
        return encode(self.head.fields() | {"transfer_id": self.transfer_id})

    @classmethod
    def from_payload(cls, payload: bytes) -> "CancelRequest":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the cancel request")
        found = cls(RequestHead.take(fields), fields.hex("transfer_id", size=ID_SIZE).hex())
        fields.end()
        return found


@dataclass(frozen=True, slots=True)
class RecoverRequest:
    """Ask what this server holds by the clearinghouse's register, because its own ledger is new or may be old."""

    head: RequestHead
    reason: RecoverReason

    def to_payload(self) -> bytes:
        """Render canonically."""
        return encode(self.head.fields() | {"reason": self.reason})

    @classmethod
    def from_payload(cls, payload: bytes) -> "RecoverRequest":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the recover request")
        found = cls(RequestHead.take(fields), fields.choice("reason", RecoverReason))
        fields.end()
        return found


@dataclass(frozen=True, slots=True)
class HeldPack:
    """A pack as a license server has it."""

    pack_id: str
    generation: int
    state: PackState


@dataclass(frozen=True, slots=True)
class Contact:
    """The regular word of a license server: what it holds, its newest checkpoint (a signed note; "" where it has none), and
    which orders it has carried out. The answer holds orders that wait for it and, where it is due, a new right to issue.

    ``after``: the nonces of the contacts and recover requests that this ledger made before, oldest first, from the last one on of
    which it knows that it was answered. Whoever heard another one since has heard another ledger: an older one, or a copy.
    """

    head: RequestHead
    checkpoint: str
    packs: tuple[HeldPack, ...]
    done: tuple[str, ...] = ()
    after: tuple[str, ...] = ()

    def to_payload(self) -> bytes:
        """Render canonically."""
        packs = [{"generation": one.generation, "pack_id": one.pack_id, "state": one.state} for one in self.packs]
        body = {"after": list(self.after), "checkpoint": self.checkpoint, "done": list(self.done), "packs": packs}
        return encode(self.head.fields() | body)

    @classmethod
    def from_payload(cls, payload: bytes) -> "Contact":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the contact", depth=3)
        found = cls(
            head=RequestHead.take(fields),
            checkpoint=fields.text_or_empty("checkpoint", max_length=_MAX_CHECKPOINT),
            packs=tuple(_held(one) for one in fields.objects("packs", most=MAX_PACKS, least=0)),
            done=fields.hexes("done", size=ID_SIZE, most=MAX_PACKS),
            after=fields.hexes("after", size=ID_SIZE, most=MAX_WORDS),
        )
        fields.end()
        return found


@dataclass(frozen=True, slots=True)
class Release:
    """The source says: this pack is frozen here for this transfer, and these many running licenses go with it.

    ``handover`` is the SHA-256 of the envelope that lists them (``calward.domain.handover``). From here on the source issues
    and renews nothing from the pack unless the clearinghouse says that the transfer was cancelled.
    """

    head: RequestHead
    transfer_id: str
    pack_id: str
    generation: int
    handover: bytes
    licenses: int

    def to_payload(self) -> bytes:
        """Render canonically."""
        body: dict[str, object] = {
            "generation": self.generation,
            "handover": self.handover.hex(),
            "licenses": self.licenses,
        }
        return encode(self.head.fields() | body | {"pack_id": self.pack_id, "transfer_id": self.transfer_id})

    @classmethod
    def from_payload(cls, payload: bytes) -> "Release":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the release")
        found = cls(
            head=RequestHead.take(fields),
            transfer_id=fields.hex("transfer_id", size=ID_SIZE).hex(),
            pack_id=fields.hex("pack_id", size=ID_SIZE).hex(),
            generation=fields.integer("generation", low=1, high=MAX_GENERATION),
            handover=fields.hex("handover", size=DIGEST_SIZE),
            licenses=fields.integer("licenses", low=0, high=MAX_TOTAL),
        )
        fields.end()
        return found


def _held(fields: Fields) -> HeldPack:
    found = HeldPack(
        pack_id=fields.hex("pack_id", size=ID_SIZE).hex(),
        generation=fields.integer("generation", low=1, high=MAX_GENERATION),
        state=fields.choice("state", PackState),
    )
    fields.end()
    return found


def _open(payload: bytes, what: str, *, depth: int = 1) -> Fields:
    return Fields(decode_object(payload, what, max_size=MAX_PAYLOAD_SIZE, max_depth=depth), what)
