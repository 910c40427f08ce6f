"""Which moves of key packs have not ended, what does each wait for, and what leads out of it?"""

from dataclasses import dataclass

from calward.app.licensing.request_packs import open_asks
from calward.app.licensing.transfers import Transfer, open_transfers
from calward.app.ports import Book
from calward.domain.pack_requests import MoveRequest, SourceState

__all__ = ["Incoming", "moves"]

_WAITS = {
    SourceState.CONNECTED: "the source to hear the order and release the packs",
    SourceState.UNREACHABLE: "the source's release, or the end of its right to issue and a day more",
    SourceState.DEAD: "the end of the source's right to issue and a day more",
}
_OUT = {
    SourceState.CONNECTED: (
        "calward server contact on the source, then here; --source unreachable where it cannot be asked; "
        "calward pack cancel-move {number} gives it up"
    ),
    SourceState.UNREACHABLE: "calward server contact brings them once it is time; calward pack cancel-move {number} gives it up",
    SourceState.DEAD: "calward server contact brings them once it is time; calward pack cancel-move {number} gives it up",
}


@dataclass(frozen=True, slots=True)
class Incoming:
    """A move to this server: ``number`` is that of its request. ``packs`` empty: all of the source. ``state``: of the source."""

    number: str
    source: str
    state: str
    packs: tuple[str, ...]
    since: int
    waits_for: str
    way_out: str


def moves(book: Book) -> tuple[Incoming | Transfer, ...]:
    """Those to this server, then those away from it."""
    incoming = tuple(_incoming(x.question) for x in open_asks(book) if isinstance(x.question, MoveRequest))
    return incoming + open_transfers(book)


def _incoming(found: MoveRequest) -> Incoming:
    number = found.head.nonce
    return Incoming(
        number=number,
        source=found.source_id,
        state=f"asked, source {found.source.value}",
        packs=found.packs,
        since=int(found.head.requested_at.timestamp()),
        waits_for=_WAITS[found.source],
        way_out=_OUT[found.source].format(number=number),
    )
