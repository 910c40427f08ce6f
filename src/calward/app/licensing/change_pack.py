"""Make another pack of a key pack, because the clearinghouse signed it so: downgraded, raised, converted, split.

One transaction: the pack, its licenses and a part that is split off change together, or nothing does.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from operator import attrgetter

from calward.app.licensing.acts import Done, RefusedAct, refuse_act, write_act
from calward.app.licensing.install_key_pack import InstallKeyPack, install_key_pack, lowest_generation
from calward.app.licensing.sweep import BATCH, settle
from calward.app.ports import Book, Holding
from calward.domain.compatibility import server_holds_cal
from calward.domain.events import Kind
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.ladder import Ladder
from calward.domain.licenses import Seat
from calward.domain.pack_orders import PackChange
from calward.domain.reasons import Reason
from calward.domain.statements import KeyPackStatement

__all__ = ["change_pack", "close_up", "going_along"]


def change_pack(
    order: PackChange, book: Book, ladder: Ladder, *, now: int, by: str, statement: bytes = b""
) -> Done | RefusedAct:
    """Carry the order out; ``statement``: its envelope, kept with the packs.

    Outcomes: ``changed`` (``event`` 0: it was changed before; ``licenses``: how many changed with it, ``parts``: ids of what was split off),
    ``installed`` (the pack was not here any more and is, as it is now), refused with ``pack-moving``, ``pack-in-use`` (a part that is
    to be of the other type is not free), ``server-version-too-low`` or ``nothing-to-do`` (it is here in another generation).
    """
    book.alone()
    name = PackId(order.pack.pack_id)
    pack = book.shelf().by_id.get(name)
    if pack is None:
        return _install_instead(order, book, ladder, now, by, statement)
    if pack.generation > order.pack.generation:
        return Done("changed", facts={"pack": name})
    refused = _why_not(order, pack, book, ladder, now)
    if refused:
        return refuse_act(book, "change", now, by, *refused, pack=name)
    settle(book, now=now)
    [itself], parts = _sorted_out(order)
    running = book.holdings(pack, now)
    going = going_along(
        pack, running, sum(part.total for part in parts), other_type=_of_other_type(pack, itself, parts)
    )
    if going is None:
        detail = f"pack {name} has too few free CALs for this change: it is carried out when enough are free"
        return refuse_act(book, "change", now, by, Reason.PACK_IN_USE, detail, pack=name, held=len(running))
    book.change_pack(replace(pack, aside=0))  # What was set aside for this is free for it.
    for part in parts:
        _split_off(part, pack, going, book, ladder, now, by, statement)
    close_up([one for one in running if one not in going], itself.total, pack, book, now)
    event = _store(itself, pack, book, ladder, now, by, order.order_id, statement)
    return Done("changed", event, {"pack": name, "licenses": len(running), "parts": [part.pack_id for part in parts]})


def going_along(
    pack: KeyPack, running: Sequence[Holding], count: int, *, other_type: bool = False
) -> frozenset[Holding] | None:
    """The licenses that go with ``count`` CALs of a pack: free CALs go first, then those that expire first.

    None where CALs become ones of the other type and so many are not free.
    """
    free = pack.total - len(running)
    if other_type and free < (count or pack.total):
        return None
    in_order = sorted(running, key=attrgetter("expires_at", "seat"))
    return frozenset(in_order[: max(0, count - free)])


def _sorted_out(order: PackChange) -> tuple[list[KeyPackStatement], list[KeyPackStatement]]:
    """The pack itself in its next generation, and what is split off it."""
    itself = [one for one in order.packs if one.pack_id == order.pack.pack_id]
    return itself, [one for one in order.packs if one not in itself]


def _of_other_type(pack: KeyPack, itself: KeyPackStatement, parts: Sequence[KeyPackStatement]) -> bool:
    return any(one.cal_type is not pack.type for one in (itself, *parts))


def _why_not(order: PackChange, pack: KeyPack, book: Book, ladder: Ladder, now: int) -> tuple[Reason, str] | None:
    """All that could be wrong, before anything is written; raises LicensingError for a version that the ladder has not."""
    for one in order.packs:
        ladder.rung(one.bought_as)
    if pack.transfer is not None:
        return Reason.PACK_MOVING, f"pack {pack.id} is on its way to another license server"
    if pack.generation < order.pack.generation:
        detail = f"pack {pack.id} is here in generation {pack.generation}, the order is about {order.pack.generation}"
        return Reason.NOTHING_TO_DO, detail
    itself, parts = _sorted_out(order)
    ordered = len(itself) == 1 and itself[0].generation == pack.generation + 1
    if not ordered or sum(one.total for one in order.packs) != pack.total:
        return Reason.NOTHING_TO_DO, f"the order does not keep the {pack.total} CALs of pack {pack.id} together"
    spent = next((one for one in parts if one.generation < lowest_generation(book, PackId(one.pack_id))), None)
    if spent is not None:
        return Reason.PACK_ALREADY_INSTALLED, f"pack {spent.pack_id} is or was here already"
    version, server = max((one.version for one in order.packs), key=ladder.family_of), book.server()
    if not server_holds_cal(ladder, server.version, version):
        detail = f"license server {server.name} runs as {server.version} and cannot hold CALs of {version}"
        return Reason.SERVER_VERSION_TOO_LOW, detail
    if any(_seconds(one.expires_at) <= now for one in order.packs):
        return Reason.PACK_EXPIRED, f"pack {pack.id} has expired: there is nothing to change any more"
    return None


def _split_off(
    part: KeyPackStatement,
    pack: KeyPack,
    going: frozenset[Holding],
    book: Book,
    ladder: Ladder,
    now: int,
    by: str,
    statement: bytes,
) -> None:
    """Install the part and give the licenses that go along its CALs."""
    name = PackId(part.pack_id)
    done = install_key_pack(_install(part, by, statement, pack.id), book, ladder, now=now)
    if isinstance(done, RefusedAct):
        raise AssertionError(done)  # noqa: TRY004 - all that could be wrong was asked before
    in_order = sorted(going, key=attrgetter("seat"))
    _reseat([(one.license, n) for n, one in enumerate(in_order, 1)], name, book, now)


def close_up(staying: Sequence[Holding], total: int, pack: KeyPack, book: Book, now: int) -> None:
    """Licenses on CALs beyond the new total take free ones below it."""
    taken = {one.seat for one in staying}
    free = (n for n in range(1, total + 1) if n not in taken)
    _reseat([(one.license, next(free)) for one in staying if one.seat > total], pack.id, book, now)


def _reseat(moves: Sequence[tuple[int, int]], pack: PackId, book: Book, now: int) -> None:
    if not moves:
        return
    book.reseat([(number, Seat(pack, n)) for number, n in moves])
    for start in range(0, len(moves), BATCH):
        some = [list(one) for one in moves[start : start + BATCH]]
        kind = Kind.LICENSES_RESEATED.value
        book.append({"id": book.new_id(), "at": now, "kind": kind, "pack": pack, "licenses": some})


def _store(
    one: KeyPackStatement, pack: KeyPack, book: Book, ladder: Ladder, now: int, by: str, order: str, statement: bytes
) -> int:
    version = ladder.canonical(one.version)
    changed = replace(
        pack,
        version=version,
        family=ladder.family_of(version),
        type=one.cal_type,
        total=one.total,
        expires_at=_seconds(one.expires_at),
        generation=one.generation,
        bought_as=ladder.canonical(one.bought_as),
        aside=0,
    )
    book.change_pack(changed, statement)
    facts = {"version": version, "type": changed.type.value, "total": changed.total, "expires": changed.expires_at}
    facts |= {"generation": changed.generation, "bought_as": changed.bought_as, "order": order}
    return write_act(book, Kind.PACK_CHANGED, now, by, pack=pack.id, **facts)


def _install_instead(
    order: PackChange, book: Book, ladder: Ladder, now: int, by: str, statement: bytes
) -> Done | RefusedAct:
    """A pack that an administrator removed meanwhile is this server's still: it comes back as it is now."""
    done: Done | RefusedAct = Done("ended", facts={"pack": order.pack.pack_id})
    for one in order.packs:
        if one.generation < lowest_generation(book, PackId(one.pack_id)):
            continue  # It went to another license server since, or is here.
        done = install_key_pack(_install(one, by, statement), book, ladder, now=now)
        if isinstance(done, RefusedAct):
            break
    return done


def _install(one: KeyPackStatement, by: str, statement: bytes, split_from: PackId | None = None) -> InstallKeyPack:
    return InstallKeyPack(
        id=PackId(one.pack_id),
        version=one.version,
        type=one.cal_type,
        total=one.total,
        expires_at=_seconds(one.expires_at),
        by=by,
        statement=statement,
        generation=one.generation,
        bought_as=one.bought_as,
        split_from=split_from,
    )


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
