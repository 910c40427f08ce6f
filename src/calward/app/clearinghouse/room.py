"""Has a license server room for more key packs? Its contact and the register name so many at most."""

from calward.app.clearinghouse.means import Asked
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.pack_requests import MAX_PACKS

__all__ = ["why_no_room"]


def why_no_room(more: int, asked: Asked) -> NotAccepted | None:
    """Why the asking server cannot have so many packs more; None if it can. Packs that have expired take no room."""
    register, server_id = asked.book.register, asked.server.server_id
    held = sum(asked.now < one.statement.expires_at for one in register.packs(server_id))
    coming = sum(one.target_id == server_id for one in register.transfers(pending=True))
    if not more or held + coming + more <= MAX_PACKS:
        return None
    detail = (
        f"a license server holds at most {MAX_PACKS} key packs, this one has {held} and waits for {coming}: "
        "claim larger packs, or use another license server"
    )
    return NotAccepted(AcceptanceRefusal.NOTHING_LEFT, detail)
