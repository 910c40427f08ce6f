"""Which HTTP answer does each refusal of the clearinghouse become?"""

from http import HTTPStatus

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.errors import LicensingError
from calward.entrypoints.problems import STATUS, framework_problem, licensing_problem, problem

__all__ = ["STATUS", "not_accepted", "on_bug", "on_http_error", "on_licensing_error", "problem"]

_STATUS_OF = {AcceptanceRefusal.LEDGER_ROLLED_BACK: HTTPStatus.CONFLICT}
"""Refusals with a status of their own: what is known of the asker stands against all that it asks."""


def not_accepted(refusal: NotAccepted) -> Response:
    """Render why a signed thing was not accepted."""
    kind = refusal.reason.value
    status = _STATUS_OF.get(refusal.reason, HTTPStatus.UNPROCESSABLE_ENTITY)
    return problem(status, kind, refusal.detail, reason=kind)


def on_licensing_error(_request: Request, error: Exception) -> Response:
    """Starlette's handler for LicensingError."""
    if not isinstance(error, LicensingError):
        raise error
    return licensing_problem(error, who="the clearinghouse")


def on_http_error(request: Request, error: Exception) -> Response:
    """Starlette's handler for what it says itself: no such address, no such method."""
    if not isinstance(error, HTTPException):
        raise error
    routes = [one for one in request.app.routes if isinstance(one, Route) and one.path_regex.match(request.url.path)]
    takes = {method for one in routes for method in one.methods or () if method != "HEAD"}
    return framework_problem(
        error, takes, "there is no such address: the documentation of the HTTP API names those there are"
    )


def on_bug(_request: Request, _error: Exception) -> Response:
    """Starlette's handler for anything else; the server logs it whole."""
    detail = "something went wrong inside: the clearinghouse's log tells more"
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "bug", detail)
