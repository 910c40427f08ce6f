"""What does a session host's agent tell and ask beside licenses? A heartbeat each minute, a certificate each year.

Not the hot path, but its bodies may be large: everything is decoded, checked and written in another thread than that of requests.
"""

import base64
import binascii
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.routing import Route

from calward.app.heartbeats import MAX_SESSIONS, Session
from calward.app.licensing.certify_host import WireAuthority
from calward.app.licensing.hear_host import MOST_REVOKED, HearHost, checked_heartbeat, hear_host
from calward.app.licensing.show_status import needed_server
from calward.domain.answers import license_name, rfc3339
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import parse_moment
from calward.domain.parties import Host
from calward.entrypoints.api.host_routes import Answering, HostDesk, decoded
from calward.entrypoints.api.services import Services
from calward.entrypoints.api.views import host_answer

__all__ = ["CertificateBody", "HeartbeatBody", "agent_routes"]

MAX_HEARTBEAT = 4 << 20
"""Bytes of a heartbeat: ``MAX_SESSIONS`` with names of usual length fit twice."""
_MAX_CERTIFICATE = 8 << 10
_MAX_KEY = 1024
"""Letters of a public key: one of 2048 bits takes 392."""


class CertificateBody(msgspec.Struct, forbid_unknown_fields=True):
    """The host's RSA key for the wire: a SubjectPublicKeyInfo (DER) in base64."""

    public_key: Annotated[str, msgspec.Meta(max_length=_MAX_KEY)]


class SessionBody(msgspec.Struct, forbid_unknown_fields=True):
    """An open session; ``since`` is RFC 3339 in UTC with whole seconds."""

    line: str
    user: str
    license: str | None
    hardware_id: str | None
    since: str


class HeartbeatBody(msgspec.Struct, forbid_unknown_fields=True):
    """The release of the agent, and all sessions that are open now."""

    agent: str
    sessions: Annotated[list[SessionBody], msgspec.Meta(max_length=MAX_SESSIONS)]


_certificate_decoder = msgspec.json.Decoder(CertificateBody)
_heartbeat_decoder = msgspec.json.Decoder(HeartbeatBody)
_encode = msgspec.json.Encoder().encode


def agent_routes(desk: HostDesk, services: Services, authority: WireAuthority) -> list[Route]:
    """The two routes for agents."""

    async def certificate(host: Host, content: bytes) -> bytes:
        return await run_in_threadpool(_certificate, host, content, services, authority)

    async def heartbeat(host: Host, content: bytes) -> bytes:
        return await run_in_threadpool(_heartbeat, host, content, services)

    def route(name: str, handler: Callable[..., Any], most: int) -> Route:
        return Route(f"/api/v1/host:{name}", Answering(handler, desk, most), methods=["POST"])

    return [route("certificate", certificate, _MAX_CERTIFICATE), route("heartbeat", heartbeat, MAX_HEARTBEAT)]


def _certificate(host: Host, content: bytes, services: Services, authority: WireAuthority) -> bytes:
    body = decoded(_certificate_decoder, content)
    try:
        public_key = base64.b64decode(body.public_key, validate=True)
    except (binascii.Error, ValueError):
        raise LicensingError(Problem.MALFORMED, "public_key must be base64", field="public_key") from None
    found = authority.certify(public_key, host.name, services.clock.now())
    chain = [base64.b64encode(one).decode() for one in found.chain]
    return _encode({"chain": chain, "expires_at": rfc3339(found.expires_at)})


def _heartbeat(host: Host, content: bytes, services: Services) -> bytes:
    body, now = decoded(_heartbeat_decoder, content), services.clock.now()
    told = HearHost(host, checked_heartbeat(body.agent, [_session(one) for one in body.sessions], now))
    services.ledger.write(lambda book: hear_host(told, book))
    return _encode(_hears(host, services, now))


def _hears(host: Host, services: Services, now: int) -> dict[str, Any]:
    found, server = services.reader.host(host.name), needed_server(services.reader)
    if found is None:
        detail = "this session host has just been removed: enroll it to be served again"
        raise LicensingError(Problem.UNAUTHORIZED, detail)
    answer = host_answer(found, server, services.ladder, services.addresses(), services.license_keys())
    return {
        "host": answer.model_dump(),
        "license_keys": answer.license_keys,
        "server_id": answer.server_id,
        "revoked": [license_name(number) for number in services.reader.revoked(now, MOST_REVOKED)],
        "now": rfc3339(now),
    }


def _session(body: SessionBody) -> Session:
    since = parse_moment(body.since, "since of a session")
    return Session(body.line, body.user, body.license, body.hardware_id, int(since.timestamp()))
