"""What would an act come to? With ``?dry_run=true`` it is carried out up to its end, told, and never committed.

Not a second set of rules beside the first: the same act on the same ledger, in a transaction that is rolled back.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.registry import RegistryBook, RegistryLedger
from calward.domain.acceptance import NotAccepted
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.api.answers import Act
from calward.entrypoints.api.services import Services
from calward.entrypoints.api.views import act_view

__all__ = ["DRY_RUN", "NOT_TRIED", "READS", "Rehearsed", "rehearsed", "rehearsing"]

DRY_RUN: Final = "dry_run"
READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
NOT_TRIED: Final = frozenset(
    {"/api/v1/clearinghouse:take", "/api/v1/server:take-recovery", "/api/v1/hosts:enroll", "/api/v1/setup"}
)
"""What stands in a file of the clearinghouse is many acts, each on what the one before has changed; codes work once."""


class Rehearsed(Exception):  # noqa: N818 - no error: the way out of a transaction that is not to be committed
    """What an act came to, had it been committed."""

    def __init__(self, result: object) -> None:
        super().__init__("rehearsed")
        self.result = result


@dataclass(frozen=True, slots=True)
class _Rehearsal:
    """A ledger on which nothing is ever committed; the first act ends the request."""

    ledger: RegistryLedger

    def write(self, act: Callable[[RegistryBook], Any]) -> NoReturn:
        """Carry out and roll back; raises Rehearsed, or what the act raises."""

        def up_to_its_end(book: RegistryBook) -> NoReturn:
            raise Rehearsed(act(book))

        self.ledger.write(up_to_its_end)
        raise AssertionError

    def write_all(self, acts: Iterable[Callable[[RegistryBook], Any]]) -> list[Any]:
        """The same for the first of several."""
        for act in acts:
            self.write(act)
        return []


def rehearsing(request: Request, services: Services) -> Services:
    """The services on which a request is only tried, where it asks for that; raises LicensingError(MALFORMED) where none can be.

    Whoever writes ``dry_run=1`` wants nothing done: what is neither true nor false is refused, not taken for false.
    """
    said = set(request.query_params.getlist(DRY_RUN)) or {"false"}
    if request.method in READS or said == {"false"}:
        return services
    if said != {"true"}:
        raise LicensingError(Problem.MALFORMED, f"{DRY_RUN} is true or false: nothing was done", field=DRY_RUN)
    if request.url.path in NOT_TRIED:
        detail = "this cannot be tried beforehand: each thing in it is checked when it is taken"
        raise LicensingError(Problem.MALFORMED, detail, field=DRY_RUN)
    return replace(services, ledger=_Rehearsal(services.ledger))


def rehearsed(_request: Request, error: Exception) -> Response:
    """What it came to, as the act itself would have told it; what was made on the way (a code, a token) is not shown: it works nowhere."""
    if not isinstance(error, Rehearsed):
        raise error
    found = _view(error.result).model_dump() | {DRY_RUN: True}
    return JSONResponse(found)


def _view(result: object) -> Act:
    match result:
        case Done() | RefusedAct():
            return act_view(result)
        case NotAccepted():
            return Act(outcome="refused", reason=[result.reason.value], detail=result.detail)
        case Act():
            return result
    return Act(outcome="possible")
