"""What does somebody outside see when something goes wrong?

An error that the caller can act on says what helps; anything else is a bug: logged whole under an id, and only the id is shown.
"""

import traceback
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from calward.app.ports import Entropy
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.api.access import ENDPOINTS
from calward.entrypoints.api.attempts import WITHIN, TooManyError
from calward.entrypoints.api.rehearsal import Rehearsed, rehearsed
from calward.entrypoints.problems import framework_problem, licensing_problem, problem

__all__ = ["FaultBarrier", "add_handlers", "bug", "expected", "shown"]

MOST_SHOWN: Final = 200
LONGEST_DETAIL: Final = 800
ID_SIZE: Final = 6

log = structlog.get_logger(__name__)


def add_handlers(app: FastAPI) -> None:
    """Turn errors that are expected into problem documents."""
    app.add_exception_handler(LicensingError, _licensing)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(TooManyError, _too_many)
    app.add_exception_handler(Rehearsed, rehearsed)


class FaultBarrier:
    """The outermost layer: a bug becomes a problem document with an id, and a line in the log with the same.

    ``headers``: what goes with every answer.
    """

    def __init__(self, app: ASGIApp, entropy: Entropy, headers: Callable[[], Mapping[str, str]]) -> None:
        self._app = app
        self._entropy = entropy
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is no HTTP; watch what is."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = False

        async def watched(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                MutableHeaders(scope=message).update(self._headers())
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            return  # In the middle of a body: nobody is left to answer, and it is nobody's bug.
        except Exception as error:
            found = bug(error, scope, self._entropy)
            if begun:
                raise  # Half an answer is out: the connection has to break.
            await found(scope, receive, watched)


def bug(error: Exception, scope: Scope, entropy: Entropy) -> Response:
    """Log a bug whole under an id; the answer tells the id only."""
    number = entropy.token(ID_SIZE).hex()
    # As text: a log that shows the values of variables would show tokens.
    trace = "".join(traceback.format_exception(error))
    log.error("api.bug", id=number, method=scope["method"], path=shown(scope["path"], MOST_SHOWN), trace=trace)
    detail = f"something went wrong inside: the server's log tells more under {number}"
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "bug", detail, id=number)


def _licensing(_request: Request, error: Exception) -> Response:
    if not isinstance(error, LicensingError):
        raise error
    return expected(error)


def expected(error: LicensingError) -> Response:
    """An error that the caller can act on; what only the server's own people can act on goes to the log."""
    if error.problem in {Problem.UNAVAILABLE, Problem.CORRUPT}:
        log.error("api.unavailable", problem=error.problem.value, detail=error.detail)
    # A detail may repeat a part of what was sent.
    field = shown(error.field, MOST_SHOWN) if error.field else None
    harmless = LicensingError(error.problem, shown(error.detail, LONGEST_DETAIL), field=field)
    return licensing_problem(harmless, who="the license server")


def _invalid(_request: Request, error: Exception) -> Response:
    """Each fault with its place; what was sent is not repeated."""
    found: Sequence[Any] = error.errors() if isinstance(error, RequestValidationError) else ()
    faults = [
        {"where": shown(".".join(map(str, x["loc"])), MOST_SHOWN), "what": shown(str(x["msg"]), MOST_SHOWN)}
        for x in found
    ]
    first = faults[0] if faults else {"where": "request", "what": "cannot be read"}
    detail = f"{first['where']}: {first['what'][:1].lower()}{first['what'][1:]}"
    return problem(HTTPStatus.BAD_REQUEST, Problem.MALFORMED.value, detail, errors=faults[:20])


def _http(request: Request, error: Exception) -> Response:
    """What the framework itself says: no such address, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    harmless = HTTPException(error.status_code, shown(error.detail, MOST_SHOWN), error.headers)
    return framework_problem(harmless, _methods(request.url.path), _NOT_THERE)


def _methods(path: str) -> set[str]:
    """The methods that an address takes."""
    return {method for method, template in _TEMPLATES if template.fullmatch(path)}


_TEMPLATES: Final = [(method, compile_path(path)[0]) for method, path in ENDPOINTS]


_NOT_THERE: Final = "there is no such address: see /api/openapi.json for those there are"


def _too_many(_request: Request, _error: Exception) -> Response:
    detail = "there were too many wrong codes: ask again after a minute"
    answer = problem(HTTPStatus.TOO_MANY_REQUESTS, "too-many-requests", detail)
    answer.headers["Retry-After"] = str(WITHIN)
    return answer


def shown(text: str, most: int) -> str:
    """The beginning of a text from outside, made harmless for logs and terminals."""
    return "".join(x if x.isprintable() else "?" for x in text[:most])
