"""Take what came from the clearinghouse, a bundle of signed things: each by itself, each in a transaction of its own.

Whatever comes twice, late or in another order changes nothing more than it would have; what could not be carried out is said, and
the clearinghouse sends it again until it was reported as done. The right to issue is taken last: never before the word that a
pack has gone.
"""

import json
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.change_pack import change_pack
from calward.app.licensing.end_transfer import end_transfer
from calward.app.licensing.receive_pack import receive_signed_pack
from calward.app.licensing.recover import NewLicenseKey, finish_recovery, take_register
from calward.app.licensing.release_pack import release_pack
from calward.app.licensing.renew_pack import renew_signed_pack
from calward.app.licensing.request_packs import OpenAsk, forget_ask, open_asks
from calward.app.licensing.signed_things import Signatures, moment_of, take_activation, take_keyring, trust_of
from calward.app.ports import Book, Entropy, Ledger
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.bundle import MAX_BUNDLE_SIZE, split
from calward.domain.compatibility import server_holds_cal
from calward.domain.envelope import decode_envelope
from calward.domain.errors import LicensingError, Problem
from calward.domain.ladder import Ladder
from calward.domain.pack_acceptance import Order, accept_order, payload_type_of
from calward.domain.pack_orders import InstallOffer, PackChange, Register, TransferEnd, TransferOrder, TransferOutcome
from calward.domain.pack_requests import MAX_PACKS, ChangeRequest, InstallRequest, MoveRequest
from calward.domain.register import transfer_id_of
from calward.domain.statements import KeyPackStatement, PayloadType

__all__ = ["Desk", "Taken", "done_orders", "take"]

_DONE = "orders-done"


def _no_new_key() -> str:
    raise LicensingError(
        Problem.UNAVAILABLE, "the key that signs licenses cannot be exchanged from here: use calward server"
    )


_Result: TypeAlias = "Done | RefusedAct | NotAccepted"


@dataclass(frozen=True, slots=True)
class Desk:
    """What taking needs beside the ledger. ``by``: who is written down as having ordered it."""

    signatures: Signatures
    ladder: Ladder
    entropy: Entropy
    by: str = "clearinghouse"
    new_license_key: NewLicenseKey = _no_new_key


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one envelope, for people and programs.

    ``kind``: its payload type's short name ("key-pack"). ``outcome``: what its use case says, "refused" for an act that was refused,
    "not-accepted" for what is not believed; ``reasons`` and ``detail`` say why.
    """

    kind: str
    outcome: str
    reasons: tuple[str, ...] = ()
    detail: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether it was carried out, now or before."""
        return not self.reasons


def take(bundle: bytes, ledger: Ledger, desk: Desk) -> tuple[Taken, ...]:
    """Take a bundle; its envelopes' results in the order in which they were taken. An empty answer is none.

    Raises: LicensingError: MALFORMED: no bundle; UNAVAILABLE: the ledger cannot be written: what came before was taken, so take it
    again.
    """
    if not bundle:
        return ()
    envelopes = [_Envelope(payload_type_of(one), one) for one in split(bundle, max_size=MAX_BUNDLE_SIZE)]
    lists = {sha256(one.text).digest(): one.text for one in envelopes if one.kind is PayloadType.HANDOVER}
    in_order = sorted((one for one in envelopes if one.kind is not PayloadType.HANDOVER), key=_last)
    return tuple(_take(one, ledger, desk, lists) for one in in_order)


def done_orders(book: Book) -> tuple[str, ...]:
    """The newest orders that were carried out here, for the next contact."""
    kept = book.document(_DONE)
    return tuple(json.loads(kept)) if kept else ()


@dataclass(frozen=True, slots=True)
class _Envelope:
    kind: PayloadType | None
    text: bytes


def _last(one: _Envelope) -> bool:
    return one.kind is PayloadType.ACTIVATION


def _take(one: _Envelope, ledger: Ledger, desk: Desk, lists: Mapping[bytes, bytes]) -> Taken:
    if one.kind is PayloadType.KEY_PACK:
        result = ledger.write(lambda book: _key_pack(one.text, book, desk, lists))
    else:
        how = _TAKEN_AS.get(one.kind, _nothing_for_us) if one.kind else _nothing_for_us
        result = ledger.write(lambda book: how(one.text, book, desk))
    return _told("unknown" if one.kind is None else short_name(one.kind), result)


