"""Downgrade, upgrade or convert a pack, or a part of it, that the asking license server holds."""

from calward.app.clearinghouse.means import Asked, Said, record
from calward.app.clearinghouse.room import why_no_room
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.pack_requests import ChangeRequest
from calward.domain.register_changes import ChangeTerms
from calward.domain.register_changes import change_pack as changed
from calward.domain.register_checks import why_not_activated
from calward.domain.register_events import RegisterEvent

__all__ = ["change_pack"]


def change_pack(request: ChangeRequest, asked: Asked) -> Said:
    """Change the register at once; the order waits in the server's outbox."""
    pack = asked.book.register.pack(request.pack_id)
    if pack is None:
        detail = f"there is no key pack {request.pack_id} in the register: compare its id"
        return NotAccepted(AcceptanceRefusal.PACK_NOT_HELD, detail)
    refused = why_not_activated(asked.server.issue_until, asked.now)
    if refused is not None:
        return refused
    terms = ChangeTerms(
        ladder=asked.means.load_ladder(pack.statement.ladder),
        convertible=asked.book.purchases.purchase(pack.purchase_id).convertible,
        order_id=asked.means.new_id(),
        part_id=asked.means.new_id(),
    )
    step = changed(pack, request, terms, now=asked.now)
    if isinstance(step, NotAccepted):
        return step
    full = why_no_room(len(step.packs) - 1, asked)
    if full is not None:
        return full
    record(asked.book, step, RegisterEvent.PACK_CHANGED, asked.now, request=asked.digest)
    return ()
