"""Install a key pack, or remove one that nobody uses."""

from dataclasses import dataclass

from calward.app.licensing.acts import Done, RefusedAct, refuse_act, write_act
from calward.app.licensing.sweep import settle
from calward.app.ports import Book
from calward.domain.cals import CalType
from calward.domain.compatibility import server_holds_cal
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Kind
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.ladder import Ladder
from calward.domain.reasons import Reason

__all__ = [
    "BARRED",
    "InstallKeyPack",
    "RemoveKeyPack",
    "install_key_pack",
    "lowest_generation",
    "remove_key_pack",
]

BARRED = "barred:"
"""Documents of packs that never came here, or were removed, and went elsewhere: the lowest generation that may still come."""


@dataclass(frozen=True, slots=True)
class InstallKeyPack:
    """A pack whose statement was accepted. ``expires_at``: seconds since 1970. ``statement``: the signed envelope's bytes.

    ``bought_as``: the version up to which it can be raised; empty: its own. ``split_from``: the pack of which it was a part.
    """

    id: PackId
    version: str
    type: CalType
    total: int
    expires_at: int
    by: str
    statement: bytes = b""
    generation: int = 1
    bought_as: str = ""
    split_from: PackId | None = None


@dataclass(frozen=True, slots=True)
class RemoveKeyPack:
    """A pack by its id, and who asks."""

    id: PackId
    by: str


def install_key_pack(command: InstallKeyPack, book: Book, ladder: Ladder, *, now: int) -> Done | RefusedAct:
    """Install all CALs of a pack, or say why not; raises LicensingError for an unknown version or a total below 1.

    INVARIANT: a generation of a pack that is here, or that went elsewhere from here, is never installed (again). One that was
    removed here and nowhere else used may come back.
    """
    version = ladder.canonical(command.version)
    if command.total < 1:
        raise LicensingError(Problem.MALFORMED, f"pack {command.id!r} must hold at least 1 CAL", field="total")
    server = book.server()
    refused = _why_not(command, book, ladder, version, now)
    if refused:
        reason, detail = refused
        return refuse_act(book, "install", now, command.by, reason, detail, pack=command.id)
    pack = KeyPack(
        id=command.id,
        row=book.new_id(),
        version=version,
        family=ladder.family_of(version),
        type=command.type,
        total=command.total,
        installed_at=now,
        expires_at=command.expires_at,
        generation=command.generation,
        bought_as=ladder.canonical(command.bought_as or version),
    )
    book.add_pack(pack, command.statement)
    facts = {
        "pack": pack.id,
        "version": version,
        "type": pack.type.value,
        "total": pack.total,
        "expires": pack.expires_at,
        "generation": pack.generation,
        "bought_as": pack.bought_as,
    }
    if command.split_from is not None:
        facts["split_from"] = command.split_from
    book.append(
        {"id": pack.row, "at": now, "kind": Kind.PACK_INSTALLED.value, "by": command.by, "server": server.name} | facts
    )
    return Done("installed", pack.row)


def _why_not(command: InstallKeyPack, book: Book, ladder: Ladder, version: str, now: int) -> tuple[Reason, str] | None:
    server = book.server()
    if command.id in book.shelf().by_id:
        return Reason.PACK_ALREADY_INSTALLED, f"pack {command.id} is installed already: nothing was changed"
    if command.generation < lowest_generation(book, command.id):
        detail = f"pack {command.id} was here in this form and has moved on: ask the clearinghouse where it is"
        return Reason.PACK_ALREADY_INSTALLED, detail
    if not server_holds_cal(ladder, server.version, version):
        would = ", ".join(ladder.at_least(version))
        detail = f"pack {command.id} holds {version} CALs, license server {server.name} runs as {server.version}: versions that would do are {would}"
        return Reason.SERVER_VERSION_TOO_LOW, detail
    if command.expires_at <= now:
        return Reason.PACK_EXPIRED, f"pack {command.id} has expired: ask for one with a later end"
    return None


def lowest_generation(book: Book, pack: PackId) -> int:
    """From which generation on a pack may be installed here: what was here counts, and what went elsewhere without having come."""
    barred = book.document(BARRED + pack)
    return max(book.lowest_generation(pack), int(barred) if barred else 1)


def remove_key_pack(command: RemoveKeyPack, book: Book, *, now: int) -> Done | RefusedAct:
    """Remove a pack of which no CAL is held; raises LicensingError(NOT_FOUND)."""
    pack = book.shelf().by_id.get(command.id)
    if pack is None:
        known = ", ".join(sorted(book.shelf().by_id)) or "none"
        raise LicensingError(
            Problem.NOT_FOUND, f"no pack {command.id!r} is installed (installed: {known})", field="pack"
        )
    if pack.transfer is not None:
        return refuse_act(book, "remove", now, command.by, Reason.PACK_MOVING, pack=pack.id)
    held = book.held(pack, now)
    if held:
        detail = f"{held} of {pack.total} CALs of pack {pack.id} are held by running licenses: they end, or are revoked or released, first"
        return refuse_act(book, "remove", now, command.by, Reason.PACK_IN_USE, detail, pack=pack.id, held=held)
    settle(book, now=now)  # Afterwards nobody would find what has ended on this pack without being written down.
    book.remove_pack(pack)
    return Done("removed", write_act(book, Kind.PACK_REMOVED, now, command.by, pack=pack.id))
