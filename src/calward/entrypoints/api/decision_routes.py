"""Why this answer, and what would it be?"""

from fastapi import APIRouter

from calward.app.licensing.foresee import foresee
from calward.app.licensing.issue_license import IssueLicense
from calward.app.reading import HostInForce
from calward.domain.answers import numbered
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Kind
from calward.domain.parties import Host
from calward.entrypoints.api.answers import Decision
from calward.entrypoints.api.bodies import Explain
from calward.entrypoints.api.guard import Desk, GuardedRoute
from calward.entrypoints.api.holders import named_holder
from calward.entrypoints.api.views import decision_view

__all__ = ["router"]

router = APIRouter(route_class=GuardedRoute, tags=["decisions"])

_DECISIONS = frozenset({Kind.LICENSE.value, Kind.REFUSAL.value})


@router.get("/api/v1/decisions/{decision}", operation_id="showDecision")
def decision(desk: Desk, decision: str) -> Decision:
    """Tell the story of a decision."""
    number = numbered(decision, "D")
    event = desk.reader.event(number) if number is not None else None
    if event is None or event["kind"] not in _DECISIONS:
        detail = f"no decision {decision[:64]!r} was made here: decisions are named like D12, as calward license list shows them"
        raise LicensingError(Problem.NOT_FOUND, detail, field="decision")
    return decision_view(event, desk.reader.repeated(event["id"]))


@router.post("/api/v1/explain", operation_id="explain")
def explain(desk: Desk, body: Explain) -> Decision:
    """Say what a client would get now, and why; nothing is issued and nothing is written."""
    found = desk.reader.host(body.host) if body.host.isprintable() else None
    if found is None:
        raise LicensingError(Problem.NOT_FOUND, f"no session host {body.host[:64]!r} is known here", field="host")
    kind, key = named_holder(desk.reader, body)
    command = IssueLicense(_host(found), "", kind, key, key)
    return decision_view(desk.ledger.write(lambda book: foresee(command, book, now=book.now())), 0)


def _host(found: HostInForce) -> Host:
    host = found.host
    return Host(host.id, host.name, host.version, host.family, found.mode, enrolled=host.enrolled_at is not None)
