"""Take the clearinghouse's register: what this server holds, whatever its own ledger says.

The way out for a ledger that was lost, or of which a newer one was seen. The register says which packs are this server's and in
which generation; it signs each of them anew, and they follow. What others have seen and this ledger does not know is given up: the
key that signs licenses is exchanged, so that a license of that time is worth nothing, and packs that are not in the register go.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace

from calward.app.licensing.acts import Done, write_act
from calward.app.licensing.end_transfer import end_transfer, move_out
from calward.app.licensing.quarantine import leave_quarantine
from calward.app.licensing.request_packs import forget_ask, open_asks
from calward.app.licensing.signed_things import REGISTER, moment_of
from calward.app.licensing.transfers import open_transfers
from calward.app.licensing.words import earlier_words, word_was_answered
from calward.app.ports import Book
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.events import Kind
from calward.domain.fields import parse_moment, render_moment
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.pack_orders import PackRef, Register, TransferEnd, TransferOutcome
from calward.domain.pack_requests import RecoverRequest

__all__ = ["NewLicenseKey", "finish_recovery", "missing_packs", "take_register"]

NewLicenseKey = Callable[[], str]
"""Exchanges the key that signs licenses, durably, and gives the new one's id."""


def take_register(
    register: Register, book: Book, new_license_key: NewLicenseKey, *, now: int, by: str
) -> Done | NotAccepted:
    """Do what the answer to our recover request says; quarantine ends once its packs have come.

    Facts: ``packs``, how many are this server's, ``removed``, the ids of those that are not.
    """
    if not _asked_for(register, book):
        detail = "the register answers another request: use the answer to the recover request that was made last"
        return NotAccepted(AcceptanceRefusal.ANSWERS_ANOTHER_REQUEST, detail)
    book.alone()
    # Before anything is written: a key that was exchanged for nothing costs a heartbeat, one that was not would leave void licenses
    # good. What fails here has changed nothing.
    key = new_license_key()
    word_was_answered(book, register.nonce)
    refs = {one.pack_id: one.generation for one in register.packs}
    _end_transfers(register, refs, book, now, by)
    gone = [pack for pack in book.shelf().packs if pack.id not in refs]
    for pack in gone:
        move_out(pack, register.order_id, book, now=now, by=by)
    for pack in [pack for pack in book.shelf().packs if pack.aside]:
        _put_back(pack, book, now, by)
    for one in list(open_asks(book)):
        forget_ask(book, one.name)
    book.keep_document(REGISTER, json.dumps({"issued_at": render_moment(register.issued_at), "packs": refs}).encode())
    book.set_server(replace(book.server(), recovered_at=now))
    facts = {"order": register.order_id, "packs": len(refs), "removed": [pack.id for pack in gone], "key": key}
    event = write_act(book, Kind.LEDGER_RECOVERED, now, by, **facts)
    finish_recovery(book, now=now, by=by)
    return Done("recovered", event, {"packs": len(refs), "removed": [pack.id for pack in gone]})


def _asked_for(register: Register, book: Book) -> bool:
    """Whether it answers a recover request of ours: one that is open, or that was refused once and was heard after all.

    The clearinghouse has signed the packs anew then, whatever we think of our question; one that we followed already is none.
    """
    asked = next((x for x in open_asks(book) if x.question.head.nonce == register.nonce), None)
    if asked is not None:
        return isinstance(asked.question, RecoverRequest)
    last = book.document(REGISTER)
    newer = last is None or register.issued_at > parse_moment(json.loads(last)["issued_at"], "the register")
    return newer and register.nonce in earlier_words(book)


def finish_recovery(book: Book, *, now: int, by: str) -> None:
    """End the quarantine of a recovered ledger when all its packs have been signed anew; asked after each pack."""
    server = book.server()
    recovering = server.recovered_at is not None and server.quarantined_at is not None
    if recovering and _of_this_time(book) and not missing_packs(book):
        leave_quarantine(book, now=now, by=by, how="recovered")


def missing_packs(book: Book) -> tuple[PackRef, ...]:
    """The packs of the last register that have not come in the generation that it says."""
    here = book.shelf().by_id
    return tuple(
        PackRef(name, generation)
        for name, generation in _register(book).items()
        if PackId(name) not in here or here[PackId(name)].generation < generation
    )


def _register(book: Book) -> Mapping[str, int]:
    body = book.document(REGISTER)
    found: dict[str, int] = json.loads(body)["packs"] if body else {}
    return found


def _of_this_time(book: Book) -> bool:
    """Whether the last recovery is of this quarantine, not of one before it."""
    server = book.server()
    return (server.recovered_at or 0) >= (server.quarantined_at or 0)


def _end_transfers(register: Register, refs: Mapping[str, int], book: Book, now: int, by: str) -> None:
    """What was to leave has left, or the clearinghouse has given that up: the register says which."""
    for one in open_transfers(book):
        outcome = TransferOutcome.CANCELLED if one.pack in refs else TransferOutcome.COMPLETED
        ref = PackRef(one.pack, one.generation)
        end = TransferEnd(register.order_id, register.server_id, one.id, ref, outcome, moment_of(now))
        end_transfer(end, book, now=now, by=by)


def _put_back(pack: KeyPack, book: Book, now: int, by: str) -> None:
    """CALs that were set aside for a change can be issued again: the change was asked for with a ledger that counts no more."""
    book.change_pack(replace(pack, aside=0))
    write_act(book, Kind.CALS_SET_ASIDE, now, by, pack=pack.id, count=0)
