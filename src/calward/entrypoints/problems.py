"""Which HTTP answer does each kind of error become? One table for all programs.

The body is a problem document (RFC 9457).
"""

from collections.abc import Collection
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.statuses import STATUS

__all__ = ["STATUS", "framework_problem", "licensing_problem", "problem", "too_large"]

_INSIDE = frozenset({Problem.UNAVAILABLE, Problem.CORRUPT})
"""Kinds whose detail may name files of this machine: told to the log, not to a stranger."""


def problem(status: HTTPStatus, kind: str, detail: str, **more: object) -> Response:
    """Render a problem document; ``kind`` is its machine name."""
    body = {"type": f"urn:calward:problem:{kind}", "title": status.phrase, "status": status.value, "detail": detail}
    headers = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else None
    content = msgspec.json.encode({**body, **more})
    return Response(content, status, headers=headers, media_type="application/problem+json")


def licensing_problem(error: LicensingError, *, who: str) -> Response:
    """Render an error the caller can act on; ``who`` speaks ("the license server")."""
    detail = f"{who} cannot answer now: ask again later" if error.problem in _INSIDE else error.detail
    field = {"field": error.field} if error.field else {}
    return problem(STATUS[error.problem], error.problem.value, detail, **field)


def too_large(most: int) -> Response:
    """Render what a body of more than ``most`` bytes is answered with."""
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", f"the body is larger than {most} bytes")


def framework_problem(error: HTTPException, takes: Collection[str], detail: str) -> Response:
    """Render what the framework itself says; ``takes``: the methods of the address, ``detail``: what to say of one that is not there.

    Where the framework knows an address by one of several routes only, it says 404, or some of the methods.
    """
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.NOT_FOUND and takes:
        status = HTTPStatus.METHOD_NOT_ALLOWED
    said = {HTTPStatus.NOT_FOUND: detail, HTTPStatus.METHOD_NOT_ALLOWED: "this address does not take this method"}
    kinds = {HTTPStatus.NOT_FOUND: Problem.NOT_FOUND.value, HTTPStatus.BAD_REQUEST: Problem.MALFORMED.value}
    kind = kinds.get(status, status.phrase.lower().replace(" ", "-"))
    answer = problem(status, kind, said.get(status, error.detail))
    answer.headers.update(error.headers or {})
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        answer.headers["Allow"] = ", ".join(sorted(takes))
    return answer
