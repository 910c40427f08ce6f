"""What does a license server say to its host, over HTTP?

The host's side of ``/api/v1``: one question each, an answer or a LicensingError. What a server sends is checked before it
is believed: it may be of another release, or something else that listens there.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from calward.adapters.network.http_exchange import Address, Message, Reply, exchange
from calward.adapters.sessionhost.checkpoints import HostCheckpoints
from calward.app.sessionhost.heartbeats import HeartbeatAnswer, HeartbeatReport, LiveSession, WireChain
from calward.app.sessionhost.ports import HostPolicy
from calward.domain.cals import CalType
from calward.domain.canonical import encode
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import render_moment
from calward.domain.heard import Heard, HeldLicense
from calward.domain.statements import check_public_key, check_server_id

__all__ = ["Enrolled", "LicenseServerClient"]

_OK: Final = 200
_PROBLEMS: Final = {
    400: Problem.MALFORMED,
    401: Problem.UNAUTHORIZED,
    403: Problem.FORBIDDEN,
    404: Problem.NOT_FOUND,
    405: Problem.MALFORMED,
    409: Problem.CONFLICT,
    413: Problem.MALFORMED,
    422: Problem.MALFORMED,
}
"""What is not here is UNAVAILABLE: the server could not say, and may be asked again with the same id."""
_SHOWN: Final = 200
"""Characters of a server's own words that we repeat."""
_CHAIN: Final = range(2, 5)
"""Certificates in a chain for the wire: a root, a host's, and room for two between them."""
_CANNOT_READ: Final = (KeyError, TypeError, ValueError, AttributeError, LicensingError)
"""What reading an answer that is none raises; ValueError also stands for what is no base64."""


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What a host gets for its one-time code; the token is shown this once.

    ``license_keys`` and ``server_id``: what the server's licenses are checked by; empty from a server of an older release.
    """

    name: str
    version: str
    mode: str
    token: str = field(repr=False)
    license_keys: tuple[bytes, ...] = ()
    server_id: str = ""


class LicenseServerClient:
    """One license server, asked by one host. Every question has its own time limit in seconds, from start to end."""

    def __init__(self, address: Address, token: str | None = None, checkpoints: HostCheckpoints | None = None) -> None:
        self._address = address
        self._token = token
        self._checkpoints = checkpoints

    @property
    def name(self) -> str:
        """The server's address, as it stands in the host's list."""
        return self._address.name

    def request_for_user(self, user: str, request_id: str, *, full_only: bool, seconds: float) -> Heard:
        """Ask for a user's license; raises LicensingError."""
        return self._request({"request_id": request_id, "user": user}, full_only=full_only, seconds=seconds)

    def request_for_device(
        self, name: str, hardware_id: str, request_id: str, *, full_only: bool, seconds: float
    ) -> Heard:
        """Ask for a device's license; ``hardware_id`` is what the server knows it by. Raises LicensingError."""
        question = {"request_id": request_id, "device": {"name": name, "hardware_id": hardware_id}}
        return self._request(question, full_only=full_only, seconds=seconds)

    def ask_license(self, question: Mapping[str, Any], *, full_only: bool, seconds: float) -> dict[str, Any]:
        """Ask for a license, and give the answer as it came, once it is one; raises LicensingError."""
        answer = self._post("licenses:request", {**question, **({"full_only": True} if full_only else {})}, seconds)
        try:
            _heard(answer, self.name)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._not_ours(error) from error
        return answer

    def confirm_license(self, license_id: str, *, seconds: float) -> dict[str, Any]:
        """Say that the holder of a license has logged on, and give the answer as it came; raises LicensingError."""
        return self._post("licenses:confirm", {"license": license_id}, seconds)

    def confirm(self, license_id: str, *, seconds: float) -> None:
        """Say that the holder of a license has logged on; raises LicensingError, CONFLICT where it is refused."""
        answer = self.confirm_license(license_id, seconds=seconds)
        if answer.get("outcome") != "confirmed":
            reasons = ", ".join(map(str, answer.get("reason") or ()))
            raise self._error(Problem.CONFLICT, f"does not confirm license {license_id}: {reasons[:_SHOWN]}")

    def policy(self, *, seconds: float, now: datetime) -> HostPolicy:
        """Ask what the server knows of this host; raises LicensingError."""
        said = self._ask("GET", "host", None, seconds)
        try:
            return _policy(said, now)
        except (KeyError, TypeError, ValueError) as error:
            raise self._not_ours(error) from error

    def enroll(self, code: str, *, seconds: float) -> Enrolled:
        """Turn a one-time code into a token; raises LicensingError. The caller has pinned the server by then."""
        said = self._post("hosts:enroll", {"code": code}, seconds)
        try:
            host = said["host"]
            keys, server_id = (_keys(said), _server_id(said)) if "license_keys" in said else ((), "")
            name, version, mode = (_text(host, key) for key in ("name", "version", "mode"))
            return Enrolled(name, version, mode, _text(said, "token"), keys, server_id)
        except _CANNOT_READ as error:
            raise self._not_ours(error) from error

    def certificate(self, public_key: bytes, *, seconds: float) -> WireChain:
        """Ask for a certificate of this host's RSA key (DER SubjectPublicKeyInfo) for the wire; raises LicensingError."""
        said = self._post("host:certificate", {"public_key": base64.b64encode(public_key).decode()}, seconds)
        try:
            return WireChain(_chain(said), _moment(_text(said, "expires_at")))
        except _CANNOT_READ as error:
            raise self._not_ours(error) from error

    def heartbeat(self, report: HeartbeatReport, *, seconds: float, now: datetime) -> HeartbeatAnswer:
        """Tell what is open on this host, and hear policy, keys and revocations; raises LicensingError.

        NOT_FOUND: the server is of a release that knows no heartbeat.
        """
        body = {"agent": report.agent, "sessions": [_session(one) for one in report.sessions]}
        said = self._post("host:heartbeat", body, seconds)
        try:
            return HeartbeatAnswer(_policy(said["host"], now), _keys(said), _server_id(said), _names(said["revoked"]))
        except _CANNOT_READ as error:
            raise self._not_ours(error) from error

    def _request(self, question: dict[str, Any], *, full_only: bool, seconds: float) -> Heard:
        answer = self._post("licenses:request", question | ({"full_only": True} if full_only else {}), seconds)
        try:
            return _heard(answer, self.name)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._not_ours(error) from error

    def _post(self, target: str, body: Mapping[str, Any], seconds: float) -> dict[str, Any]:
        return self._ask("POST", target, json.dumps(body).encode(), seconds)

    def _ask(self, method: str, target: str, body: bytes | None, seconds: float) -> dict[str, Any]:
        known = self._checkpoints
        seen = None if known is None else known.newest(self.name)
        reply = exchange(self._address, Message(method, f"/api/v1/{target}", body, self._token, seen), seconds)
        if known is not None and reply.status == _OK and reply.checkpoint is not None:
            known.heard(self.name, reply.checkpoint, reply.since)
        try:
            document = json.loads(reply.body)
        except (ValueError, RecursionError) as error:  # Not JSON, perhaps not even text, or nested without end.
            document = {}
            if reply.status == _OK:
                raise self._not_ours(error) from error
        if not isinstance(document, dict):
            raise self._not_ours(TypeError("the answer is no object"))
        if reply.status != _OK:
            raise self._problem(reply, document)
        return document

    def _problem(self, reply: Reply, document: Mapping[str, Any]) -> LicensingError:
        detail = document.get("detail") or document.get("title") or f"status {reply.status}"
        return self._error(_PROBLEMS.get(reply.status, Problem.UNAVAILABLE), f"says: {_shown(detail)}")

    def _not_ours(self, error: Exception) -> LicensingError:
        words = f"{type(error).__name__} {error}"
        return self._error(Problem.UNREACHABLE, f"does not speak the license server's language ({_shown(words)})")

    def _error(self, problem: Problem, what: str) -> LicensingError:
        return LicensingError(problem, f"license server {self.name} {what}")


