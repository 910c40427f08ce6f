"""The end of every story: no more faults, one copy of each server, everybody talks; then all must be where the register has it."""

from random import Random
from typing import Any

from calward.app.licensing.contact import contact_online
from calward.app.licensing.request_packs import open_asks, to_recover
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.pack_orders import PackChange, TransferOrder
from calward.domain.pack_requests import ChangeKind, RecoverReason
from calward.domain.register import PackRecord
from calward.domain.statements import PayloadType
from tests.support.moving_world import acts
from tests.support.moving_world.checker import Checker
from tests.support.moving_world.copies import Copy
from tests.support.moving_world.world import BrokenError, World

ROUNDS = 5


def heal(world: World, checker: Checker) -> None:
    """Faults end. Whoever is in quarantine recovers, moves come to their end, and everything adds up."""
    world.step, world.network.bad, world.crashes = 10_000, 0.0, 0.0
    rng = Random(f"{world.seed}/heal")
    world.tell("everything heals")
    world.bag.clear()
    for copy in _one_of_each(world, rng):
        copy.running = True
    for n in range(ROUNDS):
        before = dict(world.counts)
        for copy in world.running():
            world.step += 1
            world.later(600)
            _mend(world, copy, rng)
            checker.after_step()
        news = {what for what in world.counts if world.counts[what] != before.get(what)}
        if n and news <= {"keyring kept", "same request"}:
            break
        world.later(40 * acts.DAY if rng.random() < 0.3 else 60)
    check_end(world)


def _one_of_each(world: World, rng: Random) -> list[Copy]:
    """Somebody found out that there are two, and has shut one down."""
    kept: dict[str, Copy] = {}
    for copy in rng.sample(world.running(), len(world.running())):
        kept.setdefault(copy.who.id, copy)
        copy.running = False
    return list(kept.values())


def _mend(world: World, copy: Copy, rng: Random) -> None:
    for request in copy.look(lambda book: [one.envelope for one in open_asks(book)]):
        acts.send(world, copy, request)
    said = contact_online(copy.ledger, world.line(copy), copy.desk, copy.note)
    acts._heard(world, copy, said)
    if copy.server.quarantined_at is not None:
        acts.send(world, copy, copy.act(acts._ask, to_recover(RecoverReason.RESTORED), copy))
        said = contact_online(copy.ledger, world.line(copy), copy.desk, copy.note)
        acts._heard(world, copy, said)


def check_end(world: World) -> None:
    """Each pack of the register is on its server, as the register has it, and nowhere else; nothing waits; every audit passes.

    One order may wait: a conversion whose CALs were given out again, because it had been given up before it was heard of. It is
    carried out as soon as enough are free; until then they are what they were, and the pack does not move.
    """
    overview = world.house.overview()
    here = {copy.who.id: {**copy.packs()} for copy in world.running()}
    late = {one.pack_id for server in here for order in _conversions(world, server) for one in order.packs}
    for one in overview.register:
        if one.statement.expires_at > world.house.now():
            _check_place(one, here, late)
    left = [(server[:4], name[:6]) for server, packs in here.items() for name in packs]
    if left:
        raise BrokenError(f"packs that are not where the register has them: {left}")
    for bought, claimed in overview.purchases:
        total = sum(x.statement.total for x in overview.register if x.purchase_id == bought.purchase_id)
        if total != claimed or claimed > bought.quantity:
            raise BrokenError(f"{claimed} CALs are claimed, {total} are in the register, {bought.quantity} were bought")
    _audits(world)


def _check_place(record: PackRecord, here: dict[str, dict[PackId, KeyPack]], late: set[str]) -> None:
    pack = record.statement
    found = here.get(pack.server_id, {}).pop(PackId(pack.pack_id), None)
    if pack.pack_id in late:
        return
    if found is None:
        raise BrokenError(f"pack {pack.pack_id[:6]}/{pack.generation} is lost: its server does not have it")
    wanted = (pack.generation, pack.version, pack.bought_as, pack.total, pack.cal_type)
    if (found.generation, found.version, found.bought_as, found.total, found.type) != wanted:
        raise BrokenError(f"pack {pack.pack_id[:6]} is {found} and should be {wanted}")
    if (found.transfer is not None) is not (record.transfer is not None):
        raise BrokenError(f"pack {pack.pack_id[:6]} is frozen for nothing or moves without its server")


def _conversions(world: World, server: str) -> list[PackChange]:
    """The conversions that wait for a server; anything else that waits now would wait for ever."""

    def look(book: Any) -> list[Any]:
        return [book.papers.intent(one.part) for one in book.outbox.waiting(server)]

    waiting = world.store.store.read(look)
    orders = [PackChange.from_payload(x.payload) for x in waiting if x.payload_type is PayloadType.PACK_CHANGE]
    late = {one.pack_id for order in orders for one in order.packs}
    # A move of such a pack, or of its part, has to wait until it is what the register says.
    moves = [TransferOrder.from_payload(x.payload) for x in waiting if x.payload_type is PayloadType.TRANSFER_ORDER]
    moves = [one for one in moves if one.pack.pack_id in late]
    if len(orders) + len(moves) < len(waiting) or any(one.kind is not ChangeKind.CONVERT for one in orders):
        kinds = [one.payload_type for one in waiting]
        raise BrokenError(f"orders wait for ever for {server[:6]}: {kinds}")
    return orders


def _audits(world: World) -> None:
    audit = world.house.audit()
    if audit.findings:
        raise BrokenError(f"the clearinghouse's audit: {audit.findings[:3]}")
    for copy in world.copies:
        found: list[Any] = copy.disk.audit(copy.who.origin, copy.who.signer)
        if found:
            raise BrokenError(f"the audit of {copy.label}: {found[:3]}")
