"""What does a clearinghouse answer over HTTP?

``POST /v1/requests`` takes signed requests of license servers, ``POST /v1/activations`` a first one alone; whoever has the server's
key may ask. ``GET /v1/keyring`` is for everybody. All else is for operators, who carry a token: ``operator_routes``.
"""

from datetime import datetime
from typing import Annotated

import msgspec
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from calward.app.clearinghouse.activate_license_server import ActivateLicenseServer
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.clearinghouse.sign_key_pack import SignKeyPack
from calward.domain.acceptance import NotAccepted
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.domain.fields import parse_moment
from calward.domain.statements import NO_END, Channel, Program
from calward.entrypoints.clearinghouse.bodies import TooLargeError, on_too_large, small_body
from calward.entrypoints.clearinghouse.limits import too_many
from calward.entrypoints.clearinghouse.operator_routes import OPERATOR_ROUTES, decode, operator_of, operator_routes
from calward.entrypoints.clearinghouse.problems import not_accepted, on_bug, on_http_error, on_licensing_error
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
    def __init__(self, desk: Clearinghouse, door: RequestDoor) -> None:
        self._desk, self._door = desk, door

    async def activate(self, request: Request) -> Response:
        if wait := self._door.knock(request):
            return too_many(wait)
        command = ActivateLicenseServer(await small_body(request), Channel.ONLINE)
        answer = await run_in_threadpool(self._desk.activate, command)
        return not_accepted(answer) if isinstance(answer, NotAccepted) else _envelope(answer)

    async def sign_pack(self, request: Request) -> Response:
        await operator_of(self._desk, request, OPERATOR_ROUTES["POST", "/v1/key-packs"])
        command = decode(await small_body(request), Sale).command()
        return _envelope(await run_in_threadpool(self._desk.sign_pack, command))

    async def keyring(self, _request: Request) -> Response:
        _, envelope = await run_in_threadpool(self._desk.keyring)
        return _envelope(envelope)

    async def alive(self, _request: Request) -> Response:
        return PlainTextResponse("alive\n")

    async def ready(self, _request: Request) -> Response:
        await run_in_threadpool(self._desk.keyring)
        return PlainTextResponse("ready\n")


def clearinghouse_app(desk: Clearinghouse, door: RequestDoor | None = None) -> Starlette:
    """Build the web application of a clearinghouse; ``door``: with other limits than the usual."""
    door = door or RequestDoor(desk)
    routes = _Routes(desk, door)
    return Starlette(
        routes=[
            Route("/v1/activations", routes.activate, methods=["POST"]),
            Route("/v1/requests", door.__call__, methods=["POST"]),
            Route("/v1/key-packs", routes.sign_pack, methods=["POST"]),
            *operator_routes(desk),
            Route("/v1/keyring", routes.keyring, methods=["GET"]),
            Route("/livez", routes.alive, methods=["GET"]),
            Route("/readyz", routes.ready, methods=["GET"]),
        ],
        exception_handlers={
            LicensingError: on_licensing_error,
            HTTPException: on_http_error,
            TooLargeError: on_too_large,
            Exception: on_bug,
        },
    )


def _envelope(envelope: bytes) -> Response:
    return Response(envelope, media_type=ENVELOPE_TYPE)
