"""The source released a pack: it is the target's from here on, and the licenses that go with it are kept until the target has them."""

from calward.app.clearinghouse.means import Asked, Said, record
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.handover import Handover
from calward.domain.pack_acceptance import accept_handover
from calward.domain.pack_requests import Release
from calward.domain.register import complete_move
from calward.domain.register_events import RegisterEvent

__all__ = ["check_handover", "take_release"]

_R = AcceptanceRefusal


def check_handover(release: Release, handover: bytes | None) -> NotAccepted | None:
    """Why the list that came with a release is not the one that it names, or could not be taken by the target; None if it can.

    Reads up to a million licenses: outside of any transaction.
    """
    if handover is None:
        detail = "the list of licenses is missing that belongs to the release: copy the whole file again"
        return NotAccepted(_R.MALFORMED, detail)
    found = accept_handover(handover, digest=release.handover)
    if isinstance(found, NotAccepted):
        return found
    said = (release.head.server_id, release.transfer_id, release.pack_id, release.generation, release.licenses)
    if _facts(found) == said:
        return None
    return NotAccepted(_R.MALFORMED, "the list of licenses is for another transfer, pack or server than its release")


def take_release(release: Release, handover: bytes, asked: Asked) -> Said:
    """Complete the move; ``handover`` was checked. The source is told that it has ended, the target finds the pack when it asks."""
    pack = asked.book.register.pack(release.pack_id)
    if pack is None:
        return NotAccepted(_R.PACK_NOT_HELD, f"there is no key pack {release.pack_id} in the register")
    if pack.statement.total < release.licenses:
        return NotAccepted(_R.MALFORMED, "the list names more licenses than the pack has CALs")
    step = complete_move(pack, release, end_id=asked.means.new_id(), now=asked.now)
    if isinstance(step, NotAccepted):
        return step
    record(asked.book, step, RegisterEvent.MOVE_COMPLETED, asked.now, by="release", request=asked.digest)
    asked.book.outbox.done(release.head.server_id, (release.transfer_id,), (), asked.now)
    if asked.now < pack.statement.expires_at:
        asked.book.outbox.keep_handover(release.transfer_id, handover.removesuffix(b"\n"))
    return ()


def _facts(found: Handover) -> tuple[str, str, str, int, int]:
    return (found.server_id, found.transfer_id, found.pack.pack_id, found.pack.generation, len(found.licenses))
