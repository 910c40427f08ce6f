"""What does an administrator see and do when the ledger may have gone back in time, or begins anew?"""

from contextlib import closing
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from calward.app.licensing.contact import ask_online
from calward.app.licensing.quarantine import WAYS_OUT, explain, leave_quarantine, quarantine_of
from calward.app.licensing.recover import missing_packs
from calward.app.licensing.request_packs import ask, to_recover
from calward.app.licensing.take_orders import Desk as TakingDesk
from calward.app.licensing.take_orders import Taken, take
from calward.app.ports import Book
from calward.domain.errors import LicensingError, Problem
from calward.domain.pack_requests import RecoverReason
from calward.domain.quarantine import Cause
from calward.domain.roles import Principal
from calward.entrypoints.api.answers import Act, QuarantineView
from calward.entrypoints.api.bodies import Strict
from calward.entrypoints.api.guard import Body, Desk, GuardedRoute, Who
from calward.entrypoints.api.refusals import refused_view
from calward.entrypoints.api.server_routes import ENVELOPE, ENVELOPE_BODY
from calward.entrypoints.api.services import Services
from calward.entrypoints.api.views import act_view, done_view, when

__all__ = ["router"]

router = APIRouter(route_class=GuardedRoute, tags=["server"])

NO_ADDRESS = "no clearinghouse is known: name its address, or use files"


class RecoverBody(Strict):
    """``reason``: "restored" for a ledger that went back, "rebuild" for one that begins anew. ``accept_loss`` must be true: licenses
    that this ledger does not know become void. ``clearinghouse``: where to ask; else where this server was activated online.
    """

    reason: RecoverReason = RecoverReason.RESTORED
    accept_loss: bool = False
    clearinghouse: str | None = None


@router.get("/api/v1/server/quarantine", operation_id="showQuarantine")
def quarantine(desk: Desk) -> QuarantineView:
    """Say whether the ledger is older than what others have seen of it, what may be missing, and what leads out."""
    return desk.ledger.write(_view)


@router.get("/api/v1/server/recover-request", operation_id="makeRecoverRequest", response_class=Response)
def recover_request(desk: Desk, reason: Annotated[RecoverReason, Query()] = RecoverReason.RESTORED) -> Response:
    """Make the signed request what this server holds, to be carried to the clearinghouse as a file; until its answer it is the same."""
    return Response(_request(desk, reason), media_type=ENVELOPE)


@router.post("/api/v1/server:recover", operation_id="recoverServer")
def recover(desk: Desk, who: Who, body: RecoverBody) -> Act:
    """Ask the clearinghouse what this server holds, take its answer and end the quarantine: what is not known here is given up."""
    if not body.accept_loss:
        detail = "recovering gives up what was issued and is not known here: say accept_loss, or restore a newer backup first"
        raise LicensingError(Problem.CONFLICT, detail, field="accept_loss")
    address = body.clearinghouse or desk.clearinghouse_address()
    if not address:
        raise LicensingError(Problem.MALFORMED, NO_ADDRESS, field="clearinghouse")
    with desk.one_question, closing(desk.clearinghouse(address)) as line:
        request = _request(desk, body.reason)
        said = ask_online(request, desk.ledger, line, _taking(desk, who), desk.audit.checkpoint)
    return refused_view(desk, who, "recover", said.refused) if said.refused else _came_to(desk, said.taken)


@router.post("/api/v1/server:take-recovery", operation_id="takeRecovery", openapi_extra=ENVELOPE_BODY)
def take_recovery(desk: Desk, who: Who, body: Body) -> Act:
    """Take the clearinghouse's answer to a recover request from a file."""
    return _came_to(desk, take(body, desk.ledger, _taking(desk, who)))


@router.post("/api/v1/server:confirm-ledger", operation_id="confirmLedger")
def confirm_ledger(desk: Desk, who: Who) -> Act:
    """Say that a restored ledger is the newest: nothing was issued after the backup was made. Not where somebody has seen more."""

    def act(book: Book) -> Act:
        found = quarantine_of(book)
        if found is not None and found.cause is not Cause.RESTORED:
            raise LicensingError(
                Problem.CONFLICT,
                f"something was lost: {'; '.join(explain(found))}: restore the newer backup, or "
                "accept the loss by calward server recover --accept-loss",
            )
        return act_view(leave_quarantine(book, now=book.now(), by=who.name, how="nothing-lost"))

    return desk.ledger.write(act)


def _view(book: Book) -> QuarantineView:
    found, missing = quarantine_of(book), [one.pack_id for one in missing_packs(book)]
    recovered_at = when(book.server().recovered_at)
    if found is None:
        return QuarantineView(quarantined=False, recovered_at=recovered_at)
    return QuarantineView(
        quarantined=True,
        cause=found.cause.value,
        since=when(found.since),
        own_size=found.own or None,
        seen_size=found.seen or None,
        seen_at=when(found.seen_at),
        seen_by=found.by or None,
        happened=list(explain(found)),
        ways_out=list(WAYS_OUT[found.cause]),
        recovered_at=recovered_at,
        waits_for=missing,
    )


def _request(desk: Services, reason: RecoverReason) -> bytes:
    wanted = to_recover(reason)
    return desk.ledger.write(lambda book: ask(wanted, book, desk.signatures, desk.entropy, now=book.now()))


def _taking(desk: Services, who: Principal) -> TakingDesk:
    return TakingDesk(desk.signatures, desk.ladder, desk.entropy, who.name, desk.new_license_key)


def _came_to(desk: Services, taken: tuple[Taken, ...]) -> Act:
    """What became of the answer: recovered, unless its register was not taken."""
    results: list[dict[str, Any]] = [
        {"kind": one.kind, "outcome": one.outcome, "reason": list(one.reasons), "detail": one.detail} for one in taken
    ]
    registers = [one for one in taken if one.kind == "register"]
    refused = [one for one in taken if not one.accepted]
    if not registers or not registers[0].accepted:
        detail = refused[0].detail if refused else "the answer says nothing of what this server holds"
        reasons = list(refused[0].reasons) if refused else ["answers-another-request"]
        return Act.model_validate({"outcome": "refused", "reason": reasons, "detail": detail, "results": results})
    view = desk.ledger.write(_view)
    return done_view(registers[0].outcome, results=results, **registers[0].facts, waits_for=view.waits_for)
