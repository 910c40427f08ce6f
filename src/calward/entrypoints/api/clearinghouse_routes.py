"""How does an administrator ask the clearinghouse, take its answers, and see what is under way?

By file: ``:request`` makes the signed request, ``:take`` takes what came back. Online ``:ask`` does both and the sending between them.
What was asked stays the same bytes until its answer was taken, so that after a crash on either side the same call goes on.
"""

from contextlib import closing
from typing import Any

from fastapi import APIRouter, Response
from starlette.responses import JSONResponse

from calward.app.licensing.acts import RefusedAct
from calward.app.licensing.ask_clearinghouse import Activation, Asking, Word, answer_online, make_request
from calward.app.licensing.contact import Said
from calward.app.licensing.moves import Incoming, moves
from calward.app.licensing.plan_change import Preview, preview_change
from calward.app.licensing.request_packs import Ask, give_up_change
from calward.app.licensing.show_status import needed_server
from calward.app.licensing.take_orders import Desk as TakingDesk
from calward.app.licensing.take_orders import Taken, take
from calward.app.licensing.transfers import Transfer
from calward.domain.answers import license_name
from calward.domain.errors import LicensingError, Problem
from calward.domain.key_packs import PackId
from calward.domain.licenses import NEVER
from calward.domain.parties import Host
from calward.domain.roles import Permission, Principal
from calward.entrypoints.api.answers import Act, Items, MoveView, TakenView
from calward.entrypoints.api.clearinghouse_bodies import Activate, AskBody, Change, Deactivate, Recover, Regular
from calward.entrypoints.api.guard import Body, Desk, GuardedRoute, Who
from calward.entrypoints.api.refusals import refused_view
from calward.entrypoints.api.services import Services
from calward.entrypoints.api.views import act_view, done_view, when

__all__ = ["BUNDLE", "router"]

BUNDLE = "application/vnd.calward.bundle"
_BUNDLE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_BUNDLE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The signed request; or, as JSON, why it is not made",
        "content": {BUNDLE: {"schema": {"type": "string", "format": "binary"}}},
    }
}
NO_ADDRESS = "no clearinghouse is known: name its address, or make a request file and carry it there"
_SERVERS_OWN = (Activate, Deactivate, Recover)
"""What is about the server itself and not about its packs."""

router = APIRouter(route_class=GuardedRoute, tags=["clearinghouse"])


@router.post(
    "/api/v1/clearinghouse:request",
    operation_id="makeClearinghouseRequest",
    response_class=Response,
    response_model=None,
    responses=_BUNDLE_ANSWER,
)
def request(desk: Desk, who: Who, body: AskBody) -> Response:
    """Make the signed request, to be carried to the clearinghouse as a file; until its answer is taken it stays the same."""
    asking = _asking(body, who)
    made = make_request(asking, desk.ledger, _taking(desk, who), desk.audit.checkpoint)
    if isinstance(made, RefusedAct):
        return JSONResponse(act_view(made).model_dump())
    return Response(made, media_type=BUNDLE)


@router.post("/api/v1/clearinghouse:take", operation_id="takeClearinghouseAnswer", openapi_extra=_BUNDLE_BODY)
def take_answer(desk: Desk, who: Who, body: Body) -> Act:
    """Take what came from the clearinghouse as a file: each signed thing by itself; the results say what became of each."""
    return _results("taken", take(body, desk.ledger, _taking(desk, who)))


@router.post("/api/v1/clearinghouse:ask", operation_id="askClearinghouse")
def ask(desk: Desk, who: Who, body: AskBody) -> Act:
    """Ask the clearinghouse online and take its answer; repeated after a crash it goes on where it was."""
    found = body.root
    asking = _asking(body, who)
    if isinstance(found, Change) and found.preview:
        return _preview(desk, found, who)
    address = found.clearinghouse or desk.clearinghouse_address()
    if not address and isinstance(found, Deactivate):
        make_request(asking, desk.ledger, _taking(desk, who), desk.audit.checkpoint)
        return done_view("deactivated", results=[], told=False)
    if not address:
        raise LicensingError(Problem.MALFORMED, NO_ADDRESS, field="clearinghouse")
    with desk.one_question, closing(desk.clearinghouse(address)) as line:
        said = answer_online(asking, desk.ledger, line, _taking(desk, who), desk.audit.checkpoint, address)
    if isinstance(said, RefusedAct):
        return act_view(said)
    activated = isinstance(found, Activate) and any(x.kind == "activation" and x.accepted for x in said.taken)
    return _activated(desk, said) if activated and not said.refused else _said(desk, who, found.kind, said)


