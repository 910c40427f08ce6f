"""End transfers: those whose day has come, and those that are given up."""

from collections.abc import Callable
from datetime import datetime

from calward.app.clearinghouse.means import Asked, Said, record
from calward.app.clearinghouse.ports import Book
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.pack_requests import CancelRequest
from calward.domain.register import PackRecord, Transfer, cancel_move, claim_pack, transfer_id_of
from calward.domain.register_events import RegisterEvent

__all__ = ["cancel_transfer", "end_due_transfers", "give_up_move"]


def end_due_transfers(book: Book, new_id: Callable[[], str], now: datetime) -> None:
    """Let every move take effect whose day has come without a release."""
    for transfer in book.register.transfers(pending=True):
        if not transfer.due(now):
            continue
        step = claim_pack(_record_of(transfer, book), end_id=new_id(), now=now)
        if not isinstance(step, NotAccepted):
            # What was to install the pack at the source, and was not taken yet, must not reach it any more.
            book.outbox.withdraw(transfer.source_id, now, pack_id=transfer.pack.pack_id)
            record(book, step, RegisterEvent.MOVE_COMPLETED, now, by="claim")


def give_up_move(request: CancelRequest, asked: Asked) -> Said:
    """The target gives up a move that it ordered, named by its id, or all of a move request, named by that one's nonce."""
    pending = asked.book.register.transfers(pending=True)
    found = [one for one in pending if _names(request.transfer_id, one) and one.target_id == asked.server.server_id]
    if not found:
        detail = f"no move {request.transfer_id} to this license server is under way: it was completed or cancelled"
        return NotAccepted(AcceptanceRefusal.TRANSFER_ENDED, detail)
    for transfer in found:
        step = cancel_move(_record_of(transfer, asked.book), end_id=asked.means.new_id(), now=asked.now)
        if isinstance(step, NotAccepted):
            return step
        record(asked.book, step, RegisterEvent.MOVE_CANCELLED, asked.now, request=asked.digest)
    return ()


def cancel_transfer(
    transfer_id: str, by: str, *, book: Book, new_id: Callable[[], str], now: datetime
) -> NotAccepted | None:
    """An operator gives up a move; both servers hear of it. None where it is done."""
    end_due_transfers(book, new_id, now)
    transfer = book.register.transfer(transfer_id)
    if transfer is None or transfer.outcome is not None:
        detail = f"no move {transfer_id} is under way: it was completed or cancelled, or there never was one"
        return NotAccepted(AcceptanceRefusal.TRANSFER_ENDED, detail)
    step = cancel_move(_record_of(transfer, book), end_id=new_id(), now=now, tell_target=new_id())
    if isinstance(step, NotAccepted):
        return step
    record(book, step, RegisterEvent.MOVE_CANCELLED, now, by=by)
    return None


def _names(name: str, transfer: Transfer) -> bool:
    return name == transfer.transfer_id or transfer_id_of(name, transfer.pack.pack_id) == transfer.transfer_id


def _record_of(transfer: Transfer, book: Book) -> PackRecord:
    record = book.register.pack(transfer.pack.pack_id)
    if record is None:
        raise LookupError(f"transfer {transfer.transfer_id} moves a pack that the register does not have")
    return record