def short_name(kind: PayloadType) -> str:
    """``application/vnd.calward.key-pack+json`` is a "key-pack"."""
    return kind.value.removeprefix("application/vnd.calward.").removesuffix("+json")


def _told(kind: str, result: _Result) -> Taken:
    if isinstance(result, NotAccepted):
        return Taken(kind, "not-accepted", (result.reason.value,), result.detail)
    if isinstance(result, RefusedAct):
        return Taken(kind, "refused", tuple(x.value for x in result.reasons), result.detail, result.facts)
    return Taken(kind, result.outcome, facts=result.facts | ({"event": result.event} if result.event else {}))


# What each kind of envelope does. All are given its text, the book of its own transaction and the desk.


def _keyring(text: bytes, book: Book, desk: Desk) -> _Result:
    return take_keyring(text, book, desk.signatures, now=book.now()) or Done("kept")


def _activation(text: bytes, book: Book, desk: Desk) -> _Result:
    return take_activation(text, book, desk.signatures, now=book.now(), by=desk.by)


def _nothing_for_us(text: bytes, _book: Book, _desk: Desk) -> _Result:
    try:
        decode_envelope(text)
    except LicensingError as error:
        detail = f"{error.detail}; was the file cut or changed on its way: copy it again"
        return NotAccepted(AcceptanceRefusal.MALFORMED, detail)
    detail = "this is nothing that a license server takes: is it the answer of the clearinghouse, and not the request"
    return NotAccepted(AcceptanceRefusal.WRONG_PAYLOAD_TYPE, detail)


def _key_pack(text: bytes, book: Book, desk: Desk, lists: Mapping[bytes, bytes]) -> _Result:
    named = _handover_of(text)
    handover = lists.get(named) if named is not None else None
    now = book.now()
    done = renew_signed_pack(text, book, desk.signatures, desk.ladder, now=now, by=desk.by)
    done = done or receive_signed_pack(text, handover, book, desk.signatures, desk.ladder, now=now, by=desk.by)
    if isinstance(done, Done):
        finish_recovery(book, now=now, by=desk.by)
        pack = KeyPackStatement.from_payload(decode_envelope(text).payload)
        held = {one.id for one in book.shelf().packs if one.generation > 1}
        _answered(book, lambda one: _brings(one, pack, held))
        return Done(done.outcome, done.event, done.facts | {"pack": pack.pack_id})
    return done


def _handover_of(text: bytes) -> bytes | None:
    """The digest that a key pack names, unverified: only to choose among the lists that came along."""
    try:
        return KeyPackStatement.from_payload(decode_envelope(text).payload).handover
    except LicensingError:
        return None


def _order(payload_type: PayloadType, carry_out: Callable[[Any, Book, Desk, bytes], _Result]) -> "_Taker":
    def taken(text: bytes, book: Book, desk: Desk) -> _Result:
        now = book.now()
        order: Order | NotAccepted = accept_order(
            text,
            payload_type,
            trust=trust_of(book, desk.signatures, now),
            server_id=book.server().id,
            now=moment_of(now),
            verify=desk.signatures.verify,
        )
        if isinstance(order, NotAccepted):
            return order
        result = carry_out(order, book, desk, text)
        if isinstance(result, Done) and not isinstance(order, InstallOffer):
            _note_done(book, order.order_id)
        return result

    return taken


def _transfer_order(order: TransferOrder, book: Book, desk: Desk, _text: bytes) -> _Result:
    done = release_pack(order, book, desk.signatures, desk.entropy, now=book.now(), by=desk.by)
    return replace(done, facts=done.facts | {"transfer": order.order_id})


def _transfer_end(order: TransferEnd, book: Book, desk: Desk, _text: bytes) -> _Result:
    done = end_transfer(order, book, now=book.now(), by=desk.by)
    if order.outcome is TransferOutcome.CANCELLED:
        _answered(book, lambda one: _ordered(one, order))
    return replace(done, facts=done.facts | {"transfer": order.transfer_id})


