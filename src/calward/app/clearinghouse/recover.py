"""Tell a license server what it holds, because its ledger begins anew or may be an old one."""

from dataclasses import replace

from calward.app.clearinghouse.contact import why_overtaken
from calward.app.clearinghouse.means import Asked, Said, put_server, record_all
from calward.domain.pack_orders import PackRef, Register
from calward.domain.pack_requests import RecoverRequest
from calward.domain.register import recover_pack
from calward.domain.register_events import RegisterEvent
from calward.domain.statements import PayloadType

__all__ = ["recover"]


def recover(request: RecoverRequest, asked: Asked) -> Said:
    """Sign every pack that it holds anew, in the next generation, and list them; nothing else of before waits for it any more.

    What it had ordered to other servers and not released is given up: those have to ask again. Its ledger's size is forgotten,
    and with it that it went back.
    """
    book, server, now = asked.book, asked.server, asked.now
    overtaken = why_overtaken(server, request.head.requested_at)
    if overtaken is not None:
        return overtaken
    book.outbox.withdraw(server.server_id, now)
    held = [one for one in book.register.packs(server.server_id) if now < one.statement.expires_at]
    steps = [recover_pack(one, end_id=asked.means.new_id(), tell_target=asked.means.new_id(), now=now) for one in held]
    refs = tuple(PackRef(one.statement.pack_id, one.statement.generation) for step in steps for one in step.packs)
    order_id = asked.means.new_id()
    register = Register(order_id, server.server_id, request.head.nonce, refs, now)
    # It has to come before the packs: it says that all others are gone.
    part = asked.plan(PayloadType.REGISTER, order_id, register.to_payload())
    book.outbox.post(server.server_id, order_id, part, now, None)
    record_all(book, steps, RegisterEvent.RECOVERED, now, reason=request.reason, server_id=server.server_id)
    heard_at = min(request.head.requested_at, now)
    heard = replace(server, heard_at=heard_at, heard_nonce=request.head.nonce)
    again = replace(heard, checkpoint_size=0, checkpoint_root=b"", rolled_back=False)
    put_server(book, again, RegisterEvent.SERVER_CHANGED, now)
    return ()
