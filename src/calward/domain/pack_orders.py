"""What may a clearinghouse tell a license server about key packs, and what is the one way to write it down?

A key pack itself is ``calward.domain.statements.KeyPackStatement``. What stands here changes packs that are out already. Each is
signed with the pack key and names the one license server that it is for. An ``order_id`` is 32 hexadecimal digits; the server
reports it as done in its next contact, and an order is carried out once however often it comes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from calward.domain.cals import CalType
from calward.domain.canonical import decode_object, encode
from calward.domain.fields import Fields, render_moment
from calward.domain.pack_requests import MAX_GENERATION, MAX_PACKS, ChangeKind, MoveReason
from calward.domain.statements import ID_SIZE, MAX_PAYLOAD_SIZE, MAX_TOTAL, KeyPackStatement, Program

__all__ = ["InstallOffer", "PackChange", "PackRef", "Register", "TransferEnd", "TransferOrder", "TransferOutcome"]

_MAX_NEW = 2


class TransferOutcome(StrEnum):
    """How a transfer ended."""

    COMPLETED = "completed"
    """The pack is the target's: the source removes it."""
    CANCELLED = "cancelled"
    """The pack stays: the source may use it again."""


@dataclass(frozen=True, slots=True)
class PackRef:
    """A pack in one of its generations."""

    pack_id: str
    generation: int

    def fields(self) -> dict[str, object]:
        """As payloads write it."""
        return {"generation": self.generation, "pack_id": self.pack_id}

    @classmethod
    def take(cls, fields: Fields) -> "PackRef":
        """Take it out of a payload's fields."""
        return cls(fields.hex("pack_id", size=ID_SIZE).hex(), fields.integer("generation", low=1, high=MAX_GENERATION))


@dataclass(frozen=True, slots=True)
class InstallOffer:
    """What an install request would bring, and what would be left of the purchase. A preview: it binds nobody."""

    server_id: str
    nonce: str
    organization: str
    ladder: str
    version: str
    cal_type: CalType
    quantity: int
    left: int
    program: Program
    expires_at: datetime

    def to_payload(self) -> bytes:
        """Render canonically."""
        return encode(
            {
                "cal_type": self.cal_type,
                "expires_at": render_moment(self.expires_at),
                "ladder": self.ladder,
                "left": self.left,
                "nonce": self.nonce,
                "organization": self.organization,
                "program": self.program,
                "quantity": self.quantity,
                "server_id": self.server_id,
                "version": self.version,
            }
        )

    @classmethod
    def from_payload(cls, payload: bytes) -> "InstallOffer":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the offer")
        found = cls(
            server_id=fields.hex("server_id", size=ID_SIZE).hex(),
            nonce=fields.hex("nonce", size=ID_SIZE).hex(),
            organization=fields.name("organization"),
            ladder=fields.name("ladder"),
            version=fields.name("version"),
            cal_type=fields.choice("cal_type", CalType),
            quantity=fields.integer("quantity", low=1, high=MAX_TOTAL),
            left=fields.integer("left", low=0, high=1_000 * MAX_TOTAL),
            program=fields.choice("program", Program),
            expires_at=fields.moment("expires_at"),
        )
        fields.end()
        return found


@dataclass(frozen=True, slots=True)
class TransferOrder:
    """To the source: freeze this pack and release it for ``target_id``. The order's id is the transfer's."""

    order_id: str
    server_id: str
    pack: PackRef
    target_id: str
    target_name: str
    reason: MoveReason
    ordered_at: datetime

    def to_payload(self) -> bytes:
        """Render canonically."""
        body = {"order_id": self.order_id, "ordered_at": render_moment(self.ordered_at), "reason": self.reason}
        names = {"server_id": self.server_id, "target_id": self.target_id, "target_name": self.target_name}
        return encode(self.pack.fields() | body | names)

    @classmethod
    def from_payload(cls, payload: bytes) -> "TransferOrder":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the transfer order")
        found = cls(
            order_id=fields.hex("order_id", size=ID_SIZE).hex(),
            server_id=fields.hex("server_id", size=ID_SIZE).hex(),
            pack=PackRef.take(fields),
            target_id=fields.hex("target_id", size=ID_SIZE).hex(),
            target_name=fields.name("target_name"),
            reason=fields.choice("reason", MoveReason),
            ordered_at=fields.moment("ordered_at"),
        )
        fields.end()
        return found