def _heard(answer: Mapping[str, Any], server: str) -> Heard:
    """Read an answer to a request. Raises KeyError, TypeError, ValueError or AttributeError where it is none."""
    reasons = tuple(_plain(reason) for reason in answer["reason"])
    decision = answer.get("decision")
    given = _license(answer["license"], server) if answer["outcome"] == "granted" else None
    signed = answer.get("signed")
    # Envelopes have one spelling: what is rendered here is what was sent, whatever stood around it.
    kept = encode(signed) if given is not None and isinstance(signed, dict) else None
    return Heard(given, reasons, None if decision is None else _plain(decision), kept)


def _license(given: Mapping[str, Any], server: str) -> HeldLicense:
    pack, change = given.get("pack"), given.get("change")
    return HeldLicense(
        id=_text(given, "id"),
        version=_text(given, "version"),
        type=CalType(given["type"]),
        status=_text(given, "status"),
        expires_at=_moment(_text(given, "expires_at")),
        pack=None if pack is None else _plain(pack),
        change=None if change is None else _plain(change),
        server=server,
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a time without its zone")
    return moment.astimezone(UTC).replace(microsecond=0)


def _policy(said: Mapping[str, Any], now: datetime) -> HostPolicy:
    return HostPolicy(_text(said, "version"), _text(said, "mode"), _days(said), now)


def _keys(said: Mapping[str, Any]) -> tuple[bytes, ...]:
    return tuple(check_public_key(_from_base64(key), "a license key") for key in said["license_keys"])


def _server_id(said: Mapping[str, Any]) -> str:
    return check_server_id(_text(said, "server_id"))


def _names(listed: list[object]) -> frozenset[str]:
    return frozenset(map(_plain, listed))


def _chain(said: Mapping[str, Any]) -> tuple[bytes, ...]:
    chain = tuple(map(_from_base64, said["chain"]))
    if len(chain) not in _CHAIN:
        raise ValueError(f"a chain of {len(chain)} certificates")
    return chain


def _session(one: LiveSession) -> dict[str, str | None]:
    return {
        "line": one.line,
        "user": one.user,
        "license": one.license,
        "hardware_id": one.hardware_id,
        "since": render_moment(one.since),
    }


def _from_base64(value: object) -> bytes:
    return base64.b64decode(_plain(value), validate=True)


def _days(said: Mapping[str, Any]) -> int:
    days = said["grace_days"]
    if not isinstance(days, int) or isinstance(days, bool) or days < 0:
        raise ValueError("grace_days is no number of days")
    return days


def _text(values: Mapping[str, Any], key: str) -> str:
    return _plain(values[key])


def _plain(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a text is expected")
    return value


def _shown(words: object) -> str:
    text = str(words)[:_SHOWN]
    return text if text.isprintable() else ascii(text)
