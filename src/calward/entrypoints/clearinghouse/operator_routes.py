"""What may operators do over HTTP, and who may do what? One table; what does not stand in it is never served.

Each carries a token (``Authorization: Bearer cwo_…``); bodies are JSON and small. What a viewer gets holds no numbers of purchases.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Annotated, Any, Final, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from calward.app.clearinghouse import views
from calward.app.clearinghouse.add_organization import AddOrganization
from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.clearinghouse.desk import Clearinghouse
from calward.domain.acceptance import NotAccepted
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import parse_moment
from calward.domain.operators import OPERATOR_MAY, Operator, OperatorRight
from calward.domain.statements import NO_END, Program
from calward.entrypoints.clearinghouse.bodies import small_body
from calward.entrypoints.clearinghouse.problems import not_accepted
from calward.ladders import DEFAULT_LADDER

__all__ = ["OPERATOR_ROUTES", "decode", "operator_of", "operator_routes"]

OPERATOR_ROUTES: Final[Mapping[tuple[str, str], OperatorRight]] = MappingProxyType(
    {
        ("POST", "/v1/key-packs"): OperatorRight.SELL,
        ("GET", "/v1/organizations"): OperatorRight.READ,
        ("POST", "/v1/organizations"): OperatorRight.SELL,
        ("GET", "/v1/purchases"): OperatorRight.READ,
        ("POST", "/v1/purchases"): OperatorRight.SELL,
        ("GET", "/v1/register"): OperatorRight.READ,
        ("GET", "/v1/transfers"): OperatorRight.READ,
        ("POST", "/v1/transfers/{transfer}/cancel"): OperatorRight.SUPPORT,
        ("POST", "/v1/servers/{server}/confirm-key"): OperatorRight.SUPPORT,
        ("GET", "/v1/audit/checkpoint"): OperatorRight.AUDIT,
        ("POST", "/v1/audit/verify"): OperatorRight.AUDIT,
    }
)
"""Method and path of every address for operators, and the right that it takes."""

T = TypeVar("T")
_Act = Callable[[Clearinghouse, Operator, Request, bytes], "dict[str, Any] | NotAccepted"]


class NewOrganization(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of ``POST /v1/organizations``."""

    name: str
    contact: str = ""


