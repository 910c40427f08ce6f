"""Packs move to another license server, or come back to one whose ledger is lost: what both sides do about it in a scenario."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from calward.app.licensing.signed_things import moment_of
from calward.app.scenarios.office import Office
from calward.app.scenarios.results import Result, refusal
from calward.app.scenarios.story import Move, Rebuild
from calward.app.scenarios.touch import contact
from calward.app.scenarios.world import RIGHT, PlayedServer, World, right_of
from calward.domain.acceptance import NotAccepted
from calward.domain.answers import rfc3339
from calward.domain.key_packs import PackId
from calward.domain.pack_requests import MoveReason, SourceState
from calward.domain.parties import Server
from calward.domain.register import (
    PackRecord,
    Step,
    Transfer,
    move_pack,
    press_move,
    recover_pack,
    takes_effect_at,
)
from calward.domain.register_checks import Taker, why_not_activated, why_not_for_version, why_not_movable

__all__ = ["move", "rebuild"]


def move(act: Move, world: World, now: int) -> Result:
    """Order a pack to another license server; where its source can be asked, all of it happens at once."""
    record, source, target = world.office.record(act.pack), world.servers[act.source], world.servers[act.target]
    step = _ordered(act, record, source.state(), target.state(), world, now)
    if isinstance(step, Result):
        return step
    if act.state is not SourceState.CONNECTED:
        source.reached = False
    world.office.adopted.pop(act.pack, None)
    world.office.store(step)
    world.office.end_due(now)
    if source.in_touch:
        contact(source, world, now)
    contact(target, world, now)  # Who asks for a pack takes what comes of it, also while hosts are not answered.
    return Result({"outcome": "moved"} | _how_it_stands(act.pack, world.office))


def _how_it_stands(pack: PackId, office: Office) -> dict[str, object]:
    transfer = office.register[pack].transfer
    at = transfer and transfer.effective_at
    return {
        "pending": transfer is not None,
        "effective_at": at and rfc3339(int(at.timestamp())),
        "licenses": office.adopted.get(pack, 0),
    }


def _ordered(act: Move, record: PackRecord, source: Server, target: Server, world: World, now: int) -> Step | Result:
    """Everything that stands in the way of a move, or the move."""
    at, statement = moment_of(now), record.statement
    taker = Taker(act.target, target.version, None)
    connected = act.state is SourceState.CONNECTED
    effective_at = None if connected else takes_effect_at(right_of(source), at)
    if record.transfer is None:
        step = move_pack(record, _transfer(act, record, world.office.new_id(), now, effective_at))
    else:
        step = press_move(record, act.target, act.state, effective_at)
    found = (
        why_not_activated(right_of(target), at),
        why_not_movable(record, taker, act.source, at),
        why_not_for_version(world.ladder, statement.version, target.version),
        step if isinstance(step, NotAccepted) else None,
    )
    return step if isinstance(step, Step) and not any(found) else _refused(found)


def _transfer(act: Move, record: PackRecord, number: str, now: int, effective_at: datetime | None) -> Transfer:
    lost = act.state is SourceState.DEAD
    return Transfer(
        transfer_id=number,
        pack=record.ref,
        source_id=act.source,
        target_id=act.target,
        target_name=act.target,
        source=act.state,
        reason=MoveReason.NO_LONGER_WORKING if lost else MoveReason.REPLACED,
        ordered_at=moment_of(now),
        effective_at=effective_at,
    )


def rebuild(act: Rebuild, world: World, now: int) -> Result:
    """Begin anew with an empty ledger; the clearinghouse signs every pack again that the server holds.

    What the old ledger knew of devices, users and licenses is gone, and with the key that signs licenses the old ones count no more.
    """
    server, office, at = world.servers[act.server], world.office, moment_of(now)
    old = server.state()
    office.withdraw(act.server)
    for record in office.packs_of(act.server):
        if at < record.statement.expires_at:
            office.store(recover_pack(record, end_id=office.new_id(), tell_target=office.new_id(), now=at))
    _void_licenses(server, world)
    until = None if old.issue_until is None else now + RIGHT
    new = replace(old, issue_until=until, quarantined_at=None, recovered_at=None)
    server.era += 1
    server.ledger, server.entropy = world.new_ledger(new, server.era, now)
    server.reached, server.in_touch_since = True, now
    contact(server, world, now)
    packs = server.ledger.write(lambda book: len(book.shelf().packs))
    return Result({"outcome": "rebuilt", "packs": packs})


def _void_licenses(server: PlayedServer, world: World) -> None:
    """Hosts that hear of the new key refuse what was signed with the old one."""
    in_hand = [one for held in world.held.values() for one in held]
    in_hand += [one for host in world.hosts.values() for one in host.last.values()]
    server.revoked |= {one.id for one in in_hand if one.server == server.name}
    world.holders.pop(server.name, None)


def _refused(found: Iterable[NotAccepted | None]) -> Result:
    """Everything that stood in the way, each reason once."""
    said = {one.reason.value: one.detail for one in found if one is not None}
    return refusal(list(said), "; ".join(said.values()))
