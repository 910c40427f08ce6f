"""Where is each key pack, what may happen to it next, and what has to be signed when it does?

The register of a clearinghouse has one record for each pack. An act takes a record and gives the new ones with what is to be signed
and sent, or says why not; nothing is stored here and nothing signed.

INVARIANT: a pack has one holder; each act that lets another server, or the same server's new ledger, use it raises its generation, and
no generation of a pack is ever signed for two servers. Acts keep the sum of CALs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from types import MappingProxyType
from typing import Final, TypeAlias

from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.fields import render_moment
from calward.domain.pack_orders import PackChange, PackRef, TransferEnd, TransferOrder, TransferOutcome
from calward.domain.pack_requests import MoveReason, Release, SourceState
from calward.domain.statements import NO_END, Channel, KeyPackStatement

__all__ = [
    "RIGHT_DAYS",
    "SAFETY",
    "TRANSITIONS",
    "Act",
    "PackRecord",
    "Post",
    "RegisterState",
    "Step",
    "Transfer",
    "allowed",
    "cancel_move",
    "claim_pack",
    "complete_move",
    "hold_new",
    "latest_right",
    "move_pack",
    "press_move",
    "recover_pack",
    "takes_effect_at",
    "transfer_id_of",
]

SAFETY: Final = timedelta(days=1)
"""Between the end of a source's right to issue and the moment when its pack is another's: more than clocks may differ."""
RIGHT_DAYS: Final[Mapping[Channel, int]] = MappingProxyType({Channel.ONLINE: 30, Channel.FILE: 180})
"""Days of the right to issue: online it renews itself, so it may be short; a file is carried by a person (design, section 5)."""

_R = AcceptanceRefusal


class RegisterState(StrEnum):
    """How a pack stands in the register."""

    HELD = "held"
    MOVING = "moving"
    """Ordered from its holder to another server; still the holder's."""


class Act(StrEnum):
    """What can happen to a pack in the register."""

    MOVE = "move"
    PRESS = "press"
    """A move is asked for again because its source cannot be reached: from now on it takes effect by itself."""
    CANCEL = "cancel"
    RELEASE = "release"
    """The source let it go: it is the target's."""
    CLAIM = "claim"
    """The source's right to issue has run out: it is the target's."""
    CHANGE = "change"
    RECOVER = "recover"
    """Its holder's ledger begins anew or may be an old one: the pack is signed again, and a move of it is given up."""


TRANSITIONS: Final[Mapping[RegisterState, Mapping[Act, RegisterState]]] = MappingProxyType(
    {
        RegisterState.HELD: {
            Act.MOVE: RegisterState.MOVING,
            Act.CHANGE: RegisterState.HELD,
            Act.RECOVER: RegisterState.HELD,
        },
        RegisterState.MOVING: {
            Act.PRESS: RegisterState.MOVING,
            Act.CANCEL: RegisterState.HELD,
            Act.RELEASE: RegisterState.HELD,
            Act.CLAIM: RegisterState.HELD,
            Act.RECOVER: RegisterState.HELD,
        },
    }
)
"""Which act a pack in which state allows, and how it stands afterwards; everything else is refused."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A move of one pack. ``effective_at``: from when on it needs no release; None: it waits for one, however long."""

    transfer_id: str
    pack: PackRef
    source_id: str
    target_id: str
    target_name: str
    source: SourceState
    reason: MoveReason
    ordered_at: datetime
    effective_at: datetime | None = None
    outcome: TransferOutcome | None = None
    ended_at: datetime | None = None
    claimed: bool = False
    """Completed without a release: whether the source has heard of it is not known until it says so."""

    def due(self, now: datetime) -> bool:
        """Whether it takes effect without a release at ``now``."""
        return self.outcome is None and self.effective_at is not None and now >= self.effective_at


@dataclass(frozen=True, slots=True)
class PackRecord:
    """A pack in the register: ``statement`` as it was signed last, what it was bought with, and its move if it is moving."""

    statement: KeyPackStatement
    purchase_id: str
    transfer: Transfer | None = None

    @property
    def state(self) -> RegisterState:
        """How it stands."""
        return RegisterState.HELD if self.transfer is None else RegisterState.MOVING

    @property
    def ref(self) -> PackRef:
        """The pack in its present generation."""
        return PackRef(self.statement.pack_id, self.statement.generation)


