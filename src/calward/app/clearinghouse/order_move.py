"""Order packs from one license server to the one that asks, all that it names or none."""

from collections.abc import Sequence
from dataclasses import replace

from calward.app.clearinghouse.end_transfer import end_due_transfers
from calward.app.clearinghouse.means import Asked, Said, put_server, record_all
from calward.app.clearinghouse.records import RegisteredServer
from calward.app.clearinghouse.room import why_no_room
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.pack_requests import MoveRequest, SourceState
from calward.domain.purchases import Purchase, read_proof
from calward.domain.register import PackRecord, Step, Transfer, move_pack, press_move, takes_effect_at, transfer_id_of
from calward.domain.register_checks import Taker, why_not_activated, why_not_for_version, why_not_movable, why_not_yours
from calward.domain.register_events import RegisterEvent

__all__ = ["order_move"]

_R = AcceptanceRefusal


def order_move(request: MoveRequest, asked: Asked) -> Said:
    """Set the packs moving and let the orders wait for their source; asked again as unreachable, say from when on they move by themselves.

    An unreachable source without a right to issue can do nothing with its packs: they are the target's at once.
    """
    source = asked.book.parties.server(request.source_id)
    if source is None:
        return NotAccepted(
            _R.SERVER_NOT_KNOWN, f"no license server {request.source_id} was activated here: compare its id"
        )
    refused = why_not_activated(asked.server.issue_until, asked.now)
    if refused is not None:
        return refused
    records = _wanted(request, asked)
    if isinstance(records, NotAccepted):
        return records
    taker = _taker(request, asked)
    steps: list[Step] = []
    for one in records:
        step = _why_not(one, request, taker, asked) or _step(one, request, source, asked)
        if isinstance(step, NotAccepted):
            return step
        steps.append(step)
    _join(records[0], asked)
    _store(steps, asked)
    end_due_transfers(asked.book, asked.means.new_id, asked.now)
    return ()


def _wanted(request: MoveRequest, asked: Asked) -> Sequence[PackRecord] | NotAccepted:
    register = asked.book.register
    if request.packs:
        found = [register.pack(one) for one in request.packs]
        missing = next((name for name, one in zip(request.packs, found, strict=True) if one is None), None)
        if missing is not None:
            return NotAccepted(_R.PACK_NOT_HELD, f"there is no key pack {missing} in the register: compare its id")
        records = [one for one in found if one is not None]
    else:
        records = [one for one in register.packs(request.source_id) if asked.now < one.statement.expires_at]
    if not records:
        detail = f"the license server {request.source_id} holds no key pack that could be moved"
        return NotAccepted(_R.PACK_NOT_HELD, detail)
    return why_no_room(sum(one.transfer is None for one in records), asked) or records


def _taker(request: MoveRequest, asked: Asked) -> Taker:
    proof = None if request.proof is None else read_proof(request.proof)
    return Taker(asked.server.server_id, request.head.server_version, asked.server.organization, proof)


def _why_not(record: PackRecord, request: MoveRequest, taker: Taker, asked: Asked) -> NotAccepted | None:
    purchases = asked.book.purchases
    purchase = purchases.purchase(record.purchase_id)
    proven: Purchase | None = None if taker.proof is None else purchases.with_proof(taker.proof)
    dead = request.source is SourceState.DEAD
    ladder = asked.means.load_ladder(record.statement.ladder)
    return (
        why_not_yours(purchase, proven, taker, needs_proof=dead)
        or why_not_movable(record, taker, request.source_id, asked.now)
        or why_not_for_version(ladder, record.statement.version, taker.version)
    )


def _step(record: PackRecord, request: MoveRequest, source: RegisteredServer, asked: Asked) -> Step | NotAccepted:
    connected = request.source is SourceState.CONNECTED
    effective_at = None if connected else takes_effect_at(source.issue_until, asked.now)
    if record.transfer is not None:
        return press_move(record, asked.server.server_id, request.source, effective_at)
    transfer = Transfer(
        transfer_id=transfer_id_of(request.head.nonce, record.statement.pack_id),
        pack=record.ref,
        source_id=source.server_id,
        target_id=asked.server.server_id,
        target_name=asked.server.name,
        source=request.source,
        reason=request.reason,
        ordered_at=asked.now,
        effective_at=effective_at,
    )
    return move_pack(record, transfer)


def _store(steps: Sequence[Step], asked: Asked) -> None:
    ordered = [step for step in steps if step.posts]
    pressed = [step for step in steps if not step.posts and step.transfers]
    for kind, some in ((RegisterEvent.MOVE_ORDERED, ordered), (RegisterEvent.MOVE_PRESSED, pressed)):
        if some:
            record_all(asked.book, some, kind, asked.now, request=asked.digest)


def _join(record: PackRecord, asked: Asked) -> None:
    """A server without an organization that showed a number of a purchase belongs to who bought it."""
    organization = asked.book.purchases.purchase(record.purchase_id).organization
    if asked.server.organization is None and organization is not None:
        joined = replace(asked.server, organization=organization)
        put_server(asked.book, joined, RegisterEvent.SERVER_CHANGED, asked.now)
