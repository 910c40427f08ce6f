"""What happens to a request before its handler sees it?

It is authorized, what it asks for by name is known, then its body is read, never more than 64 KiB of it; only then is anything decoded.
"""

from collections import Counter
from collections.abc import Callable, Collection, Coroutine, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final

from fastapi import Depends
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from calward.domain.errors import LicensingError, Problem
from calward.domain.roles import Principal
from calward.entrypoints.api.access import ENDPOINTS, Access, authorize
from calward.entrypoints.api.faults import shown
from calward.entrypoints.api.rehearsal import DRY_RUN, READS, rehearsing
from calward.entrypoints.api.services import Services
from calward.entrypoints.problems import too_large

__all__ = ["MAX_BODY", "Body", "Desk", "GuardedRoute", "Who"]

MAX_BODY = 64 * 1024
"""Bytes of a body; a key pack takes about 800."""

LARGE: Final[Mapping[str, int]] = MappingProxyType(
    {"/api/v1/clearinghouse:take": 256 * 1024 * 1024, "/api/v1/server:take-recovery": 1024 * 1024}
)
"""Bytes of a body that may be longer: an answer of the clearinghouse may bring lists of licenses. Only administrators get so far."""

_PRINCIPAL = "calward.principal"
_API: Final = "/api/"
"""What browsers open lies elsewhere: links to it are written by others, and bear what they like."""
_LONGEST_NAME: Final = 64
_NOTHING: Final = frozenset({b"", b"{}"})
"""Bodies that say nothing."""


class GuardedRoute(APIRoute):
    """A route of the administration API. INVARIANT: it stands in ``ENDPOINTS``, else the application does not start."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the handler into the guard."""
        handler = super().get_route_handler()
        needed: dict[str, Access] = {method: ENDPOINTS[method, self.path] for method in self.methods or ()}
        names = [one.alias for one in self.dependant.query_params]
        takes_body = self.body_field is not None or any(one.call is _raw for one in self.dependant.dependencies)

        async def guarded(request: Request) -> Response:
            services: Services = request.app.state.services
            request.scope[_PRINCIPAL] = await authorize(request, needed[request.method], services)
            if request.url.query and self.path.startswith(_API):
                _check_query(request, names)
            most = LARGE.get(self.path, MAX_BODY)
            body = await _body(request, most)
            if body is None:
                return too_large(most)
            if not takes_body and body.strip() not in _NOTHING:
                raise LicensingError(Problem.MALFORMED, "this address takes no body: nothing was done", field="body")
            return await handler(Request(request.scope, _again(body)))

        return guarded


def _check_query(request: Request, names: Collection[str]) -> None:
    """A filter that is misspelled, or given twice, must not list what nobody asked for. Only to try is nothing new for what only reads.

    Raises: LicensingError: MALFORMED, naming the parameter and those there are.
    """
    here = [*names, *(() if request.method in READS else (DRY_RUN,))]
    for name, times in Counter(name for name, _ in request.query_params.multi_items()).items():
        if name not in here and name != DRY_RUN:
            there_are = f"known are {', '.join(here)}" if here else "it takes none"
            detail = f"{shown(name, _LONGEST_NAME)!r} is no query parameter of this address: {there_are}"
            raise LicensingError(Problem.MALFORMED, detail, field=name)
        if times > 1:
            raise LicensingError(Problem.MALFORMED, f"the query parameter {name} is given {times} times", field=name)


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
