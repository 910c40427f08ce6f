"""The source released a pack: it is the target's from here on, and the licenses that go with it are kept until the target has them."""

from dataclasses import dataclass

from calward.app.clearinghouse.means import Asked, Said, record
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.handover import Handover
from calward.domain.pack_acceptance import accept_handover
from calward.domain.pack_requests import Release
from calward.domain.register import complete_move
from calward.domain.register_events import RegisterEvent

__all__ = ["Listed", "read_list", "take_release"]

_R = AcceptanceRefusal


@dataclass(frozen=True, slots=True)
class Listed:
    """A list of licenses that was read and fits its release: the envelope, and the highest CAL that it names, 0 for none."""

    envelope: bytes
    highest: int


def read_list(release: Release, handover: bytes | None) -> Listed | NotAccepted:
    """Read the list that came with a release; what the target could not take is refused here.

    Reads up to a million licenses: outside of any transaction.
    """
    if handover is None:
        detail = "the list of licenses is missing that belongs to the release: copy the whole file again"
        return NotAccepted(_R.HANDOVER_MISSING, detail)
    found = accept_handover(handover, digest=release.handover)
    if isinstance(found, NotAccepted):
        return found
    said = (release.head.server_id, release.transfer_id, release.pack_id, release.generation, release.licenses)
    if _facts(found) == said:
        return Listed(handover.removesuffix(b"\n"), max((one.seat for one in found.licenses), default=0))
    return NotAccepted(_R.MALFORMED, "the list of licenses is for another transfer, pack or server than its release")


def take_release(release: Release, listed: Listed, asked: Asked) -> Said:
    """Complete the move. The source is told that it has ended, the target finds the pack when it asks."""
    pack = asked.book.register.pack(release.pack_id)
    if pack is None:
        return NotAccepted(_R.PACK_NOT_HELD, f"there is no key pack {release.pack_id} in the register")
    if pack.statement.total < listed.highest:
        return NotAccepted(_R.MALFORMED, "the list names a CAL that the pack does not have")
    step = complete_move(pack, release, end_id=asked.means.new_id(), now=asked.now)
    if isinstance(step, NotAccepted):
        return step
    # What was to install the pack there, and was never reported, is of no use to anybody any more.
    asked.book.outbox.withdraw(release.head.server_id, asked.now, pack_id=release.pack_id)
    record(asked.book, step, RegisterEvent.MOVE_COMPLETED, asked.now, by="release", request=asked.digest)
    asked.book.outbox.done(release.head.server_id, (release.transfer_id,), (), asked.now)
    if asked.now < pack.statement.expires_at:
        asked.book.outbox.keep_handover(release.transfer_id, listed.envelope)
    return ()


def _facts(found: Handover) -> tuple[str, str, str, int, int]:
    return (found.server_id, found.transfer_id, found.pack.pack_id, found.pack.generation, len(found.licenses))
