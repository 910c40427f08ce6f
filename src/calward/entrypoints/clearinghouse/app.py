"""What does a clearinghouse answer over HTTP?

``POST /v1/activations`` takes the signed request of a license server as it is; whoever has the server's key may ask.
``POST /v1/key-packs`` is for operators, who carry a token. ``GET /v1/keyring`` is for everybody.
"""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from calward.app.clearinghouse.activate_license_server import ActivateLicenseServer
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.clearinghouse.sign_key_pack import SignKeyPack
from calward.domain.acceptance import NotAccepted
from calward.domain.cals import CalType
from calward.domain.envelope import MAX_ENVELOPE_SIZE
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import parse_moment
from calward.domain.statements import NO_END, Channel, Program
from calward.entrypoints.clearinghouse.problems import not_accepted, on_licensing_error, problem
from calward.entrypoints.clearinghouse.request_door import RequestDoor

__all__ = ["ENVELOPE_TYPE", "Sale", "clearinghouse_app"]

ENVELOPE_TYPE = "application/vnd.dsse.envelope.v1+json"


class Sale(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The body of ``POST /v1/key-packs``. ``order`` makes repeating it safe; ``expires_at`` as 2027-01-31T00:00:00Z."""

    order: str
    server_id: str
    ladder: str
    version: str
    cal_type: CalType
    total: Annotated[int, msgspec.Meta(ge=1)]
    program: Program = Program.RETAIL
    expires_at: str | None = None

    def command(self) -> SignKeyPack:
        """The use case's command; raises LicensingError(MALFORMED)."""
        return SignKeyPack(
            order=self.order,
            server_id=self.server_id,
            ladder=self.ladder,
            version=self.version,
            cal_type=self.cal_type,
            total=self.total,
            program=self.program,
            expires_at=self._end(),
        )

    def _end(self) -> datetime:
        return NO_END if self.expires_at is None else parse_moment(self.expires_at, "expires_at")


class _Routes:
    def __init__(self, desk: Clearinghouse) -> None:
        self._desk = desk

    async def activate(self, request: Request) -> Response:
        command = ActivateLicenseServer(await _body(request), Channel.ONLINE)
        answer = await run_in_threadpool(self._desk.activate, command)
        return not_accepted(answer) if isinstance(answer, NotAccepted) else _envelope(answer)

    async def sign_pack(self, request: Request) -> Response:
        if await run_in_threadpool(self._operator, request) is None:
            detail = "selling packs needs an operator's token: calward clearinghouse operator NAME makes one"
            return problem(HTTPStatus.UNAUTHORIZED, Problem.UNAUTHORIZED.value, detail)
        command = _decode(await _body(request)).command()
        return _envelope(await run_in_threadpool(self._desk.sign_pack, command))

    async def keyring(self, _request: Request) -> Response:
        _, envelope = await run_in_threadpool(self._desk.keyring)
        return _envelope(envelope)

    async def alive(self, _request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(self, _request: Request) -> Response:
        await run_in_threadpool(self._desk.keyring)
        return PlainTextResponse("ready\n")

    def _operator(self, request: Request) -> str | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return self._desk.operator_of(token) if scheme.lower() == "bearer" and token else None


def clearinghouse_app(desk: Clearinghouse) -> Starlette:
    """Build the web application of a clearinghouse."""
    routes = _Routes(desk)
    return Starlette(
        routes=[
            Route("/v1/activations", routes.activate, methods=["POST"]),
            Route("/v1/requests", RequestDoor(desk).__call__, methods=["POST"]),
            Route("/v1/key-packs", routes.sign_pack, methods=["POST"]),
            Route("/v1/keyring", routes.keyring, methods=["GET"]),
            Route("/livez", routes.alive, methods=["GET"]),
            Route("/readyz", routes.ready, methods=["GET"]),
        ],
        exception_handlers={LicensingError: on_licensing_error},
    )


def _envelope(envelope: bytes) -> Response:
    return Response(envelope, media_type=ENVELOPE_TYPE)


def _decode(body: bytes) -> Sale:
    try:
        return msgspec.json.decode(body, type=Sale)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise LicensingError(Problem.MALFORMED, f"the sale cannot be read: {error}") from None


async def _body(request: Request) -> bytes:
    """The body, never more of it in memory than is allowed."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_ENVELOPE_SIZE + 1:  # A line feed may follow the envelope.
            raise LicensingError(Problem.MALFORMED, f"the body is longer than {MAX_ENVELOPE_SIZE} bytes")
    return body