@dataclass(frozen=True, slots=True)
class TransferEnd:
    """To the source: the transfer has ended so; only now is the pack removed, or unfrozen."""

    order_id: str
    server_id: str
    transfer_id: str
    pack: PackRef
    outcome: TransferOutcome
    ended_at: datetime

    def to_payload(self) -> bytes:
        """Render canonically."""
        body = {"ended_at": render_moment(self.ended_at), "order_id": self.order_id, "outcome": self.outcome}
        return encode(self.pack.fields() | body | {"server_id": self.server_id, "transfer_id": self.transfer_id})

    @classmethod
    def from_payload(cls, payload: bytes) -> "TransferEnd":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the end of the transfer")
        found = cls(
            order_id=fields.hex("order_id", size=ID_SIZE).hex(),
            server_id=fields.hex("server_id", size=ID_SIZE).hex(),
            transfer_id=fields.hex("transfer_id", size=ID_SIZE).hex(),
            pack=PackRef.take(fields),
            outcome=fields.choice("outcome", TransferOutcome),
            ended_at=fields.moment("ended_at"),
        )
        fields.end()
        return found


@dataclass(frozen=True, slots=True)
class PackChange:
    """This pack ends in the generation named, and these take its place: it itself in its next generation and, where only a
    part was changed, a second pack with that part. Their totals add up to the old one's.
    """

    order_id: str
    server_id: str
    kind: ChangeKind
    pack: PackRef
    packs: tuple[KeyPackStatement, ...]
    issued_at: datetime

    def to_payload(self) -> bytes:
        """Render canonically."""
        body: dict[str, object] = {
            "issued_at": render_moment(self.issued_at),
            "kind": self.kind,
            "order_id": self.order_id,
        }
        return encode(
            self.pack.fields() | body | {"packs": [one.fields() for one in self.packs], "server_id": self.server_id}
        )

    @classmethod
    def from_payload(cls, payload: bytes) -> "PackChange":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the pack change", depth=3)
        found = cls(
            order_id=fields.hex("order_id", size=ID_SIZE).hex(),
            server_id=fields.hex("server_id", size=ID_SIZE).hex(),
            kind=fields.choice("kind", ChangeKind),
            pack=PackRef.take(fields),
            packs=tuple(KeyPackStatement.take(one) for one in fields.objects("packs", most=_MAX_NEW)),
            issued_at=fields.moment("issued_at"),
        )
        fields.end()
        return found


@dataclass(frozen=True, slots=True)
class Register:
    """To a server that rebuilds or was restored: these packs in these generations are yours, and no others."""

    order_id: str
    server_id: str
    nonce: str
    packs: tuple[PackRef, ...]
    issued_at: datetime

    def to_payload(self) -> bytes:
        """Render canonically."""
        body: dict[str, object] = {
            "issued_at": render_moment(self.issued_at),
            "nonce": self.nonce,
            "order_id": self.order_id,
        }
        return encode(body | {"packs": [one.fields() for one in self.packs], "server_id": self.server_id})

    @classmethod
    def from_payload(cls, payload: bytes) -> "Register":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the register", depth=3)
        found = cls(
            order_id=fields.hex("order_id", size=ID_SIZE).hex(),
            server_id=fields.hex("server_id", size=ID_SIZE).hex(),
            nonce=fields.hex("nonce", size=ID_SIZE).hex(),
            packs=tuple(_whole_ref(one) for one in fields.objects("packs", most=MAX_PACKS, least=0)),
            issued_at=fields.moment("issued_at"),
        )
        fields.end()
        return found


def _whole_ref(fields: Fields) -> PackRef:
    found = PackRef.take(fields)
    fields.end()
    return found


def _open(payload: bytes, what: str, *, depth: int = 1) -> Fields:
    return Fields(decode_object(payload, what, max_size=MAX_PAYLOAD_SIZE, max_depth=depth), what)
