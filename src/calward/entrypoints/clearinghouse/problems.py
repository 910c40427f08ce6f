"""Which HTTP answer does each refusal of the clearinghouse become?"""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.errors import LicensingError
from calward.entrypoints.problems import STATUS, licensing_problem, problem

__all__ = ["STATUS", "not_accepted", "on_licensing_error", "problem"]

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
