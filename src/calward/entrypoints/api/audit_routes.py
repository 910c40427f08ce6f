"""What happened, and can it be proved?"""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import PlainTextResponse, StreamingResponse

from calward.app.reading import Page
from calward.entrypoints.api.answers import Event, Found, Items
from calward.entrypoints.api.bodies import Checkpoint
from calward.entrypoints.api.guard import Desk, GuardedRoute
from calward.entrypoints.api.paging import After, Limit, number_after

__all__ = ["router"]

router = APIRouter(route_class=GuardedRoute, tags=["audit"])

_LINES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/jsonl": {"schema": {"type": "string"}}}, "description": "One JSON object a line"}
}
_NOTE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "A signed note"}
}


@router.get("/api/v1/audit/events", operation_id="listEvents")
def events(
    desk: Desk,
    limit: Limit = 100,
    after: After = None,
    *,
    last: Annotated[bool, Query(description="The last ones instead of the first")] = False,
) -> Items[Event]:
    """List events in the order of the tree; ``after`` is a position."""
    page = Page(limit, number_after(after, ""))
    found = desk.reader.last_events(limit) if last and after is None else desk.reader.events(page)
    shown = [Event(position=position, event=dict(event)) for position, event in found.items]
    return Items(items=shown, next=str(shown[-1].position) if len(shown) == limit else None)


@router.get(
    "/api/v1/audit/checkpoint", operation_id="showCheckpoint", response_class=PlainTextResponse, responses=_NOTE
)
def checkpoint(desk: Desk) -> PlainTextResponse:
    """Sign a checkpoint of everything up to now."""
    return PlainTextResponse(desk.audit.checkpoint())


@router.post("/api/v1/audit/verify", operation_id="verifyLedger")
def verify(desk: Desk, body: Checkpoint | None = None) -> Found:
    """Fold the ledger anew from its events and compare; a checkpoint that was kept elsewhere must still agree."""
    return Found(**desk.audit.verify(body.checkpoint if body else None))


@router.get("/api/v1/audit/export", operation_id="exportEvents", response_class=StreamingResponse, responses=_LINES)
def export(desk: Desk) -> StreamingResponse:
    """Stream all events with their positions, then the signed checkpoint."""
    lines = (f"{line}\n" for line in desk.audit.export())
    return StreamingResponse(lines, media_type="application/jsonl")
