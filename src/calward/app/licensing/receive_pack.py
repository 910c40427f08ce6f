"""Receive a key pack that was moved here: install it and let its licenses go on, in one transaction."""

from collections.abc import Iterable, Sequence

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.install_key_pack import InstallKeyPack, install_key_pack
from calward.app.licensing.signed_things import Signatures, accept_pack, install_command
from calward.app.ports import Book
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.cals import HolderKind
from calward.domain.events import Kind
from calward.domain.handover import HandedLicense
from calward.domain.key_packs import KeyPack
from calward.domain.ladder import Ladder
from calward.domain.licenses import Ending, Holder, License, Seat, Status
from calward.domain.pack_acceptance import accept_handover

__all__ = ["receive_pack", "receive_signed_pack"]

_AT_ONCE = 256
"""Holders read together."""


def receive_signed_pack(
    text: bytes, handover: bytes | None, book: Book, signatures: Signatures, ladder: Ladder, *, now: int, by: str
) -> Done | RefusedAct | NotAccepted:
    """Install a key pack that the clearinghouse signed for this license server, with the licenses that it names, if any."""
    found = accept_pack(text, book, signatures, ladder, now=now)
    if isinstance(found, NotAccepted):
        return found
    licenses: tuple[HandedLicense, ...] = ()
    if found.handover is not None:
        if handover is None:
            detail = f"the list of licenses that come with key pack {found.pack_id} is missing: copy the whole answer"
            return NotAccepted(AcceptanceRefusal.HANDOVER_MISSING, detail)
        listed = accept_handover(handover, digest=found.handover)
        if isinstance(listed, NotAccepted):
            return listed
        licenses = listed.licenses
    return receive_pack(install_command(found, text, by), licenses, book, ladder, now=now)


def receive_pack(
    command: InstallKeyPack, licenses: Sequence[HandedLicense], book: Book, ladder: Ladder, *, now: int
) -> Done | RefusedAct:
    """Install the pack and adopt these licenses onto the same CALs. Facts: ``adopted`` and ``left``, how many.

    A license stays away that has ended, that is none of the pack's, or whose holder has a full one here that opens as much.
    """
    book.alone()
    done = install_key_pack(command, book, ladder, now=now)
    if isinstance(done, RefusedAct):
        return done
    pack = book.shelf().by_id[command.id]
    adopted = sum(_adopt(one, pack, book, now) for one in _met(_fitting(licenses, pack, now), pack, book))
    return Done("installed", done.event, {"adopted": adopted, "left": len(licenses) - adopted})


def _fitting(licenses: Iterable[HandedLicense], pack: KeyPack, now: int) -> list[HandedLicense]:
    kind = pack.type.holder_kind
    return [one for one in licenses if one.kind is kind and one.seat <= pack.total and one.expires_at > now]


def _met(licenses: Sequence[HandedLicense], pack: KeyPack, book: Book) -> Iterable[HandedLicense]:
    """The same, with their holders read many at once."""
    for start in range(0, len(licenses), _AT_ONCE):
        some = licenses[start : start + _AT_ONCE]
        book.meet(pack.type.holder_kind, {one.key: one.label or one.key for one in some})
        yield from some


def _adopt(one: HandedLicense, pack: KeyPack, book: Book, now: int) -> bool:
    holder = book.holder(one.kind, one.key, one.label or one.key)
    running = [x for x in book.licenses_of(holder) if x.type is pack.type and x.runs(now)]
    if any(x.status is Status.ACTIVE and x.family >= pack.family for x in running):
        return False  # The CAL is free; the holder has lost nothing.
    number = book.new_id()
    ends = [x for x in running if x.family <= pack.family]
    for old in ends:
        book.end(old, now, Ending.UPGRADED)
    end = min(one.expires_at, pack.expires_at)
    book.add_license(_license(number, holder, pack, one, end))
    event = {"id": number, "at": now, "kind": Kind.LICENSE_ADOPTED.value, "holder": holder.token, "pack": pack.id}
    event |= {"seat": one.seat, "issued": one.issued_at, "expires": end}
    if ends:
        event["ends"] = [[x.id, Ending.UPGRADED.value] for x in ends]
    if one.proven_at is not None and one.kind is HolderKind.DEVICE and holder.proven_at is None:
        book.prove(holder, one.proven_at)
        event["proven"] = one.proven_at
    book.append(event)
    return True


def _license(number: int, holder: Holder, pack: KeyPack, one: HandedLicense, end: int) -> License:
    return License(
        id=number,
        holder=holder.id,
        type=pack.type,
        status=Status.ACTIVE,
        version=pack.version,
        family=pack.family,
        seat=Seat(pack.id, one.seat),
        issued_at=one.issued_at,
        expires_at=end,
        decision=number,
    )