def _pack_change(order: PackChange, book: Book, desk: Desk, text: bytes) -> _Result:
    done = change_pack(order, book, desk.ladder, now=book.now(), by=desk.by, statement=text)
    if isinstance(done, Done):
        ref = order.pack
        _answered(book, lambda one: isinstance(one.question, ChangeRequest) and one.question.pack_id == ref.pack_id)
    return done


def _register(register: Register, book: Book, desk: Desk, _text: bytes) -> _Result:
    if register.order_id in done_orders(book):
        return Done("recovered")
    return take_register(register, book, desk.new_license_key, now=book.now(), by=desk.by)


def _offer(offer: InstallOffer, book: Book, desk: Desk, _text: bytes) -> _Result:
    asked = [one for one in open_asks(book) if one.question.head.nonce == offer.nonce]
    if not asked:
        detail = "the offer answers another request: use the answer to the request that was made last"
        return NotAccepted(AcceptanceRefusal.ANSWERS_ANOTHER_REQUEST, detail)
    forget_ask(book, asked[0].name)
    facts = {"organization": offer.organization, "ladder": offer.ladder, "version": offer.version}
    facts |= {"type": offer.cal_type.value, "program": offer.program.value}
    more = {"quantity": offer.quantity, "left": offer.left, "expires_at": int(offer.expires_at.timestamp())}
    return Done("offered", facts=facts | more | _whether_it_fits(offer, book, desk.ladder))


def _whether_it_fits(offer: InstallOffer, book: Book, ladder: Ladder) -> dict[str, Any]:
    """Whether this server could hold the pack, and which versions could."""
    if offer.ladder != ladder.name or offer.version not in ladder.versions:
        return {"fits": False, "would_do": []}
    fits = server_holds_cal(ladder, book.server().version, offer.version)
    return {"fits": fits, "would_do": list(ladder.at_least(offer.version))}


_Taker: TypeAlias = Callable[[bytes, Book, Desk], _Result]
_TAKEN_AS: Final[Mapping[PayloadType, _Taker]] = MappingProxyType(
    {
        PayloadType.KEYRING: _keyring,
        PayloadType.ACTIVATION: _activation,
        PayloadType.INSTALL_OFFER: _order(PayloadType.INSTALL_OFFER, _offer),
        PayloadType.TRANSFER_ORDER: _order(PayloadType.TRANSFER_ORDER, _transfer_order),
        PayloadType.TRANSFER_END: _order(PayloadType.TRANSFER_END, _transfer_end),
        PayloadType.PACK_CHANGE: _order(PayloadType.PACK_CHANGE, _pack_change),
        PayloadType.REGISTER: _order(PayloadType.REGISTER, _register),
    }
)


# What was asked, and what was done.


def _answered(book: Book, fits: Callable[[OpenAsk], bool]) -> None:
    for one in list(open_asks(book)):
        if fits(one):
            forget_ask(book, one.name)


def _ordered(asked: OpenAsk, end: TransferEnd) -> bool:
    """Whether a move that was given up is one that was asked for here: who asks again asks anew."""
    question = asked.question
    if not isinstance(question, MoveRequest):
        return False
    return transfer_id_of(question.head.nonce, end.pack.pack_id) == end.transfer_id


def _brings(asked: OpenAsk, pack: KeyPackStatement, held: Container[str]) -> bool:
    """Whether a pack that was installed is the last that this question was about; ``held``: packs that came here by a move."""
    question = asked.question
    if isinstance(question, MoveRequest):
        named = pack.pack_id in question.packs and all(one in held for one in question.packs)
        return pack.generation > 1 and (named or not question.packs)
    if isinstance(question, InstallRequest) and not question.preview and pack.generation == 1:
        return question.program is pack.program and question.quantity in {None, pack.total}
    return False


def _note_done(book: Book, order: str) -> None:
    """Report it with the next contacts; the oldest are forgotten, and come again if the clearinghouse has not heard."""
    kept: Sequence[str] = [one for one in done_orders(book) if one != order]
    book.keep_document(_DONE, json.dumps([*kept, order][-MAX_PACKS:]).encode())
