"""How does a session host ask for licenses? The hot path: decode, hand over to the writer, answer (design 7).

Plain Starlette routes with msgspec, in the same application as the administration API.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Never, Protocol, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.confirm_license import ConfirmLicense
from calward.app.licensing.issue_license import IssueLicense
from calward.app.licensing.requests import Confirmation, Request
from calward.app.ports import Entropy
from calward.domain.answers import Answer, LicenseView, answer_from, numbered
from calward.domain.cals import HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Event
from calward.domain.names import check_holder, check_label, check_request_id
from calward.domain.parties import Host
from calward.domain.statements import PayloadType
from calward.entrypoints.api.faults import bug, expected
from calward.entrypoints.problems import STATUS, too_large

__all__ = ["Answering", "HostDesk", "decoded", "host_routes", "hosts_first"]

T = TypeVar("T")

MAX_BODY = 1 << 20
"""Bytes of a request; a batch of the largest size with long names fits."""
MAX_BATCH = 1000


class Device(msgspec.Struct, forbid_unknown_fields=True):
    """A device: ``hardware_id`` is what it is known by, an opaque text; ``name`` a label."""

    name: str
    hardware_id: str


class AskBody(msgspec.Struct, forbid_unknown_fields=True, tag_field="do", tag="request"):
    """A request for a license: for a user or a device, by the host's mode."""

    request_id: str
    user: str | None = None
    device: Device | None = None
    full_only: bool = False


class ConfirmBody(msgspec.Struct, forbid_unknown_fields=True, tag_field="do", tag="confirm"):
    """The device's user has logged on."""

    license: str


class BatchBody(msgspec.Struct, forbid_unknown_fields=True):
    """Several of both, each answered alone and in order."""

    requests: list[AskBody | ConfirmBody]


Act = Callable[..., Any]
Results = list[Any]


class Submit(Protocol):
    """Hand acts to the writer; gives what ``render`` makes of their results, in another thread, once they are durable."""

    def __call__(self, acts: Sequence[Act], render: Callable[[Results], bytes]) -> Awaitable[bytes]: ...


@dataclass(frozen=True, slots=True)
class HostDesk:
    """What the host routes need. ``seal`` signs a payload as one of its type and renders the envelope."""

    submit: Submit
    host_of: Callable[[str], Host | None]
    entropy: Entropy
    seal: Callable[[str, bytes], bytes]
    server_id: str
    headers: Callable[[], dict[str, str]] = dict
    """Headers outside the repeated body: the newest checkpoint."""
    echo: bool = False
    """Also serve /bench/echo, which only decodes and encodes what a request for a license would be."""
    is_news: Callable[[int, bytes], bool] = lambda _host, _header: False
    """Whether the checkpoint that a host (by number) shows must be compared with the ledger; asked at each request."""
    compare: Callable[[Host, bytes], None] = lambda _host, _header: None
    """Compares it, in another thread; raises LicensingError where the ledger cannot be asked, and nothing is answered then."""
    count: Callable[[str, str, int], None] = lambda _outcome, _status, _times: None
    """Takes note of answers' outcome, the licenses' status, and how many of them there are."""


_ONE_LICENSE = PayloadType.LICENSE
_ask_decoder = msgspec.json.Decoder(AskBody)
_confirm_decoder = msgspec.json.Decoder(ConfirmBody)
_batch_decoder = msgspec.json.Decoder(BatchBody)
_encode = msgspec.json.Encoder().encode
_canonical = msgspec.json.Encoder(order="sorted").encode


def host_routes(desk: HostDesk) -> list[Route]:
    """The three routes for hosts."""

    async def request_license(host: Host, content: bytes) -> bytes:
        body = decoded(_ask_decoder, content)
        render = lambda results: _encode(_answer(_value(results[0]), body, desk))  # noqa: E731 - one line, used once
        return await desk.submit([_request(host, body, desk)], render)

    async def confirm_license(host: Host, content: bytes) -> bytes:
        body = decoded(_confirm_decoder, content)
        return await desk.submit([_confirmation(host, body)], lambda results: _encode(_confirmed(_value(results[0]))))

    async def batch(host: Host, content: bytes) -> bytes:
        return await _batch(host, decoded(_batch_decoder, content), desk)

    async def echo(http: HttpRequest) -> Response:
        return Response(_encode(_ask_decoder.decode(await http.body())), media_type="application/json")

    yardstick = [Route("/bench/echo", echo, methods=["POST"])] if desk.echo else []
    return [
        *yardstick,
        Route("/api/v1/licenses:request", Answering(request_license, desk), methods=["POST"]),
        Route("/api/v1/licenses:confirm", Answering(confirm_license, desk), methods=["POST"]),
        Route("/api/v1/licenses:batch", Answering(batch, desk), methods=["POST"]),
    ]


