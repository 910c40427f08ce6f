"""Which HTTP answer does each kind of error become? One table for all programs.

The body is a problem document (RFC 9457).
"""

from http import HTTPStatus

import msgspec
from starlette.responses import Response

from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.statuses import STATUS

__all__ = ["STATUS", "licensing_problem", "problem"]

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
