"""Ask the clearinghouse for something about key packs: a signed request that stays the same until its answer was taken.

What was asked is kept in a document by its content, so that who asks again (after a crash, a lost answer, a second click) sends the
same bytes and gets the same answer; nothing is claimed or moved twice.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import TypeAlias

from calward.app.licensing.acts import Done, RefusedAct, refuse_act, write_act
from calward.app.licensing.freeze_pack import installed_pack
from calward.app.licensing.plan_change import ChangePlan, plan_change, set_aside
from calward.app.licensing.signed_things import Signatures, moment_of
from calward.app.licensing.words import add_word
from calward.app.ports import Book, Entropy
from calward.domain.envelope import decode_envelope
from calward.domain.events import Kind
from calward.domain.key_packs import PackId
from calward.domain.ladder import Ladder
from calward.domain.pack_requests import (
    CancelRequest,
    ChangeKind,
    ChangeRequest,
    InstallRequest,
    MoveReason,
    MoveRequest,
    RecoverReason,
    RecoverRequest,
    RequestHead,
    SourceState,
)
from calward.domain.reasons import Reason
from calward.domain.settings import SECONDS_PER_DAY
from calward.domain.statements import PayloadType, Program

__all__ = [
    "ASKS_KEPT_FOR",
    "Ask",
    "OpenAsk",
    "Question",
    "ask",
    "ask_change",
    "forget_ask",
    "give_up_change",
    "new_head",
    "open_asks",
    "to_cancel",
    "to_install",
    "to_move",
    "to_recover",
]

ASKS_KEPT_FOR = 30 * SECONDS_PER_DAY
"""Seconds after which a request whose answer never came is made anew."""

_ASK = "ask:"
_NO_HEAD = RequestHead("00" * 16, "-", "00" * 16, datetime(1970, 1, 1, tzinfo=UTC))

Question: TypeAlias = InstallRequest | MoveRequest | ChangeRequest | CancelRequest | RecoverRequest

_TYPES = {
    InstallRequest: PayloadType.INSTALL_REQUEST,
    MoveRequest: PayloadType.MOVE_REQUEST,
    ChangeRequest: PayloadType.CHANGE_REQUEST,
    CancelRequest: PayloadType.CANCEL_REQUEST,
    RecoverRequest: PayloadType.RECOVER_REQUEST,
}
_READERS: Mapping[PayloadType, Callable[[bytes], Question]] = MappingProxyType(
    {
        PayloadType.INSTALL_REQUEST: InstallRequest.from_payload,
        PayloadType.MOVE_REQUEST: MoveRequest.from_payload,
        PayloadType.CHANGE_REQUEST: ChangeRequest.from_payload,
        PayloadType.CANCEL_REQUEST: CancelRequest.from_payload,
        PayloadType.RECOVER_REQUEST: RecoverRequest.from_payload,
    }
)


@dataclass(frozen=True, slots=True)
class Ask:
    """A question without its head: what is asked, whoever asks and whenever."""

    question: Question

    @property
    def name(self) -> str:
        """Its document: the same for the same content."""
        return _ASK + sha256(_TYPES[type(self.question)].encode() + b"\0" + self.question.to_payload()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class OpenAsk:
    """A question whose answer was not taken yet; ``envelope``: the bytes to send."""

    name: str
    kind: PayloadType
    question: Question
    envelope: bytes


def to_install(
    program: Program, numbers: tuple[str, ...], quantity: int | None = None, *, preview: bool = False
) -> Ask:
    """Claim what was bought under these numbers, or only say what that would be."""
    return Ask(InstallRequest(_NO_HEAD, program, numbers, quantity, preview))


def to_move(
    source_id: str, source: SourceState, reason: MoveReason, packs: tuple[str, ...] = (), proof: str | None = None
) -> Ask:
    """Move packs of another license server here; none named: all of them."""
    return Ask(MoveRequest(_NO_HEAD, source_id, source, reason, tuple(sorted(packs)), proof))


def to_cancel(transfer_id: str) -> Ask:
    """Give up a move to this server that has not taken effect."""
    return Ask(CancelRequest(_NO_HEAD, transfer_id))


def to_recover(reason: RecoverReason) -> Ask:
    """Ask what this server holds by the clearinghouse's register."""
    return Ask(RecoverRequest(_NO_HEAD, reason))


def ask(wanted: Ask, book: Book, signatures: Signatures, entropy: Entropy, *, now: int) -> bytes:
    """The signed request: the one that was made before, or a new one."""
    kept = book.document(wanted.name)
    if kept is not None and now - _opened(wanted.name, kept).question.head.requested_at.timestamp() < ASKS_KEPT_FOR:
        return kept
    question = replace(wanted.question, head=new_head(book, entropy, now))
    envelope = signatures.seal(_TYPES[type(question)], question.to_payload())
    book.keep_document(wanted.name, envelope)
    if isinstance(question, RecoverRequest):
        add_word(book, question.head.nonce)
    return envelope


def ask_change(
    plan: ChangePlan, book: Book, ladder: Ladder, signatures: Signatures, entropy: Entropy, *, now: int
) -> bytes | RefusedAct:
    """The signed request for a change that is allowed as far as one can know here; for a conversion with its CALs set aside."""
    change = plan_change(plan, book, ladder, now=now)
    if isinstance(change, RefusedAct):
        return change
    count = None if change.whole else change.count
    pack = change.pack
    wanted = Ask(ChangeRequest(_NO_HEAD, pack.id, pack.generation, change.kind, change.to, count))
    if change.kind is ChangeKind.CONVERT and book.document(wanted.name) is None:
        done = set_aside(change, book, now=now, by=plan.by)
        if isinstance(done, RefusedAct):
            return done
    return ask(wanted, book, signatures, entropy, now=now)


def give_up_change(pack: PackId, book: Book, *, now: int, by: str) -> Done | RefusedAct:
    """Let CALs be issued again that wait for a conversion; an order that comes yet needs as many free ones."""
    book.alone()
    found = installed_pack(book, pack)
    if not found.aside:
        return refuse_act(book, "give-up", now, by, Reason.NOTHING_TO_DO, pack=pack)
    book.change_pack(replace(found, aside=0))
    for one in list(open_asks(book)):
        if isinstance(one.question, ChangeRequest) and one.question.pack_id == pack:
            forget_ask(book, one.name)
    return Done("given up", write_act(book, Kind.CALS_SET_ASIDE, now, by, pack=pack, count=0))


def open_asks(book: Book) -> Iterator[OpenAsk]:
    """What was asked and not answered yet."""
    for name, envelope in book.documents(_ASK).items():
        yield _opened(name, envelope)


def forget_ask(book: Book, name: str) -> None:
    """Its answer was taken, or was a no: the next time it is a new question."""
    book.drop_document(name)


def new_head(book: Book, entropy: Entropy, now: int) -> RequestHead:
    """Who asks, as which version, with a new nonce, now."""
    server = book.server()
    return RequestHead(server.id, server.version, entropy.token(16).hex(), moment_of(now))


def _opened(name: str, envelope: bytes) -> OpenAsk:
    found = decode_envelope(envelope)
    kind = PayloadType(found.payload_type)
    return OpenAsk(name, kind, _READERS[kind](found.payload), envelope)
