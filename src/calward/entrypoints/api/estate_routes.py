"""What is in this license server's ledger, as one snapshot for reports, plans and diagnoses?"""

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from calward.app.estates.document import pieces
from calward.app.estates.own_estate import take_snapshot
from calward.app.estates.own_history import history_json, take_history
from calward.domain.fields import parse_moment
from calward.entrypoints.api.guard import Desk, GuardedRoute

__all__ = ["router"]

router = APIRouter(route_class=GuardedRoute, tags=["estate"])

_SNAPSHOT: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/json": {"schema": {"type": "object"}}},
        "description": "A snapshot, in the form of a file of an imported estate; times are seconds since 1970",
    }
}


@router.get("/api/v1/estate", operation_id="showEstate", response_class=StreamingResponse, responses=_SNAPSHOT)
def show(desk: Desk) -> StreamingResponse:
    """Stream a snapshot of everything that is installed, issued, enrolled and refused."""
    found = take_snapshot(desk.reader, desk.ladder, now=desk.clock.now(), addresses=desk.addresses())
    return StreamingResponse(
        pieces(found.head, licenses=found.licenses, failures=found.failures), media_type="application/json"
    )


_USE: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {"application/json": {"schema": {"type": "object"}}},
        "description": "``until``, ``holdings`` and ``steps``, rows as lists; times are seconds since 1970",
    }
}


@router.get("/api/v1/estate/use", operation_id="showUse", response_class=Response, responses=_USE)
def use(
    desk: Desk,
    until: Annotated[str | None, Query(description="A time; without one, now. Days are counted back from it")] = None,
) -> Response:
    """Count all licenses that ever ran, by the day on which they began and ended, and list what packs there were."""
    now = desk.clock.now()
    moment = now if until is None else min(now, int(parse_moment(until, "until").timestamp()))
    return Response(history_json(take_history(desk.reader, until=moment)), media_type="application/json")
