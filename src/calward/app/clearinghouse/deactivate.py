"""A license server gave up its right to issue: its packs may go on at once, they need no release any more."""

from dataclasses import replace

from calward.app.clearinghouse.end_transfer import end_due_transfers
from calward.app.clearinghouse.means import Asked, Said, put_server, record_all
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.fields import render_moment
from calward.domain.pack_requests import SourceState
from calward.domain.register import Step, press_move
from calward.domain.register_events import RegisterEvent
from calward.domain.statements import Deactivation

__all__ = ["deactivate"]


def deactivate(request: Deactivation, asked: Asked) -> Said:
    """Forget its right to issue; moves that waited for it as unreachable take effect now.

    A word that is older than the newest right was overtaken on its way: the server may issue again.
    """
    given = asked.server.right_asked_at
    if given is not None and request.deactivated_at < given:
        detail = f"the license server asked for a new right at {render_moment(given)}, after it had given this one up: deactivate it again"
        return NotAccepted(AcceptanceRefusal.REPLAYED, detail)
    book, server, now = asked.book, replace(asked.server, issue_until=None), asked.now
    put_server(book, server, RegisterEvent.DEACTIVATED, now, request=asked.digest)
    steps: list[Step] = []
    for one in book.register.packs(server.server_id):
        # One that is connected can still release, with its licenses: that way is not cut short.
        if one.transfer is not None and one.transfer.source is not SourceState.CONNECTED:
            step = press_move(one, one.transfer.target_id, one.transfer.source, now)
            if not isinstance(step, NotAccepted):
                steps.append(step)
    if steps:
        record_all(book, steps, RegisterEvent.MOVE_PRESSED, now, request=asked.digest)
    end_due_transfers(book, asked.means.new_id, now)
    return ()
