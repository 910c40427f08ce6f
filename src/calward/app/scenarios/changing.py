"""A pack, or a part of it, becomes another one where it is: what the license server and the clearinghouse do about it in a scenario."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from calward.app.licensing.acts import RefusedAct
from calward.app.licensing.plan_change import ChangePlan, Preview, preview_change, set_aside
from calward.app.licensing.signed_things import moment_of
from calward.app.scenarios.office import Office
from calward.app.scenarios.results import Result, refusal
from calward.app.scenarios.story import Change
from calward.app.scenarios.touch import contact
from calward.app.scenarios.world import BY, World, right_of
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.pack_requests import ChangeKind, ChangeRequest, RequestHead
from calward.domain.parties import Server
from calward.domain.reasons import Reason
from calward.domain.register import PackRecord, Step
from calward.domain.register_changes import ChangeTerms
from calward.domain.register_changes import change_pack as changed
from calward.domain.register_checks import why_not_activated

__all__ = ["change"]

_PAST: Final[Mapping[ChangeKind, str]] = MappingProxyType(
    {ChangeKind.DOWNGRADE: "downgraded", ChangeKind.UPGRADE: "upgraded", ChangeKind.CONVERT: "converted"}
)


def change(act: Change, world: World, now: int) -> Result:
    """Downgrade, raise or convert a pack or a part of it; its licenses change with it.

    The license server refuses what it knows to be in vain before the clearinghouse is asked.
    """
    record = world.office.record(act.pack)
    server = world.servers[record.statement.server_id]
    refused = _wrong_part(act, record, world.office)
    if refused is not None:
        return refused
    plan = ChangePlan(act.pack, act.kind, act.to, act.count, BY)
    hosts = [host.enrolled(world.ladder) for host in world.hosts.values()]
    preview = server.ledger.write(lambda book: preview_change(plan, book, world.ladder, hosts, now=now))
    if isinstance(preview, RefusedAct):
        return refusal([reason.value for reason in preview.reasons], preview.detail)
    step = _asked(act, record, server.state(), world, now)
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
    return why_not_activated(right_of(server), at) or changed(record, request, terms, now=at)


def _all_refused(preview: Preview, step: Step | NotAccepted) -> Result:
    reasons = [reason.value for reason in preview.reasons]
    details = [f"{len(preview.licenses)} licenses are running: too few CALs are free"] if reasons else []
    if isinstance(step, NotAccepted):
        reasons.append(step.reason.value)
        details.append(step.detail)
    return refusal(reasons, "; ".join(details))
