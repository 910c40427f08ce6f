"""How many CALs and licenses are there, of a pack, of a version's family, of a type?"""

from collections.abc import Iterator, Mapping

from calward.app.ports import Book
from calward.app.scenarios.story import Look
from calward.app.scenarios.world import World
from calward.domain.answers import rfc3339
from calward.domain.key_packs import KeyPack
from calward.domain.licenses import License, Status
from calward.domain.register import Transfer

__all__ = ["look"]


def look(act: Look, world: World, now: int) -> Mapping[str, object]:
    """Count; what is not there counts 0.

    Temporary and over-used licenses belong to no pack: asked for a pack, those of its family and type are counted.
    """
    return world.servers[act.server].ledger.write(lambda book: _count(act, book, world, now))


def _count(act: Look, book: Book, world: World, now: int) -> Mapping[str, object]:
    packs = [pack for pack in book.shelf().packs if _asked(act, pack, world)]
    issued = {pack.id: book.held(pack, now) for pack in packs}
    running = list(_running(act, packs, book, world, now))
    one = packs[0] if act.pack and packs else None
    transfer = _transfer(act, world)
    at = transfer and transfer.effective_at
    return {
        "outcome": "looked",
        "version": one.version if one else act.version,
        "type": one.type.value if one else act.type and act.type.value,
        "total": sum(pack.total for pack in packs),
        "issued": sum(issued.values()),
        "available": sum(
            pack.total - issued[pack.id] for pack in packs if pack.transfer is None and now < pack.expires_at
        ),
        "bought_as": one.bought_as if one else None,
        "moving": transfer and transfer.target_name,
        "effective_at": at and rfc3339(int(at.timestamp())),
        "over_used": sum(license_.status is Status.OVER_USED for license_ in running),
        "temporary": sum(license_.status is Status.TEMPORARY for license_ in running),
    }


def _transfer(act: Look, world: World) -> Transfer | None:
    """The move of the pack that is asked for, as the clearinghouse knows it."""
    record = world.office.register.get(act.pack) if act.pack else None
    return record.transfer if record else None


def _asked(act: Look, pack: KeyPack, world: World) -> bool:
    family = None if act.version is None else world.ladder.family_of(act.version)
    return (
        act.pack in {None, pack.id}
        and (act.pack is not None or family in {None, pack.family})
        and (act.pack is not None or act.type in {None, pack.type})
    )


def _running(act: Look, packs: list[KeyPack], book: Book, world: World, now: int) -> Iterator[License]:
    """The running licenses of the families and types that are asked for, of everybody who has ever asked this server."""
    family = None if act.version is None else world.ladder.family_of(act.version)
    for kind, key in sorted(world.holders.get(act.server, ())):
        holder = book.find_holder(kind, key)
        for license_ in book.licenses_of(holder) if holder else ():
            if act.pack is not None:
                counts = any((x.family, x.type) == (license_.family, license_.type) for x in packs)
            else:
                counts = family in {None, license_.family} and act.type in {None, license_.type}
            if counts and license_.runs(now):
                yield license_