Signable: TypeAlias = KeyPackStatement | TransferOrder | TransferEnd | PackChange


@dataclass(frozen=True, slots=True)
class Post:
    """Something to sign, for one server, which stays in its outbox until the server says that it has it.

    ``item`` names it there: an order's id, or ``pack_id/generation`` of a pack. ``handover``: the transfer whose list of licenses
    goes with it.
    """

    server_id: str
    item: str
    statement: Signable
    handover: str | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What an act makes: records as they are from now on, transfers that began, changed or ended, and what to send."""

    packs: tuple[PackRecord, ...]
    transfers: tuple[Transfer, ...] = ()
    posts: tuple[Post, ...] = ()


def transfer_id_of(nonce: str, pack_id: str) -> str:
    """The id of the transfer that a move request with this nonce orders for a pack; the asking server can name it too."""
    return sha256(bytes.fromhex(nonce) + bytes.fromhex(pack_id)).hexdigest()[:32]


def allowed(record: PackRecord, act: Act) -> NotAccepted | None:
    """Why the state of a pack does not allow an act; None where it does."""
    if act in TRANSITIONS[record.state]:
        return None
    return _not_moving(record) if record.transfer is None else _is_moving(record.transfer)


def hold_new(statement: KeyPackStatement, purchase_id: str) -> Step:
    """A pack that was claimed or sold: its first generation."""
    return Step((PackRecord(statement, purchase_id),), posts=(_pack_post(statement),))


def takes_effect_at(issue_until: datetime | None, now: datetime) -> datetime | None:
    """From when on a pack of a source with this right to issue may be used elsewhere without its release.

    ``issue_until`` None: it has none, and said so itself or never had one. None: never, because its right has no end.
    """
    if issue_until is None:
        return now
    return None if issue_until >= NO_END else issue_until + SAFETY


def latest_right(transfers: tuple[Transfer, ...]) -> datetime | None:
    """The latest end that a right to issue may have which is given to the source of these moves; None: any."""
    ends = [one.effective_at for one in transfers if one.outcome is None and one.effective_at is not None]
    return min(ends) - SAFETY if ends else None


def move_pack(record: PackRecord, transfer: Transfer) -> Step | NotAccepted:
    """Order a pack to another server: from now on it is moving, and its holder is told to release it."""
    refused = allowed(record, Act.MOVE)
    if refused is not None:
        return refused
    order = TransferOrder(
        order_id=transfer.transfer_id,
        server_id=transfer.source_id,
        pack=transfer.pack,
        target_id=transfer.target_id,
        target_name=transfer.target_name,
        reason=transfer.reason,
        ordered_at=transfer.ordered_at,
    )
    moving = replace(record, transfer=transfer)
    return Step((moving,), (transfer,), (Post(transfer.source_id, order.order_id, order),))


def press_move(
    record: PackRecord, target_id: str, source: SourceState, effective_at: datetime | None
) -> Step | NotAccepted:
    """Ask for a move again: because its source cannot be reached, it takes effect by itself on a day, which may only come nearer.

    Asked again and nothing new: a step without transfers.
    """
    transfer = record.transfer
    if transfer is None:
        return _not_moving(record)
    if transfer.target_id != target_id:
        return _is_moving(transfer)
    known = transfer.effective_at
    if effective_at is None or (known is not None and known <= effective_at):
        return Step((record,))
    pressed = replace(transfer, effective_at=effective_at, source=source)
    return Step((replace(record, transfer=pressed),), (pressed,))


def cancel_move(
    record: PackRecord, *, end_id: str, now: datetime, tell_target: str | None = None
) -> Step | NotAccepted:
    """Give up a move that has not taken effect. ``tell_target``: an id for a second word, where not the target itself gave it up."""
    transfer = record.transfer
    if transfer is None:
        return _not_moving(record)
    if transfer.due(now):
        detail = f"the move {transfer.transfer_id} has taken effect: move the pack back if it shall be where it was"
        return NotAccepted(_R.TRANSFER_ENDED, detail)
    posts = [_end_post(transfer, TransferOutcome.CANCELLED, now, transfer.source_id, end_id)]
    if tell_target is not None:
        posts.append(_end_post(transfer, TransferOutcome.CANCELLED, now, transfer.target_id, tell_target))
    ended = _ended(transfer, TransferOutcome.CANCELLED, now)
    return Step((replace(record, transfer=None),), (ended,), tuple(posts))


def complete_move(record: PackRecord, release: Release, *, end_id: str, now: datetime) -> Step | NotAccepted:
    """The source released the pack for its transfer: it is the target's, in its next generation, for good."""
    transfer = record.transfer
    if transfer is None or transfer.transfer_id != release.transfer_id:
        return NotAccepted(_R.TRANSFER_ENDED, f"the transfer {release.transfer_id} was completed or cancelled before")
    if (release.pack_id, release.generation, release.head.server_id) != (*_ref(transfer), transfer.source_id):
        detail = f"the release names another pack, generation or server than the order {transfer.transfer_id}"
        return NotAccepted(_R.PACK_NOT_HELD, detail)
    return _handed_on(record, transfer, end_id, now, handover=release.handover)