def hosts_first(app: ASGIApp, routes: Sequence[Route]) -> ASGIApp:
    """The application, with requests for these routes going straight to them: they handle their errors themselves, so that
    Starlette's layers, through which everything else goes, would only cost time.
    """
    direct = {route.path: route.app for route in routes if isinstance(route.app, Answering)}

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        found = direct.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        await (found or app)(scope, receive, send)

    return dispatch


class Answering:
    """A route that knows its host, reads a body of ``most`` bytes, and sends what the handler makes of both.

    Speaks ASGI itself: Starlette's request and response objects cost a tenth of the whole answer. Errors that the caller can act
    on become problem documents.
    """

    def __init__(
        self, handler: Callable[[Host, bytes], Awaitable[bytes]], desk: HostDesk, most: int = MAX_BODY
    ) -> None:
        self._handler = handler
        self._desk = desk
        self._most = most
        self.__name__ = handler.__name__

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        try:
            headers: dict[bytes, bytes] = dict(scope["headers"])
            host = _known_host(headers, self._desk)
            seen = headers.get(_CHECKPOINT)
            if seen is not None and self._desk.is_news(host.id, seen):
                await run_in_threadpool(self._desk.compare, host, seen)
            content = await self._handler(host, await _body(headers, receive, self._most))
        except LicensingError as error:
            await expected(error)(scope, receive, send)
        except _TooLargeError:
            await too_large(self._most)(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - logged whole
            await bug(error, scope, self._desk.entropy)(scope, receive, send)
        else:
            more = [(name.lower().encode(), value.encode()) for name, value in self._desk.headers().items()]
            length = (b"content-length", b"%d" % len(content))
            start = {"type": "http.response.start", "status": 200, "headers": [_JSON, length, *more]}
            if in_one_piece := scope.get("state", {}).get(_IN_ONE_PIECE):
                in_one_piece()
            await send(start)
            await send({"type": "http.response.body", "body": content})


_JSON = (b"content-type", b"application/json")
_CHECKPOINT = b"calward-checkpoint"
"""The newest checkpoint that the host has heard from this license server, as it came in the header of an answer."""
_IN_ONE_PIECE = "calward.in_one_piece"
"""Where the server says how head and body are sent together (adapters/network/bounded_http)."""


def _known_host(headers: Mapping[bytes, bytes], desk: HostDesk) -> Host:
    """Who asks; nobody who is not known has anything read or decoded."""
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    host = desk.host_of(token.decode("latin-1")) if scheme.lower() == b"bearer" and token else None
    if host is None:
        detail = "a host token is needed (Authorization: Bearer …): enroll the session host to get one"
        raise LicensingError(Problem.UNAUTHORIZED, detail)
    return host


async def _body(headers: Mapping[bytes, bytes], receive: Receive, most: int) -> bytes:
    """The body; no more of it is ever held than may come."""
    length = headers.get(b"content-length", b"0")
    content, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise LicensingError(Problem.MALFORMED, "the connection ended before the body did")
        content += message.get("body", b"")
        more = message.get("more_body", False)
        if len(content) > most or (length.isdigit() and int(length) > most):
            raise _TooLargeError
    return content


class _TooLargeError(Exception):
    """The body is larger than this address takes."""


def decoded(decoder: msgspec.json.Decoder[T], content: bytes) -> T:
    """What a body holds; raises LicensingError(MALFORMED) with what is wrong in it."""
    try:
        return decoder.decode(content)
    except msgspec.MsgspecError as error:
        raise LicensingError(
            Problem.MALFORMED, f"the body is not what this address takes: {str(error)[:200]}"
        ) from None
    except UnicodeDecodeError:
        raise LicensingError(Problem.MALFORMED, "the body is not UTF-8") from None


def _request(host: Host, body: AskBody, desk: HostDesk) -> Request:
    request_id = check_request_id(body.request_id)
    if (body.user is None) == (body.device is None):
        raise LicensingError(Problem.MALFORMED, "name either a user or a device", field="user")
    if body.device:
        key = check_holder(body.device.hardware_id, "hardware_id")
        label, kind = check_label(body.device.name), HolderKind.DEVICE
    else:
        key = label = check_holder(body.user or "", "user")
        kind = HolderKind.USER
    return Request(IssueLicense(host, request_id, kind, key, label, body.full_only), desk.entropy)


def _confirmation(host: Host, body: ConfirmBody) -> Confirmation:
    number = numbered(body.license, "L")
    if number is None:
        raise LicensingError(Problem.MALFORMED, "a license is named like L12", field="license")
    return Confirmation(ConfirmLicense(host, number))


def _value(found: Any) -> Any:  # noqa: ANN401 - what an act returned
    """An act's result; its exception is raised here."""
    if isinstance(found, BaseException):
        raise found
    return found


def _answer(event: Event, body: AskBody, desk: HostDesk) -> dict[str, Any]:
    answer = answer_from(event)
    desk.count(*_outcome(answer), 1)
    signed = None
    if answer.license:
        statement = _canonical(_statement(answer.license, event, body, desk))
        signed = msgspec.Raw(desk.seal(_ONE_LICENSE, statement))
    return {
        "outcome": answer.outcome,
        "license": answer.license,
        "decision": answer.decision,
        "trace": answer.trace,
        "reason": answer.reason,
        "signed": signed,
    }


def _outcome(answer: Answer) -> tuple[str, str]:
    return answer.outcome, answer.license.status if answer.license else "none"


def _statement(license_: LicenseView, event: Event, body: AskBody, desk: HostDesk) -> dict[str, Any]:
    """What is signed: the license and whose it is, as the host asked. No time but its end: asked again, it is the same."""
    holder = {"hardware_id": body.device.hardware_id} if body.device else {"user": body.user}
    return {
        "server": desk.server_id,
        "host": event["host"],
        "holder": holder,
        "license": license_,
    }


def _confirmed(found: Done | RefusedAct) -> dict[str, Any]:
    return {"outcome": found.outcome, "reason": getattr(found, "reasons", ())}


async def _batch(host: Host, body: BatchBody, desk: HostDesk) -> bytes:
    """All in one hand-over; one signature covers all licenses of the batch."""
    if len(body.requests) > MAX_BATCH:
        raise LicensingError(Problem.MALFORMED, f"a batch holds at most {MAX_BATCH} requests", field="requests")
    acts = [_act(host, one, desk) for one in body.requests]
    return await desk.submit(acts, lambda results: _batch_answer(body.requests, results, desk))


def _act(host: Host, one: AskBody | ConfirmBody, desk: HostDesk) -> Act:
    """One of a batch; what is wrong with it comes out as its answer, and the others are served."""
    try:
        return _request(host, one, desk) if isinstance(one, AskBody) else _confirmation(host, one)
    except LicensingError as error:
        return _Wrong(error)


@dataclass(frozen=True, slots=True)
class _Wrong:
    """What no act can be made of."""

    error: LicensingError

    def __call__(self, _book: Any) -> Never:  # noqa: ANN401 - nothing is read
        raise self.error


def _batch_answer(asked: Sequence[AskBody | ConfirmBody], results: Results, desk: HostDesk) -> bytes:
    answers = [_one_answer(one, found) for one, found in zip(asked, results, strict=True)]
    outcomes = [_outcome(answer) for answer in answers if isinstance(answer, Answer)]
    for outcome, times in Counter(outcomes).items():
        desk.count(*outcome, times)
    statements = [
        _statement(answer.license, found, one, desk)
        for one, found, answer in zip(asked, results, answers, strict=True)
        if isinstance(one, AskBody) and isinstance(answer, Answer) and answer.license
    ]
    signed = msgspec.Raw(desk.seal(PayloadType.LICENSES, _canonical(statements))) if statements else None
    return _encode({"answers": answers, "signed": signed})


def _one_answer(one: AskBody | ConfirmBody, found: Any) -> Answer | dict[str, Any]:  # noqa: ANN401 - what an act returned
    if isinstance(found, BaseException):
        return _error(found)
    return answer_from(found) if isinstance(one, AskBody) else _confirmed(found)


def _error(found: BaseException) -> dict[str, Any]:
    if not isinstance(found, LicensingError):
        raise found
    status: HTTPStatus = STATUS[found.problem]
    return {"outcome": "error", "status": status.value, "title": status.phrase, "detail": found.detail}
