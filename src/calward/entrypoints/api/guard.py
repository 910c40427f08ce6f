"""What happens to a request before its handler sees it?

It is authorized, then its body is read, never more than 64 KiB of it; only then is anything decoded.
"""

from collections.abc import Callable, Coroutine, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from calward.domain.roles import Principal
from calward.entrypoints.api.access import ENDPOINTS, Access, authorize
from calward.entrypoints.api.rehearsal import rehearsing
from calward.entrypoints.api.services import Services
from calward.entrypoints.problems import problem

__all__ = ["MAX_BODY", "Body", "Desk", "GuardedRoute", "Who"]

MAX_BODY = 64 * 1024
"""Bytes of a body; a key pack takes about 800."""

LARGE: Final[Mapping[str, int]] = MappingProxyType(
    {"/api/v1/clearinghouse:take": 256 * 1024 * 1024, "/api/v1/server:take-recovery": 1024 * 1024}
)
"""Bytes of a body that may be longer: an answer of the clearinghouse may bring lists of licenses. Only administrators get so far."""

_PRINCIPAL = "calward.principal"


class GuardedRoute(APIRoute):
    """A route of the administration API. INVARIANT: it stands in ``ENDPOINTS``, else the application does not start."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler into the guard."""
        handler = super().get_route_handler()
        needed: dict[str, Access] = {method: ENDPOINTS[method, self.path] for method in self.methods or ()}

        async def guarded(request: Request) -> Response:
            services: Services = request.app.state.services
            request.scope[_PRINCIPAL] = await authorize(request, needed[request.method], services)
            most = LARGE.get(self.path, MAX_BODY)
            body = await _body(request, most)
            if body is None:
                detail = f"the body is larger than {most} bytes"
                return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", detail)
            return await handler(Request(request.scope, _again(body)))

        return guarded


async def _body(request: Request, most: int) -> bytes | None:
    """The whole body; None where it is too large, however it says its length."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > most:
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _again(body: bytes) -> Callable[[], Coroutine[Any, Any, Message]]:
    """Give the body once more to whoever decodes it."""

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _services(request: Request) -> Services:
    return rehearsing(request, request.app.state.services)


def _principal(request: Request) -> Principal:
    found: Principal = request.scope[_PRINCIPAL]
    return found


async def _raw(request: Request) -> bytes:
    return await request.body()


Desk = Annotated[Services, Depends(_services)]
"""The services, as a handler's argument."""
Who = Annotated[Principal, Depends(_principal)]
"""The administrator who asks."""
Body = Annotated[bytes, Depends(_raw)]
"""The body as it came."""