def claim_pack(record: PackRecord, *, end_id: str, now: datetime) -> Step | NotAccepted:
    """The day has come on which a move takes effect by itself: the pack is the target's; no licenses come with it."""
    transfer = record.transfer
    if transfer is None:
        return _not_moving(record)
    if not transfer.due(now):
        detail = f"the move {transfer.transfer_id} waits for its release: the day on which it needs none has not come"
        return NotAccepted(_R.PACK_MOVING, detail)
    return _handed_on(record, replace(transfer, claimed=True), end_id, now, handover=None)


def recover_pack(record: PackRecord, *, end_id: str, tell_target: str, now: datetime) -> Step:
    """Sign a pack anew for the server that holds it, whose ledger is new or old; a move of it is given up.

    What the holder may still say with its lost ledger names the old generation and counts no more.
    """
    again = replace(record.statement, generation=record.statement.generation + 1, issued_at=now, handover=None)
    recovered = replace(record, statement=again, transfer=None)
    transfer, outcome = record.transfer, TransferOutcome.CANCELLED
    if transfer is None:
        return Step((recovered,), posts=(_pack_post(again),))
    ends = (
        _end_post(transfer, outcome, now, transfer.source_id, end_id),
        _end_post(transfer, outcome, now, transfer.target_id, tell_target),
    )
    return Step((recovered,), (_ended(transfer, outcome, now),), (_pack_post(again), *ends))


def _handed_on(record: PackRecord, transfer: Transfer, end_id: str, now: datetime, handover: bytes | None) -> Step:
    moved = replace(
        record.statement,
        generation=record.statement.generation + 1,
        server_id=transfer.target_id,
        issued_at=now,
        handover=handover,
    )
    end = _end_post(transfer, TransferOutcome.COMPLETED, now, transfer.source_id, end_id)
    posts = (end, _pack_post(moved, None if handover is None else transfer.transfer_id))
    ended = _ended(transfer, TransferOutcome.COMPLETED, now)
    return Step((replace(record, statement=moved, transfer=None),), (ended,), posts)


def _pack_post(statement: KeyPackStatement, handover: str | None = None) -> Post:
    return Post(statement.server_id, f"{statement.pack_id}/{statement.generation}", statement, handover)


def _ended(transfer: Transfer, outcome: TransferOutcome, now: datetime) -> Transfer:
    return replace(transfer, outcome=outcome, ended_at=now)


def _end_post(transfer: Transfer, outcome: TransferOutcome, now: datetime, server_id: str, order_id: str) -> Post:
    """The word to a server that a transfer has ended."""
    return Post(
        server_id, order_id, TransferEnd(order_id, server_id, transfer.transfer_id, transfer.pack, outcome, now)
    )


def _ref(transfer: Transfer) -> tuple[str, int]:
    return transfer.pack.pack_id, transfer.pack.generation


def _not_moving(record: PackRecord) -> NotAccepted:
    detail = f"no move of key pack {record.statement.pack_id} is under way: it was completed or cancelled"
    return NotAccepted(_R.TRANSFER_ENDED, detail)


def _is_moving(transfer: Transfer) -> NotAccepted:
    detail = (
        f"key pack {transfer.pack.pack_id} is on its way to {transfer.target_name} since "
        f"{render_moment(transfer.ordered_at)}: wait until it is there, or let that server cancel the move"
    )
    return NotAccepted(_R.PACK_MOVING, detail)
