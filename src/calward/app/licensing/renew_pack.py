"""Take a pack that is here in the form in which the clearinghouse signed it anew, after the ledger was recovered."""

from dataclasses import replace

from calward.app.licensing.acts import Done, RefusedAct, write_act
from calward.app.licensing.change_pack import close_up
from calward.app.licensing.end_transfer import move_out
from calward.app.licensing.install_key_pack import InstallKeyPack, install_key_pack
from calward.app.licensing.recover import missing_packs
from calward.app.licensing.signed_things import Signatures, accept_pack, install_command
from calward.app.licensing.sweep import settle
from calward.app.ports import Book
from calward.domain.acceptance import NotAccepted
from calward.domain.events import Kind
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.ladder import Ladder

__all__ = ["renew_signed_pack"]

RECOVERED = "0" * 32
"""Stands for the order where there is none but the register."""


def renew_signed_pack(
    text: bytes, book: Book, signatures: Signatures, ladder: Ladder, *, now: int, by: str
) -> Done | RefusedAct | NotAccepted | None:
    """Take it, with the licenses that run on it; None: it is not here, or the register says nothing of it, so that it is installed.

    Where the pack was changed after the backup so that its licenses do not fit it any more, they end, and their holders get new
    ones from it or from its part: nobody knows which of them went where.
    """
    found = accept_pack(text, book, signatures, ladder, now=now)
    if isinstance(found, NotAccepted):
        return found
    pack = book.shelf().by_id.get(PackId(found.pack_id))
    due = {one.pack_id for one in missing_packs(book) if one.generation <= found.generation}
    if pack is None or found.pack_id not in due:
        return None
    command = install_command(found, text, by)
    renewed = _renewed(command, pack, ladder)  # Raises before anything is written.
    book.alone()
    settle(book, now=now)
    running = book.holdings(pack, now)
    if pack.transfer is None and command.type is pack.type and len(running) <= command.total:
        close_up(running, command.total, pack, book, now)
        return Done("renewed", _store(renewed, command, book, now), {"licenses": len(running)})
    move_out(pack, pack.transfer or RECOVERED, book, now=now, by=by)
    return install_key_pack(command, book, ladder, now=now)


def _renewed(command: InstallKeyPack, pack: KeyPack, ladder: Ladder) -> KeyPack:
    """The pack as the clearinghouse has signed it now."""
    version = ladder.canonical(command.version)
    family, bought_as = ladder.family_of(version), ladder.canonical(command.bought_as or command.version)
    changed = replace(pack, version=version, family=family, total=command.total, expires_at=command.expires_at)
    return replace(changed, generation=command.generation, bought_as=bought_as, aside=0)


def _store(pack: KeyPack, command: InstallKeyPack, book: Book, now: int) -> int:
    book.change_pack(pack, command.statement)
    facts = {"version": pack.version, "type": pack.type.value, "total": pack.total, "expires": pack.expires_at}
    facts |= {"generation": pack.generation, "bought_as": pack.bought_as, "order": RECOVERED}
    return write_act(book, Kind.PACK_CHANGED, now, command.by, pack=pack.id, **facts)
