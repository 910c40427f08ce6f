"""Release a key pack for another license server, because the clearinghouse ordered it: freeze it, list its licenses, sign.

All in one transaction: either the pack is frozen and its release is kept, byte for byte, or nothing happened.
"""

from dataclasses import replace
from hashlib import sha256

from calward.app.licensing.acts import Done, RefusedAct, refuse_act, write_act
from calward.app.licensing.freeze_pack import FreezePack, freeze_pack, handed_over
from calward.app.licensing.request_packs import new_head
from calward.app.licensing.signed_things import Signatures
from calward.app.licensing.transfers import Stage, Transfer, bar, keep_release, transfer
from calward.app.ports import Book, Entropy
from calward.domain.bundle import join
from calward.domain.events import Kind
from calward.domain.handover import MAX_HANDOVER_SIZE, HandedLicense, Handover
from calward.domain.key_packs import PackId
from calward.domain.pack_orders import TransferOrder
from calward.domain.pack_requests import Release
from calward.domain.reasons import Reason
from calward.domain.statements import PayloadType

__all__ = ["release_pack"]


def release_pack(
    order: TransferOrder, book: Book, signatures: Signatures, entropy: Entropy, *, now: int, by: str
) -> Done | RefusedAct:
    """Carry the order out; the bundle to send is ``transfers.release_of(book, order.order_id)``.

    Outcomes: ``released`` (``licenses``: how many go along; ``event`` 0: it was released before), ``ended`` (the transfer had ended
    already), refused with ``pack-moving`` (frozen for another transfer) or ``nothing-to-do`` (the pack is here in another generation).
    A pack that is not here is released with no licenses and can no longer be installed here.
    """
    book.alone()
    known = transfer(book, order.order_id)
    if known is not None:
        return Done("released" if known.stage is Stage.RELEASED else "ended", facts={"pack": known.pack})
    name = PackId(order.pack.pack_id)
    pack = book.shelf().by_id.get(name)
    licenses: tuple[HandedLicense, ...] = ()
    if pack is None:
        bar(book, name, order.pack.generation)
        facts = {"pack": name, "generation": order.pack.generation, "transfer": order.order_id}
        event = write_act(book, Kind.PACK_BARRED, now, by, **facts)
    elif pack.generation != order.pack.generation:
        detail = f"pack {name} is here in generation {pack.generation}, the order is about {order.pack.generation}"
        return refuse_act(book, "freeze", now, by, Reason.NOTHING_TO_DO, detail, pack=name)
    else:
        done = freeze_pack(FreezePack(name, order.order_id, order.target_id, by), book, now=now)
        if isinstance(done, RefusedAct):
            return done
        event, licenses = done.event, handed_over(pack, book, now=now)
    keep_release(book, order.order_id, _signed(order, licenses, book, signatures, entropy, now))
    Transfer(order.order_id, name, order.pack.generation, Stage.RELEASED, order.target_name, now).keep(book)
    return Done("released", event, {"pack": name, "licenses": len(licenses), "target": order.target_name})


def _signed(
    order: TransferOrder,
    licenses: tuple[HandedLicense, ...],
    book: Book,
    signatures: Signatures,
    entropy: Entropy,
    now: int,
) -> bytes:
    """The release and the list, sealed."""
    server, pack = book.server(), order.pack
    listed = signatures.seal(PayloadType.HANDOVER, Handover(server.id, order.order_id, pack, licenses).to_payload())
    if len(listed) > MAX_HANDOVER_SIZE:  # Around a million licenses: what people call their holders stays behind.
        unnamed = tuple(replace(one, label="") for one in licenses)
        listed = signatures.seal(PayloadType.HANDOVER, Handover(server.id, order.order_id, pack, unnamed).to_payload())
    head = new_head(book, entropy, now)
    digest = sha256(listed.removesuffix(b"\n")).digest()
    release = Release(head, order.order_id, pack.pack_id, pack.generation, digest, len(licenses))
    return join((signatures.seal(PayloadType.RELEASE, release.to_payload()), listed))
