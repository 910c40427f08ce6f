"""A license server and the clearinghouse are in touch: what waits is carried out, and the right to issue renews itself.

Virtual time passes between steps only. A server that is up and reaches the clearinghouse has been in touch all the time (hourly,
design 5), so its renewals lie where they would have been.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from types import MappingProxyType
from typing import Any, Final

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.change_pack import change_pack
from calward.app.licensing.change_server import activate_server
from calward.app.licensing.end_transfer import end_transfer
from calward.app.licensing.freeze_pack import handed_over
from calward.app.licensing.receive_pack import receive_pack
from calward.app.licensing.release_pack import release_pack
from calward.app.licensing.request_packs import new_head
from calward.app.licensing.signed_things import Signatures, install_command, moment_of
from calward.app.licensing.transfers import release_of
from calward.app.ports import Book
from calward.app.scenarios.world import BY, RIGHT, PlayedServer, World
from calward.domain.acceptance import NotAccepted
from calward.domain.handover import HandedLicense
from calward.domain.key_packs import PackId
from calward.domain.pack_orders import PackChange, TransferEnd, TransferOrder
from calward.domain.pack_requests import Release
from calward.domain.reasons import Reason
from calward.domain.register import Post, complete_move
from calward.domain.statements import KeyPackStatement

__all__ = ["contact", "keep_in_touch", "right_until"]

_RENEWED_AFTER: Final = RIGHT // 3
_IN_VAIN: Final = frozenset({Reason.PACK_ALREADY_INSTALLED, Reason.PACK_EXPIRED})

_UNSIGNED: Final = Signatures(frozenset(), lambda *_: False, b"", lambda _kind, payload: payload)


def keep_in_touch(world: World, now: int) -> None:
    """What has happened by itself up to now: moves whose day has come, and the regular contacts."""
    world.office.end_due(now)
    for server in world.servers.values():
        if server.in_touch:
            contact(server, world, now)


def contact(server: PlayedServer, world: World, now: int) -> None:
    """Carry out all that waits for a server, and renew its right where that is due. What is refused stays waiting."""
    refused: list[Post] = []
    while waiting := world.office.outbox.pop(server.name, []):
        refused += [post for post in waiting if not _deliver(post, server, world, now)]
    if refused:
        world.office.outbox[server.name] = refused
    _renew(server, world, now)


def _deliver(post: Post, server: PlayedServer, world: World, now: int) -> bool:
    """Whether it is done with: carried out, or a pack that is there or has ended."""
    done = _DELIVER[type(post.statement)](post, server, world, now)
    return isinstance(done, Done) or not _IN_VAIN.isdisjoint(done.reasons)


def right_until(server: PlayedServer, world: World, now: int) -> int:
    """The end of a right to issue that is given now: 30 days, less where a pack is about to go elsewhere by itself."""
    latest = world.office.latest_right(server.name)
    return now + RIGHT if latest is None else min(now + RIGHT, int(latest.timestamp()))


def _renew(server: PlayedServer, world: World, now: int) -> None:
    until = server.state().issue_until
    if until is None:
        return
    first = max(until - RIGHT + _RENEWED_AFTER, server.in_touch_since)
    if first > now:
        return
    last = first + (now - first) // _RENEWED_AFTER * _RENEWED_AFTER
    new = min(last + RIGHT, right_until(server, world, now))
    if new > until:
        server.ledger.write(lambda book: activate_server(new, book, now=now, by=BY))


def _order(post: Post, server: PlayedServer, world: World, now: int) -> Done | RefusedAct:
    """The source freezes the pack and releases it; the clearinghouse hands it on."""
    order: Any = post.statement
    done, release, licenses = server.ledger.write(lambda book: _release(order, book, server, now))
    record = world.office.register[PackId(order.pack.pack_id)]
    if release is None:
        return done
    step = complete_move(record, release, end_id=world.office.new_id(), now=moment_of(now))
    if not isinstance(step, NotAccepted):
        world.office.handed[order.order_id] = licenses
        world.office.store(step)
        _tell_target(step.packs[0].statement.server_id, world, now)
    return done


def _release(
    order: TransferOrder, book: Book, server: PlayedServer, now: int
) -> tuple[Done | RefusedAct, Release | None, tuple[HandedLicense, ...]]:
    done = release_pack(order, book, _UNSIGNED, server.entropy, now=now, by=BY)
    bundle = release_of(book, order.order_id)
    if isinstance(done, RefusedAct) or bundle is None:
        return done, None, ()
    pack = book.shelf().by_id.get(PackId(order.pack.pack_id))
    licenses = () if pack is None else handed_over(pack, book, now=now)
    head, digest = new_head(book, server.entropy, now), sha256(bundle).digest()
    return (
        done,
        Release(head, order.order_id, order.pack.pack_id, order.pack.generation, digest, len(licenses)),
        licenses,
    )


def _tell_target(name: str, world: World, now: int) -> None:
    target = world.servers[name]
    if target.in_touch:
        contact(target, world, now)


def _end(post: Post, server: PlayedServer, _world: World, now: int) -> Done | RefusedAct:
    end: Any = post.statement
    return server.ledger.write(lambda book: end_transfer(end, book, now=now, by=BY))


def _pack(post: Post, server: PlayedServer, world: World, now: int) -> Done | RefusedAct:
    pack: Any = post.statement
    licenses = world.office.handed.get(post.handover or "", ())
    command = install_command(pack, b"", BY)
    done = server.ledger.write(lambda book: receive_pack(command, licenses, book, world.ladder, now=now))
    if isinstance(done, Done):
        world.office.adopted[pack.pack_id] = done.facts["adopted"]
        world.office.handed.pop(post.handover or "", None)
    return done


def _change(post: Post, server: PlayedServer, world: World, now: int) -> Done | RefusedAct:
    order: Any = post.statement
    return server.ledger.write(lambda book: change_pack(order, book, world.ladder, now=now, by=BY))


_DELIVER: Final[Mapping[type, Callable[[Post, PlayedServer, World, int], Done | RefusedAct]]] = MappingProxyType(
    {TransferOrder: _order, TransferEnd: _end, KeyPackStatement: _pack, PackChange: _change}
)
