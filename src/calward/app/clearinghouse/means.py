"""What does a use case of the clearinghouse work with: its memory, keys, time and randomness, and the one request at hand?"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TypeAlias

from calward.app.clearinghouse.ports import Book, Signer, Store
from calward.app.clearinghouse.records import Intent, Part, RegisteredServer
from calward.app.clearinghouse.server_fields import server_fields
from calward.app.ports import Clock, Entropy
from calward.domain.acceptance import NotAccepted
from calward.domain.ladder import Ladder
from calward.domain.pack_orders import PackChange, TransferEnd, TransferOrder
from calward.domain.register import Post, Step
from calward.domain.register_events import RegisterEvent, pack_fields, transfer_fields
from calward.domain.statements import Channel, KeyPackStatement, PayloadType
from calward.domain.trust import Verify

__all__ = ["Asked", "LoadLadder", "Means", "Said", "digest_of", "put_server", "record", "record_all"]

LoadLadder: TypeAlias = Callable[[str], Ladder]
"""A ladder by its name; raises LicensingError(NOT_FOUND)."""

Said: TypeAlias = tuple[Part, ...] | NotAccepted
"""What a use case answers: what belongs to this request alone, beside what waits for its server; or why not."""

_ID_SIZE = 16
_TYPES: dict[type, PayloadType] = {
    KeyPackStatement: PayloadType.KEY_PACK,
    TransferOrder: PayloadType.TRANSFER_ORDER,
    TransferEnd: PayloadType.TRANSFER_END,
    PackChange: PayloadType.PACK_CHANGE,
}


@dataclass(frozen=True, slots=True)
class Means:
    """Everything that is plugged into a clearinghouse."""

    store: Store
    pack_signer: Signer
    activation_signer: Signer
    clock: Clock
    entropy: Entropy
    load_ladder: LoadLadder
    verify: Verify

    def now(self) -> datetime:
        """The time, in UTC."""
        return datetime.fromtimestamp(self.clock.now(), UTC)

    def new_id(self) -> str:
        """A new id: 32 hexadecimal digits."""
        return self.entropy.token(_ID_SIZE).hex()


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was accepted, within the transaction that answers it. ``digest`` is that of its envelope."""

    means: Means
    book: Book
    server: RegisteredServer
    channel: Channel
    digest: str
    now: datetime

    def plan(self, payload_type: PayloadType, order: str, payload: bytes) -> Part:
        """Plan something that is signed for this request alone."""
        return self.book.papers.plan(Intent(payload_type, order, self.digest, payload, self.now)).part


def digest_of(envelope: bytes) -> str:
    """The SHA-256 of an envelope without its line feed, in hexadecimal digits."""
    return sha256(envelope.removesuffix(b"\n")).hexdigest()


def record(book: Book, step: Step, kind: RegisterEvent, now: datetime, **more: str) -> None:
    """Store what an act made: packs, transfers, what to send, and one event about it."""
    record_all(book, [step], kind, now, **more)


def record_all(book: Book, steps: Sequence[Step], kind: RegisterEvent, now: datetime, **more: str) -> None:
    """The same for several packs that one request is about: one event."""
    packs = [one for step in steps for one in step.packs]
    transfers = [one for step in steps for one in step.transfers]
    book.register.put_transfers(transfers)
    book.register.put_packs(packs)
    for step in steps:
        for post in step.posts:
            _post(book, post, now)
    book.log.note(
        now, kind, packs=[pack_fields(x) for x in packs], transfers=[transfer_fields(x) for x in transfers], **more
    )


def put_server(book: Book, server: RegisteredServer, kind: RegisterEvent, now: datetime, **more: str) -> None:
    """Store a license server as it is now, with an event about it."""
    book.parties.put_server(server)
    book.log.note(now, kind, servers=[server_fields(server)], **more)


def _post(book: Book, post: Post, now: datetime) -> None:
    statement = post.statement
    if isinstance(statement, KeyPackStatement) and statement.expires_at <= now:
        return  # Nobody could install it any more; the register alone has to know where it is.
    payload = statement.to_payload()
    intent = Intent(_TYPES[type(statement)], post.item, sha256(payload).hexdigest(), payload, now)
    book.outbox.post(post.server_id, post.item, book.papers.plan(intent).part, now, post.handover)
