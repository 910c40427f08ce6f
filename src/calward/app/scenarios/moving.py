"""Packs move, change and come back: what the clearinghouse and the license servers do about it in a scenario.

Both sides decide by their own rules: the register first, as far as it alone can know, then the license server's ledger.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from calward.app.licensing.acts import RefusedAct
from calward.app.licensing.plan_change import ChangePlan, Preview, preview_change, set_aside
from calward.app.licensing.signed_things import moment_of
from calward.app.scenarios.office import Office
from calward.app.scenarios.results import Result, refusal
from calward.app.scenarios.story import Change, Move, Rebuild
from calward.app.scenarios.touch import contact
from calward.app.scenarios.world import BY, RIGHT, PlayedServer, World
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.answers import rfc3339
from calward.domain.errors import LicensingError, Problem
from calward.domain.key_packs import PackId
from calward.domain.pack_requests import ChangeKind, ChangeRequest, MoveReason, RequestHead, SourceState
from calward.domain.parties import Server
from calward.domain.reasons import Reason
from calward.domain.register import (
    PackRecord,
    Step,
    Transfer,
    move_pack,
    press_move,
    recover_pack,
    takes_effect_at,
)
from calward.domain.register_changes import ChangeTerms
from calward.domain.register_changes import change_pack as changed
from calward.domain.register_checks import Taker, why_not_activated, why_not_for_version, why_not_movable

__all__ = ["change", "move", "rebuild"]

_PAST: Final[Mapping[ChangeKind, str]] = MappingProxyType(
    {ChangeKind.DOWNGRADE: "downgraded", ChangeKind.UPGRADE: "upgraded", ChangeKind.CONVERT: "converted"}
)


def move(act: Move, world: World, now: int) -> Result:
    """Order a pack to another license server; where its source can be asked, all of it happens at once."""
    record, source, target = _record(act.pack, world.office), world.servers[act.source], world.servers[act.target]
    step = _ordered(act, record, _state(source), _state(target), world, now)
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
    transfer = world.office.register[act.pack].transfer
    at = transfer and transfer.effective_at
    facts = {
        "outcome": "moved",
        "pending": transfer is not None,
        "effective_at": at and rfc3339(int(at.timestamp())),
        "licenses": world.office.adopted.get(act.pack, 0),
    }
    return Result(facts)


def _ordered(act: Move, record: PackRecord, source: Server, target: Server, world: World, now: int) -> Step | Result:
    """Everything that stands in the way of a move, or the move."""
    at, statement = moment_of(now), record.statement
    taker = Taker(act.target, target.version, None)
    connected = act.state is SourceState.CONNECTED
    effective_at = None if connected else takes_effect_at(_right(source), at)
    if record.transfer is None:
        step = move_pack(record, _transfer(act, record, world.office.new_id(), now, effective_at))
    else:
        step = press_move(record, act.target, act.state, effective_at)
    found = (
        why_not_activated(_right(target), at),
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


def change(act: Change, world: World, now: int) -> Result:
    """Downgrade, raise or convert a pack or a part of it; its licenses change with it.

    The license server refuses what it knows to be in vain before the clearinghouse is asked.
    """
    record = _record(act.pack, world.office)
    server = world.servers[record.statement.server_id]
    refused = _wrong_part(act, record, world.office)
    if refused is not None:
        return refused
    plan = ChangePlan(act.pack, act.kind, act.to, act.count, BY)
    hosts = [host.enrolled(world.ladder) for host in world.hosts.values()]
    preview = server.ledger.write(lambda book: preview_change(plan, book, world.ladder, hosts, now=now))
    if isinstance(preview, RefusedAct):
        return refusal([reason.value for reason in preview.reasons], preview.detail)
    step = _asked(act, record, _state(server), world, now)
    if isinstance(step, NotAccepted) or preview.reasons:
        return _all_refused(preview, step)
    if act.kind is ChangeKind.CONVERT:
        server.ledger.write(lambda book: set_aside(preview.change, book, now=now, by=BY))
    world.office.store(step)
    contact(server, world, now)
    return Result({"outcome": _PAST[act.kind], "licenses": len(preview.licenses)})


def _wrong_part(act: Change, record: PackRecord, office: Office) -> Result | None:
    total = record.statement.total
    if act.count is not None and act.count > total:
        detail = f"pack {act.pack} has {total} CALs, not {act.count}"
        return refusal([AcceptanceRefusal.NOTHING_LEFT.value], detail)
    if act.part is not None and act.count != total and office.known(act.part):
        detail = f"the handle {act.part} stands or stood for another pack"
        return refusal([Reason.PACK_ALREADY_INSTALLED.value], detail)
    return None


def _asked(act: Change, record: PackRecord, server: Server, world: World, now: int) -> Step | NotAccepted:
    """What the clearinghouse says."""
    at = moment_of(now)
    head = RequestHead(server.id, server.version, world.office.new_id(), at)
    request = ChangeRequest(head, act.pack, record.statement.generation, act.kind, act.to, act.count)
    convertible = act.pack not in world.office.fixed
    terms = ChangeTerms(world.ladder, convertible, world.office.new_id(), act.part or "")
    return why_not_activated(_right(server), at) or changed(record, request, terms, now=at)


def _all_refused(preview: Preview, step: Step | NotAccepted) -> Result:
    reasons = [reason.value for reason in preview.reasons]
    details = [f"{len(preview.licenses)} licenses are running: too few CALs are free"] if reasons else []
    if isinstance(step, NotAccepted):
        reasons.append(step.reason.value)
        details.append(step.detail)
    return refusal(reasons, "; ".join(details))


def rebuild(act: Rebuild, world: World, now: int) -> Result:
    """Begin anew with an empty ledger; the clearinghouse signs every pack again that the server holds.

    What the old ledger knew of devices, users and licenses is gone, and with the key that signs licenses the old ones count no more.
    """
    server, office, at = world.servers[act.server], world.office, moment_of(now)
    old = _state(server)
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


def _record(pack: PackId, office: Office) -> PackRecord:
    record = office.register.get(pack)
    if record is None:
        known = ", ".join(sorted(office.register)) or "none"
        raise LicensingError(Problem.NOT_FOUND, f"no pack {pack} is installed (installed: {known})", field="pack")
    return record


def _state(server: PlayedServer) -> Server:
    return server.ledger.write(lambda book: book.server())


def _right(server: Server) -> datetime | None:
    return None if server.issue_until is None else moment_of(server.issue_until)


def _refused(found: Iterable[NotAccepted | None]) -> Result:
    """Everything that stood in the way, each reason once."""
    said = {one.reason.value: one.detail for one in found if one is not None}
    return refusal(list(said), "; ".join(said.values()))
