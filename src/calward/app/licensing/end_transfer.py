"""End a transfer at its source, because the clearinghouse says how it ended: the pack goes for good, or is used again."""

from dataclasses import replace

from calward.app.licensing.acts import Done, write_act
from calward.app.licensing.freeze_pack import unfreeze_pack
from calward.app.licensing.sweep import settle
from calward.app.licensing.transfers import Stage, Transfer, bar, transfer, unbar
from calward.app.ports import Book
from calward.domain.events import Kind
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.licenses import Ending
from calward.domain.pack_orders import PackRef, TransferEnd, TransferOutcome

__all__ = ["end_transfer", "move_out"]


def end_transfer(order: TransferEnd, book: Book, *, now: int, by: str) -> Done:
    """Carry it out; once it has ended one way, nothing that comes later changes that.

    Outcomes: ``moved`` (``licenses``: how many have ended here), ``unfrozen``, ``ended`` (nothing was left to do).
    """
    book.alone()
    known = transfer(book, order.transfer_id)
    if known is not None and known.stage is not Stage.RELEASED:
        return Done("ended", facts={"pack": known.pack})
    target = known.target if known else ""
    stage = Stage.COMPLETED if order.outcome is TransferOutcome.COMPLETED else Stage.CANCELLED
    carry_out = _complete if stage is Stage.COMPLETED else _cancel
    done = carry_out(order.pack, order.transfer_id, known, book, now, by)
    Transfer(order.transfer_id, order.pack.pack_id, order.pack.generation, stage, target, now).keep(book)
    return done


def _complete(ref: PackRef, number: str, known: Transfer | None, book: Book, now: int, by: str) -> Done:
    name = PackId(ref.pack_id)
    pack = book.shelf().by_id.get(name)
    if pack is not None and pack.generation > ref.generation:
        return Done("ended", facts={"pack": name})  # It has come back since.
    never_came = known is None if pack is None else pack.generation < ref.generation
    event = _bar(ref, number, book, now, by) if never_came else 0  # It may be on its way here still.
    if pack is not None:
        return move_out(pack, number, book, now=now, by=by)
    return Done("ended", event, {"pack": name})


def _bar(ref: PackRef, number: str, book: Book, now: int, by: str) -> int:
    name = PackId(ref.pack_id)
    bar(book, name, ref.generation)
    facts = {"pack": name, "generation": ref.generation, "transfer": number}
    return write_act(book, Kind.PACK_BARRED, now, by, **facts)


def _cancel(ref: PackRef, number: str, known: Transfer | None, book: Book, now: int, by: str) -> Done:
    name = PackId(ref.pack_id)
    if known is not None and name not in book.shelf().by_id:
        unbar(book, name, ref.generation)  # It was released without having been here, and may come after all.
    done = unfreeze_pack(name, number, book, now=now, by=by)
    return done if done.event else Done("ended", facts={"pack": name})


def move_out(pack: KeyPack, number: str, book: Book, *, now: int, by: str) -> Done:
    """Take a pack away with all its licenses, which go on elsewhere."""
    settle(book, now=now)
    licenses = len(book.holdings(pack, now))
    book.end_all(pack, now, Ending.MOVED)
    book.change_pack(replace(pack, transfer=number, aside=0))
    book.remove_pack(pack)
    facts = {"pack": pack.id, "generation": pack.generation, "transfer": number}
    return Done(
        "moved", write_act(book, Kind.PACK_MOVED_OUT, now, by, **facts), {"pack": pack.id, "licenses": licenses}
    )
