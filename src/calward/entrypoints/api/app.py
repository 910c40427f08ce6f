"""How do routes, guards and faults become the administration API?"""

from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse

from calward.entrypoints.api import (
    audit_routes,
    clearinghouse_routes,
    decision_routes,
    estate_routes,
    license_routes,
    pack_routes,
    recovery_routes,
    registry_routes,
    server_routes,
    setup_page,
    token_routes,
)
from calward.entrypoints.api.answers import Problem
from calward.entrypoints.api.attempts import Attempts
from calward.entrypoints.api.faults import FaultBarrier, add_handlers
from calward.entrypoints.api.guard import GuardedRoute
from calward.entrypoints.api.openapi import openapi_document
from calward.entrypoints.api.services import Services

__all__ = ["make_app"]

API_VERSION = "1"
"""Of the API, not of the program: it changes when callers have to."""

_ROUTERS = (
    server_routes.router,
    recovery_routes.router,
    clearinghouse_routes.router,
    pack_routes.router,
    license_routes.router,
    registry_routes.router,
    token_routes.router,
    decision_routes.router,
    audit_routes.router,
    estate_routes.router,
    setup_page.router,
)
_DESCRIPTION = (
    "The license server's API: for session hosts, which ask for licenses, and for administrators. "
    "Errors are problem documents (RFC 9457); an expected refusal is an answer, not an error."
)


def make_app(services: Services) -> FastAPI:
    """Build the administration API of one license server.

    The outer application mounts it at "" behind the routes for hosts and for health, which need none of its layers.
    """
    app = FastAPI(
        title="Calward license server",
        version=API_VERSION,
        description=_DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses={"default": {"model": Problem}},
    )
    app.state.services = services
    app.state.attempts = Attempts(services.clock)
    for router in _ROUTERS:
        app.include_router(router)
    app.include_router(_openapi_router(app))
    add_handlers(app)
    app.add_middleware(FaultBarrier, entropy=services.entropy, headers=services.headers)
    return app


def _openapi_router(app: FastAPI) -> APIRouter:
    router = APIRouter(route_class=GuardedRoute, include_in_schema=False)
    made: dict[str, Any] = {}

    @router.get("/api/openapi.json")
    def document(_request: Request) -> JSONResponse:
        """Give the OpenAPI document, made at the first question."""
        if not made:
            made.update(openapi_document(app))
        return JSONResponse(made)

    return router