@router.get("/api/v1/clearinghouse/moves", operation_id="listMoves")
def list_moves(desk: Desk) -> Items[MoveView]:
    """List moves of key packs to this server and away from it that have not ended, and what each waits for."""
    found = desk.ledger.write(moves)
    return Items(items=[_incoming(one) if isinstance(one, Incoming) else _outgoing(one) for one in found])


@router.post("/api/v1/packs/{pack}:give-up-change", operation_id="giveUpChange")
def give_up(desk: Desk, who: Who, pack: str) -> Act:
    """Let CALs be issued again that were set aside for a conversion whose answer will not come."""
    return act_view(desk.ledger.write(lambda book: give_up_change(PackId(pack), book, now=book.now(), by=who.name)))


def _asking(body: AskBody, who: Principal) -> Asking:
    """What is asked; raises LicensingError(FORBIDDEN) where it is about the server and the role has only its packs."""
    found = body.root
    if isinstance(found, _SERVERS_OWN):
        who.require(Permission.MANAGE_SERVER)
    match found:
        case Regular():
            return Word.CONTACT
        case Deactivate():
            return Word.DEACTIVATION
        case Activate():
            return Activation(found.reason)
        case Change():
            return found.plan(who.name)
        case _:
            question: Ask = found.ask()
            return question


def _taking(desk: Services, who: Principal) -> TakingDesk:
    return TakingDesk(desk.signatures, desk.ladder, desk.entropy, who.name, desk.new_license_key)


def _said(desk: Services, who: Principal, kind: str, said: Said) -> Act:
    """What came of asking: the clearinghouse's no is an answer, and what was taken before it stands beside it."""
    if said.refused is None:
        return _results("answered", said.taken)
    view = refused_view(desk, who, kind, said.refused)
    return Act.model_validate(view.model_dump() | {"results": _taken(said.taken)})


def _activated(desk: Services, said: Said) -> Act:
    until = needed_server(desk.reader).issue_until
    return done_view(
        "activated", issue_until="perpetual" if until == NEVER else when(until), results=_taken(said.taken)
    )


def _results(outcome: str, taken: tuple[Taken, ...]) -> Act:
    return done_view(outcome, results=_taken(taken))


def _taken(taken: tuple[Taken, ...]) -> list[dict[str, Any]]:
    return [
        TakenView(
            kind=one.kind,
            outcome=one.outcome,
            reason=list(one.reasons),
            detail=one.detail or None,
            **{key: value for key, value in one.facts.items() if key not in {"kind", "outcome", "reason", "detail"}},
        ).model_dump()
        for one in taken
    ]


def _preview(desk: Services, found: Change, who: Principal) -> Act:
    now = desk.clock.now()
    hosts = [Host(x.host.id, x.host.name, x.host.version, x.host.family, x.mode) for x in desk.reader.hosts()]
    seen = desk.ledger.write(lambda book: preview_change(found.plan(who.name), book, desk.ladder, hosts, now=now))
    return act_view(seen) if isinstance(seen, RefusedAct) else _previewed(seen)


def _previewed(seen: Preview) -> Act:
    change = seen.change
    return done_view(
        "preview",
        reason=list(seen.reasons),
        pack=change.pack.id,
        change=change.kind.value,
        version=change.pack.version,
        type=change.pack.type.value,
        to=change.to,
        count=change.count,
        free=seen.free,
        licenses=[{"license": license_name(one.license), "holder": one.label} for one in seen.licenses],
        lost=list(seen.lost),
        hosts=list(seen.hosts),
    )


def _incoming(one: Incoming) -> MoveView:
    return MoveView(
        move=one.number,
        direction="in",
        state=one.state,
        packs=list(one.packs),
        other=one.source,
        since=when(one.since),
        waits_for=one.waits_for,
        way_out=one.way_out,
    )


def _outgoing(one: Transfer) -> MoveView:
    return MoveView(
        move=one.id,
        direction="out",
        state=one.stage.value,
        packs=[one.pack],
        other=one.target,
        since=when(one.at) if one.at else None,
        waits_for="the clearinghouse to hear the release and say that the move has ended",
        way_out="calward server contact, or carry the file of calward server contact --request-file FILE; the target may cancel it",
    )
