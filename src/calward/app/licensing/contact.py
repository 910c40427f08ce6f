"""Keep in touch with the clearinghouse: say what is held here, hear what is ordered, ask and be answered.

No transaction is open while the clearinghouse is asked. Each step can be repeated after a crash anywhere: requests are kept, orders
are carried out once, and what was not heard comes again with the next contact.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from calward.app.licensing.quarantine import enter_quarantine
from calward.app.licensing.request_packs import OpenAsk, forget_ask, give_up_change, new_head, open_asks
from calward.app.licensing.signed_things import CONTACT_NONCE, Signatures
from calward.app.licensing.take_orders import Desk, Taken, done_orders, take
from calward.app.licensing.transfers import releases
from calward.app.licensing.words import add_word, earlier_words, word_was_answered
from calward.app.ports import Book, Entropy, Ledger
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.key_packs import KeyPack
from calward.domain.pack_requests import (
    MAX_PACKS,
    CancelRequest,
    ChangeKind,
    ChangeRequest,
    Contact,
    HeldPack,
    PackState,
    RequestHead,
)
from calward.domain.quarantine import Cause, Quarantine
from calward.domain.statements import PayloadType

__all__ = ["Counter", "Said", "ask_online", "contact_online", "make_contact", "send_releases"]

_ROUNDS: Final = 4
"""Contacts in a row at most: what one answer orders is carried out and reported with the next."""
_OUR_IDS = re.compile(r"[0-9a-f]{32}", re.ASCII)


class Counter(Protocol):
    """The clearinghouse's one door for requests about packs."""

    def ask(self, bundle: bytes) -> bytes | NotAccepted:
        """The answer, a bundle or nothing; raises LicensingError(UNREACHABLE)."""


@dataclass(frozen=True, slots=True)
class Said:
    """What came of asking: ``refused`` is the clearinghouse's no, ``taken`` what became of its answers."""

    taken: tuple[Taken, ...] = ()
    refused: NotAccepted | None = None


def make_contact(book: Book, checkpoint: str, signatures: Signatures, entropy: Entropy, *, now: int) -> bytes:
    """The regular word of this server, signed. ``checkpoint``: its newest signed note, of all events so far; "" where it has none."""
    head: RequestHead = new_head(book, entropy, now)
    after = earlier_words(book)
    add_word(book, head.nonce)
    book.keep_document(CONTACT_NONCE, head.nonce.encode())
    newest = sorted(book.shelf().packs, key=lambda pack: -pack.row)
    held = tuple(_held(pack) for pack in newest if _OUR_IDS.fullmatch(pack.id))
    contact = Contact(head, checkpoint, held[:MAX_PACKS], done_orders(book), after)
    return signatures.seal(PayloadType.CONTACT, contact.to_payload())


def _held(pack: KeyPack) -> HeldPack:
    state = PackState.USABLE if pack.transfer is None else PackState.FROZEN
    return HeldPack(pack.id, pack.generation, state)


def contact_online(ledger: Ledger, counter: Counter, desk: Desk, checkpoint: Callable[[], str]) -> Said:
    """Contact the clearinghouse, carry out what it orders, send what was released, until nothing new comes.

    ``checkpoint``: makes the newest one. Raises: LicensingError: UNREACHABLE, UNAVAILABLE: ask again.
    """
    said = send_releases(ledger, counter, desk)
    for _ in range(_ROUNDS):
        heard = _contact(ledger, counter, desk, checkpoint())
        said = _and_then(said, heard)
        if heard.refused or all(one.kind == "keyring" for one in heard.taken):  # Every answer begins with one.
            break
        said = _and_then(said, send_releases(ledger, counter, desk))
    return said


def _contact(ledger: Ledger, counter: Counter, desk: Desk, note: str) -> Said:
    def make(book: Book) -> tuple[bytes, str]:
        contact = make_contact(book, note, desk.signatures, desk.entropy, now=book.now())
        return contact, earlier_words(book)[-1]

    contact, nonce = ledger.write(make)
    said = _exchange(contact, ledger, counter, desk)
    if said.refused is None:
        ledger.write(lambda book: word_was_answered(book, nonce))
    return said


def ask_online(request: bytes, ledger: Ledger, counter: Counter, desk: Desk, checkpoint: Callable[[], str]) -> Said:
    """Send a request, take its answer and keep in touch until nothing new comes.

    A no ends the question: CALs that were set aside for it are free again, and who asks again asks anew.
    """
    said = _exchange(request, ledger, counter, desk)
    if said.refused:
        ledger.write(lambda book: _close(book, request, desk, refused=True))
        return said
    ledger.write(lambda book: _close(book, request, desk, refused=False))
    return _and_then(said, contact_online(ledger, counter, desk, checkpoint))


def send_releases(ledger: Ledger, counter: Counter, desk: Desk) -> Said:
    """Send the packs that were released and of whose end nothing was heard yet; repeated they are the same bytes."""
    said = Said()
    for bundle in ledger.write(releases):
        found = _exchange(bundle, ledger, counter, desk)
        said = _and_then(said, found)
    return said


def _exchange(request: bytes, ledger: Ledger, counter: Counter, desk: Desk) -> Said:
    answer = counter.ask(request)
    if isinstance(answer, NotAccepted):
        if answer.reason is AcceptanceRefusal.LEDGER_ROLLED_BACK:
            ledger.write(_went_back)
        return Said(refused=answer)
    return Said(take(answer, ledger, desk))


def _went_back(book: Book) -> None:
    """The clearinghouse has heard more of this ledger than it holds, or something else; its no does not say how much."""
    now = book.now()
    enter_quarantine(Quarantine(Cause.OLDER, now, 0, by="clearinghouse"), book, now=now, by="clearinghouse")


def _and_then(first: Said, second: Said) -> Said:
    return Said(first.taken + second.taken, second.refused or first.refused)


def _close(book: Book, request: bytes, desk: Desk, *, refused: bool) -> None:
    """A question is over when it was refused, or when its answer is nothing that could be told apart."""
    for one in [one for one in open_asks(book) if one.envelope == request]:
        if isinstance(one.question, CancelRequest) and not refused:
            _forget_move(one.question.transfer_id, book)
        if refused or isinstance(one.question, CancelRequest):
            forget_ask(book, one.name)
        if refused:
            _take_back(one, book, desk)


def _forget_move(number: str, book: Book) -> None:
    """A move of this request's number was given up: who asks for it again asks anew."""
    for one in [one for one in open_asks(book) if one.question.head.nonce == number]:
        forget_ask(book, one.name)


def _take_back(one: OpenAsk, book: Book, desk: Desk) -> None:
    question = one.question
    if isinstance(question, ChangeRequest) and question.kind is ChangeKind.CONVERT:
        pack = next((x for x in book.shelf().packs if x.id == question.pack_id and x.aside), None)
        if pack is not None:
            give_up_change(pack.id, book, now=book.now(), by=desk.by)
