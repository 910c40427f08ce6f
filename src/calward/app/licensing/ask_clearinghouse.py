"""Ask the clearinghouse anything that a license server may ask: as a file to carry, or online with all that follows from the answer."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import TypeAlias

from calward.app.licensing.activate_online import keep_address
from calward.app.licensing.acts import RefusedAct
from calward.app.licensing.contact import Counter, Said, ask_online, contact_online, make_contact
from calward.app.licensing.deactivate import request_deactivation
from calward.app.licensing.plan_change import ChangePlan
from calward.app.licensing.request_packs import Ask, ask, ask_change
from calward.app.licensing.signed_things import DEACTIVATION, request_activation
from calward.app.licensing.take_orders import Desk
from calward.app.licensing.transfers import releases
from calward.app.ports import Book, Ledger
from calward.domain.bundle import join
from calward.domain.statements import ActivationReason

__all__ = ["Activation", "Asking", "Word", "answer_online", "make_request"]


class Word(Enum):
    """What is said rather than asked."""

    CONTACT = auto()
    """The regular word: what is held here, what was done; what was released goes along."""
    DEACTIVATION = auto()
    """This server gives its right to issue up, here and now, whether the clearinghouse hears it or not."""


@dataclass(frozen=True, slots=True)
class Activation:
    """Ask for the right to issue, for this reason."""

    reason: ActivationReason = ActivationReason.FIRST


Asking: TypeAlias = Ask | ChangePlan | Activation | Word


def make_request(asking: Asking, ledger: Ledger, desk: Desk, checkpoint: Callable[[], str]) -> bytes | RefusedAct:
    """The signed request as a bundle; what refuses itself here is not asked. ``checkpoint``: makes the newest one."""
    note = checkpoint() if asking is Word.CONTACT else ""
    return ledger.write(lambda book: _request(asking, book, desk, note))


def answer_online(
    asking: Asking, ledger: Ledger, counter: Counter, desk: Desk, checkpoint: Callable[[], str], address: str
) -> Said | RefusedAct:
    """Ask, take the answer and keep in touch until nothing new comes; ``address`` is kept where it activates this server.

    Raises: LicensingError: UNREACHABLE, UNAVAILABLE: call it again, the same request is sent.
    """
    if asking is Word.CONTACT:
        word = ledger.write(_unsaid)
        return (
            ask_online(word, ledger, counter, desk, checkpoint)
            if word
            else contact_online(ledger, counter, desk, checkpoint)
        )
    request = make_request(asking, ledger, desk, checkpoint)
    if isinstance(request, RefusedAct):
        return request
    said = ask_online(request, ledger, counter, desk, checkpoint)
    if isinstance(asking, Activation) and any(one.kind == "activation" and one.accepted for one in said.taken):
        ledger.write(lambda book: keep_address(address, book))
    return said


def _request(asking: Asking, book: Book, desk: Desk, note: str) -> bytes | RefusedAct:
    now, signatures, entropy = book.now(), desk.signatures, desk.entropy
    match asking:
        case Word.CONTACT:
            contact = make_contact(book, note, signatures, entropy, now=now)
            word = _unsaid(book)
            return join([*([word] if word else ()), *_lines(releases(book)), contact])
        case Word.DEACTIVATION:
            return join([request_deactivation(book, signatures, entropy, now=now, by=desk.by)])
        case Activation(reason):
            return join([request_activation(book, signatures, entropy, now=now, reason=reason)])
        case ChangePlan():
            return ask_change(asking, book, desk.ladder, signatures, entropy, now=now)
        case Ask():
            return ask(asking, book, signatures, entropy, now=now)


def _unsaid(book: Book) -> bytes | None:
    """The word that this server gave its right up, as long as it has none: it goes before a contact, which might bring a new one."""
    return book.document(DEACTIVATION) if book.server().issue_until is None else None


def _lines(bundles: tuple[bytes, ...]) -> list[bytes]:
    return [line for bundle in bundles for line in bundle.splitlines()]
