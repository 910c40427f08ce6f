"""Freeze a key pack that is to move to another license server: it issues nothing, its licenses run on. Or use it again."""

from dataclasses import dataclass, replace

from calward.app.licensing.acts import Done, RefusedAct, refuse_act, write_act
from calward.app.licensing.sweep import settle
from calward.app.ports import Book, Holding
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Kind
from calward.domain.handover import HandedLicense
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.licenses import NEVER
from calward.domain.reasons import Reason

__all__ = ["FreezePack", "freeze_pack", "handed_over", "installed_pack", "unfreeze_pack"]


@dataclass(frozen=True, slots=True)
class FreezePack:
    """A pack by its id, the transfer for which it is frozen, where it goes (for people), and who orders it."""

    pack: PackId
    transfer: str
    target: str
    by: str


def freeze_pack(command: FreezePack, book: Book, *, now: int) -> Done | RefusedAct:
    """Freeze it. Repeated for the same transfer it changes nothing; for another it is refused. Raises LicensingError(NOT_FOUND)."""
    book.alone()
    pack = installed_pack(book, command.pack)
    if pack.transfer == command.transfer:
        return Done("frozen", facts={"pack": pack.id})
    if pack.transfer is not None:
        detail = f"pack {pack.id} is frozen for another transfer ({pack.transfer})"
        return refuse_act(book, "freeze", now, command.by, Reason.PACK_MOVING, detail, pack=pack.id)
    settle(book, now=now)
    book.change_pack(replace(pack, transfer=command.transfer, frozen_at=now))
    facts = {"pack": pack.id, "generation": pack.generation, "transfer": command.transfer, "target": command.target}
    return Done("frozen", write_act(book, Kind.PACK_FROZEN, now, command.by, **facts), {"pack": pack.id})


def unfreeze_pack(pack: PackId, transfer: str, book: Book, *, now: int, by: str) -> Done:
    """Use a pack again that was frozen for this transfer; otherwise nothing changes."""
    book.alone()
    found = book.shelf().by_id.get(pack)
    if found is None or found.transfer != transfer:
        return Done("unfrozen")
    book.change_pack(replace(found, transfer=None, frozen_at=None))
    event = write_act(book, Kind.PACK_UNFROZEN, now, by, pack=pack, transfer=transfer)
    return Done("unfrozen", event, {"pack": pack})


def handed_over(pack: KeyPack, book: Book, *, now: int) -> tuple[HandedLicense, ...]:
    """The running licenses of a frozen pack, as its next license server takes them."""
    return tuple(_handed(one) for one in book.holdings(pack, now))


def installed_pack(book: Book, pack: PackId) -> KeyPack:
    """The pack; raises LicensingError(NOT_FOUND)."""
    found = book.shelf().by_id.get(pack)
    if found is None:
        known = ", ".join(sorted(book.shelf().by_id)) or "none"
        raise LicensingError(Problem.NOT_FOUND, f"no pack {pack!r} is installed (installed: {known})", field="pack")
    return found


def _handed(one: Holding) -> HandedLicense:
    label = "" if one.label == one.key else one.label
    end = min(one.expires_at, NEVER)
    return HandedLicense(one.kind, one.key, label, one.seat, one.issued_at, end, one.proven_at)
