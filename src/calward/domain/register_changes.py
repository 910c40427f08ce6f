"""How does a pack, or a part of it, become another one on the same server: older, newer again, or of the other CAL type?

Rights never grow: a pack is raised up to what was paid for, and converted only where the agreement says so.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from typing import Final, TypeAlias

from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.cals import CalType
from calward.domain.fields import render_moment
from calward.domain.ladder import Ladder
from calward.domain.pack_orders import PackChange
from calward.domain.pack_requests import ChangeKind, ChangeRequest
from calward.domain.register import Act, PackRecord, Post, Step, allowed
from calward.domain.register_checks import why_not_for_version
from calward.domain.statements import KeyPackStatement

__all__ = ["ChangeTerms", "change_pack"]

_R = AcceptanceRefusal


@dataclass(frozen=True, slots=True)
class ChangeTerms:
    """What else a change depends on: the ladder, whether the purchase is convertible, and ids for the order and a part split off."""

    ladder: Ladder
    convertible: bool
    order_id: str
    part_id: str


def change_pack(record: PackRecord, request: ChangeRequest, terms: ChangeTerms, *, now: datetime) -> Step | NotAccepted:
    """Change a pack as its holder asks: the register changes at once, the holder is told by one order."""
    refused = _why_not(record, request, now) or allowed(record, Act.CHANGE)
    if refused is not None:
        return refused
    changed = _CHANGES[request.kind](record.statement, request, terms)
    if isinstance(changed, NotAccepted):
        return changed
    statements = _parts(record.statement, changed, request.count, terms.part_id, now)
    order = PackChange(
        order_id=terms.order_id,
        server_id=record.statement.server_id,
        kind=request.kind,
        pack=record.ref,
        packs=statements,
        issued_at=now,
    )
    records = tuple(PackRecord(one, record.purchase_id) for one in statements)
    return Step(records, posts=(Post(order.server_id, order.order_id, order),))


def _why_not(record: PackRecord, request: ChangeRequest, now: datetime) -> NotAccepted | None:
    statement = record.statement
    if statement.server_id != request.head.server_id:
        return NotAccepted(_R.PACK_NOT_HELD, f"key pack {statement.pack_id} is not at this license server")
    if statement.generation != request.generation:
        detail = (
            f"key pack {statement.pack_id} is in generation {statement.generation} here, "
            f"not in {request.generation}: contact the clearinghouse first, then ask again"
        )
        return NotAccepted(_R.PACK_NOT_HELD, detail)
    if statement.expires_at <= now:
        ended = render_moment(statement.expires_at)
        return NotAccepted(
            _R.PACK_EXPIRED, f"key pack {statement.pack_id} expired at {ended}: a change would help nobody"
        )
    if request.count is not None and request.count > statement.total:
        detail = f"key pack {statement.pack_id} has {statement.total} CALs, {request.count} cannot be changed"
        return NotAccepted(_R.NOTHING_LEFT, detail)
    return None


def _downgrade(
    statement: KeyPackStatement, request: ChangeRequest, terms: ChangeTerms
) -> KeyPackStatement | NotAccepted:
    unknown = _unknown_version(request, terms)
    if unknown is not None:
        return unknown
    to = terms.ladder.rung(request.to)
    if to.order >= terms.ladder.rung(statement.version).order:
        detail = f"{to.id} is not older than {statement.version}: raising a pack is an upgrade"
        return NotAccepted(_R.UNKNOWN_VERSION, detail)
    return replace(statement, version=to.id)


def _upgrade(statement: KeyPackStatement, request: ChangeRequest, terms: ChangeTerms) -> KeyPackStatement | NotAccepted:
    unknown = _unknown_version(request, terms)
    if unknown is not None:
        return unknown
    to, ladder = terms.ladder.rung(request.to), terms.ladder
    if to.order > ladder.rung(statement.bought_as).order:
        detail = f"key pack {statement.pack_id} was bought as {statement.bought_as}: it can be raised up to that, not to {to.id}"
        return NotAccepted(_R.ABOVE_WHAT_WAS_BOUGHT, detail)
    if to.order <= ladder.rung(statement.version).order:
        return NotAccepted(
            _R.UNKNOWN_VERSION, f"{to.id} is not newer than {statement.version}: that would be a downgrade"
        )
    return why_not_for_version(ladder, to.id, request.head.server_version) or replace(statement, version=to.id)


def _convert(statement: KeyPackStatement, request: ChangeRequest, terms: ChangeTerms) -> KeyPackStatement | NotAccepted:
    if not terms.convertible:
        detail = f"the agreement of key pack {statement.pack_id} does not let CALs change their type: ask who sold them"
        return NotAccepted(_R.NOT_CONVERTIBLE, detail)
    other = next(one for one in CalType if one is not statement.cal_type)
    if request.to != other:
        detail = f"key pack {statement.pack_id} is {statement.cal_type}: it can become {other}, nothing else"
        return NotAccepted(_R.NOT_CONVERTIBLE, detail)
    return replace(statement, cal_type=other)


_Change: TypeAlias = Callable[[KeyPackStatement, ChangeRequest, ChangeTerms], KeyPackStatement | NotAccepted]
_CHANGES: Final[Mapping[ChangeKind, _Change]] = MappingProxyType(
    {ChangeKind.DOWNGRADE: _downgrade, ChangeKind.UPGRADE: _upgrade, ChangeKind.CONVERT: _convert}
)


def _unknown_version(request: ChangeRequest, terms: ChangeTerms) -> NotAccepted | None:
    if request.to in terms.ladder.versions:
        return None
    known = ", ".join(terms.ladder.versions)
    return NotAccepted(_R.UNKNOWN_VERSION, f"this is no version of the ladder {terms.ladder.name}, it has {known}")


def _parts(
    old: KeyPackStatement, changed: KeyPackStatement, count: int | None, part_id: str, now: datetime
) -> tuple[KeyPackStatement, ...]:
    """The pack in its next generation, and the part that was split off where not all of it changed."""
    again = old.generation + 1
    if count is None or count == old.total:
        return (replace(changed, generation=again, issued_at=now, handover=None),)
    rest = replace(old, generation=again, total=old.total - count, issued_at=now, handover=None)
    return rest, replace(changed, pack_id=part_id, generation=1, total=count, issued_at=now, handover=None)
