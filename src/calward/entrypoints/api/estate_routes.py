"""What is in this license server's ledger, as one snapshot for reports, plans and diagnoses?"""

from typing import Any

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from calward.app.estates.document import pieces
from calward.app.estates.own_estate import take_snapshot
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