class NewPurchase(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of ``POST /v1/purchases``. ``order`` makes repeating it safe; ``expires_at`` as 2027-01-31T00:00:00Z."""

    program: Program
    version: str
    cal_type: CalType
    quantity: Annotated[int, msgspec.Meta(ge=1)]
    ladder: str = DEFAULT_LADDER
    organization: str | None = None
    expires_at: str | None = None
    convertible: bool = False
    order: str | None = None

    def command(self) -> AddPurchase:
        """The use case's command; raises LicensingError(MALFORMED)."""
        end = NO_END if self.expires_at is None else parse_moment(self.expires_at, "expires_at")
        what = (self.program, self.ladder, self.version, self.cal_type, self.quantity)
        return AddPurchase(*what, self.organization, end, self.convertible, self.order)


class Confirmed(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of ``POST /v1/servers/{server}/confirm-key``: the fingerprint as it was read out."""

    fingerprint: str


class Kept(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of ``POST /v1/audit/verify``: checkpoints that were kept elsewhere."""

    checkpoints: Annotated[list[str], msgspec.Meta(max_length=100)] = []


def operator_routes(desk: Clearinghouse) -> list[Route]:
    """The routes of the table, but for the sale of a single pack, which has an answer of its own kind."""
    return [
        Route(path, _route(desk, OPERATOR_ROUTES[method, path], act), methods=[method])
        for (method, path), act in _ACTS.items()
    ]


async def operator_of(desk: Clearinghouse, request: Request, right: OperatorRight) -> Operator:
    """Who asks, if that is an operator who may; raises LicensingError: UNAUTHORIZED, FORBIDDEN."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    known = scheme.lower() == "bearer" and token
    found = await run_in_threadpool(desk.operator_of, token) if known else None
    if found is None:
        detail = "this needs an operator's token: calward clearinghouse operator NAME makes one"
        raise LicensingError(Problem.UNAUTHORIZED, detail)
    found.require(right)
    return found


def _route(desk: Clearinghouse, right: OperatorRight, act: _Act) -> Callable[[Request], Any]:
    async def answer(request: Request) -> Response:
        who = await operator_of(desk, request, right)
        body = await small_body(request)
        found = await run_in_threadpool(act, desk, who, request, body)
        if isinstance(found, NotAccepted):
            return not_accepted(found)
        return Response(msgspec.json.encode(found), HTTPStatus.OK, media_type="application/json")

    return answer


def decode(body: bytes, kind: type[T]) -> T:
    """Read a body strictly; raises LicensingError(MALFORMED)."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LicensingError(Problem.MALFORMED, f"the body cannot be read: {error}") from None


def _organizations(desk: Clearinghouse, _who: Operator, _request: Request, _body: bytes) -> dict[str, Any]:
    return {"items": [views.organization_view(one) for one in desk.overview().organizations]}


def _add_organization(desk: Clearinghouse, _who: Operator, _request: Request, body: bytes) -> dict[str, Any]:
    asked = decode(body, NewOrganization)
    return views.organization_view(desk.add_organization(AddOrganization(asked.name, asked.contact)))


def _purchases(desk: Clearinghouse, who: Operator, _request: Request, _body: bytes) -> dict[str, Any]:
    found = desk.overview()
    names = {one.organization_id: one.name for one in found.organizations}
    rows = [views.purchase_view(one, claimed, names.get(one.organization or "")) for one, claimed in found.purchases]
    hidden = {} if OperatorRight.READ_NUMBERS in OPERATOR_MAY[who.role] else {"numbers": None}
    return {"items": [row | hidden for row in rows]}


def _add_purchase(desk: Clearinghouse, _who: Operator, _request: Request, body: bytes) -> dict[str, Any]:
    return views.purchase_view(desk.add_purchase(decode(body, NewPurchase).command()))


def _register(desk: Clearinghouse, _who: Operator, _request: Request, _body: bytes) -> dict[str, Any]:
    found = desk.overview()
    return {
        "servers": [views.server_view(one) for one in found.servers],
        "packs": [views.pack_view(one) for one in found.register],
        "keys_to_confirm": [views.key_change_view(one) for one in found.key_changes if one.confirmed_at is None],
    }


def _transfers(desk: Clearinghouse, _who: Operator, request: Request, _body: bytes) -> dict[str, Any]:
    everything = request.query_params.get("all") == "true"
    found = [one for one in desk.overview().transfers if everything or one.outcome is None]
    return {"items": [views.transfer_view(one) for one in found]}


def _cancel(desk: Clearinghouse, who: Operator, request: Request, _body: bytes) -> dict[str, Any] | NotAccepted:
    number = request.path_params["transfer"]
    return desk.cancel_transfer(number, who.name) or {"transfer_id": number, "outcome": "cancelled"}


def _confirm_key(desk: Clearinghouse, who: Operator, request: Request, body: bytes) -> dict[str, Any]:
    asked = decode(body, Confirmed)
    return views.key_change_view(desk.confirm_key(request.path_params["server"], asked.fingerprint, who.name))


def _checkpoint(desk: Clearinghouse, _who: Operator, _request: Request, _body: bytes) -> dict[str, Any]:
    return {"checkpoint": desk.checkpoint()}


def _verify(desk: Clearinghouse, _who: Operator, _request: Request, body: bytes) -> dict[str, Any]:
    return views.audit_view(desk.audit(decode(body, Kept).checkpoints if body else ()))


_ACTS: Final[Mapping[tuple[str, str], _Act]] = MappingProxyType(
    {
        ("GET", "/v1/organizations"): _organizations,
        ("POST", "/v1/organizations"): _add_organization,
        ("GET", "/v1/purchases"): _purchases,
        ("POST", "/v1/purchases"): _add_purchase,
        ("GET", "/v1/register"): _register,
        ("GET", "/v1/transfers"): _transfers,
        ("POST", "/v1/transfers/{transfer}/cancel"): _cancel,
        ("POST", "/v1/servers/{server}/confirm-key"): _confirm_key,
        ("GET", "/v1/audit/checkpoint"): _checkpoint,
        ("POST", "/v1/audit/verify"): _verify,
    }
)
