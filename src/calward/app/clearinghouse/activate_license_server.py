"""Activate a license server: give it the right to issue until a date."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from calward.app.clearinghouse.contact import rolled_back
from calward.app.clearinghouse.keyrings import keyring_in
from calward.app.clearinghouse.means import Means, digest_of, put_server
from calward.app.clearinghouse.ports import Book
from calward.app.clearinghouse.records import Intent, KeyChange, Part, RegisteredServer
from calward.app.clearinghouse.rights import RIGHT_DAYS, longest_right, with_right
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted, accept_activation_request
from calward.domain.envelope import fingerprint, keyid_of
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import render_moment
from calward.domain.register_events import RegisterEvent
from calward.domain.statements import NO_END, Activation, ActivationReason, ActivationRequest, Channel, PayloadType

__all__ = ["ActivateLicenseServer", "activate_license_server", "key_fingerprint"]

_NEW_KEY = frozenset({ActivationReason.KEY_LOST, ActivationReason.KEY_EXPOSED})
"""Reasons for which a known server id may come with another key than before."""
_MAX_PENDING = 8
"""New keys of one server that wait for an operator: anybody can send them, nobody shall fill the store with them."""


@dataclass(frozen=True, slots=True)
class ActivateLicenseServer:
    """A request as it came in, and for how long: ``until``, or without end, or as long as the channel gives by itself."""

    request: bytes
    channel: Channel
    until: datetime | None = None
    perpetual: bool = False


def activate_license_server(command: ActivateLicenseServer, *, means: Means) -> Part | NotAccepted:
    """Register the server and plan its activation; the same request asked for in the same way gets the same bytes.

    The first request of a server id binds it to the request's key. A known server whose key was lost or exposed comes with a new
    one, which counts once an operator has compared its fingerprint; until then the answer is ``key-not-confirmed``.

    Raises: LicensingError: CONFLICT: the id belongs to another key; MALFORMED: ``until`` lies in the past or contradicts
    ``perpetual``; UNAVAILABLE.
    """
    request = accept_activation_request(command.request, verify=means.verify)
    if isinstance(request, NotAccepted):
        return request
    now = means.now()
    until = _until(command, now)
    return means.store.write(lambda book: _activate(command, request, until, book, now))


def key_fingerprint(public_key: bytes) -> str:
    """A license server's key as two people compare it by telephone."""
    return fingerprint(public_key.hex().encode())


def _until(command: ActivateLicenseServer, now: datetime) -> datetime:
    if command.perpetual:
        if command.until is not None:
            raise LicensingError(
                Problem.MALFORMED, "an activation is either perpetual or ends at a date: say one of them"
            )
        return NO_END
    until = command.until or now + timedelta(days=RIGHT_DAYS[command.channel])
    if until <= now:
        raise LicensingError(Problem.MALFORMED, f"{render_moment(until)} has passed: an activation ends in the future")
    return until


def _activate(
    command: ActivateLicenseServer, request: ActivationRequest, wanted: datetime, book: Book, now: datetime
) -> Part | NotAccepted:
    asked = digest_of(command.request)
    # A person may answer one request file again with another end; each of these answers is an order of its own.
    wish = "perpetual" if command.perpetual else "usual" if command.until is None else render_moment(command.until)
    part = Part(PayloadType.ACTIVATION, f"{asked}/{command.channel}/{wish}")
    if book.papers.intent(part) is not None:
        return part
    server = _known(request, book, now)
    if isinstance(server, NotAccepted):
        return server
    until = longest_right(server, wanted, book, now)
    if until is None:
        detail = "what this license server holds has changed, which it has to hear first: let it contact the clearinghouse, then ask again"
        return NotAccepted(AcceptanceRefusal.PACK_MOVING, detail)
    put_server(
        book,
        with_right(server, until, request.requested_at, now),
        RegisterEvent.ACTIVATED,
        now,
        reason=request.reason,
        request=asked,
    )
    payload = _activation(request, command.channel, keyring_in(book)[0].clearinghouse, until, now).to_payload()
    return book.papers.plan(Intent(part.payload_type, part.order, asked, payload, now)).part


def _known(request: ActivationRequest, book: Book, now: datetime) -> RegisteredServer | NotAccepted:
    """The server that asks as it is from now on, registered if it was not."""
    server = book.parties.server(request.server_id)
    owner = book.parties.server_with_key(keyid_of(request.server_key))
    if owner is not None and owner.server_id != request.server_id:
        detail = f"this key belongs to license server {owner.server_id}: ask under that id, or make a new key"
        raise LicensingError(Problem.CONFLICT, detail)
    if server is None:
        server = RegisteredServer(
            request.server_id, request.server_name, request.server_key, now, version=request.server_version
        )
        put_server(book, server, RegisterEvent.SERVER_REGISTERED, now)
        return server
    if server.rolled_back:
        return rolled_back(server, None)
    if server.public_key != request.server_key:
        refused = _why_not_new_key(request, book, now)
        if refused is not None:
            return refused
    return replace(server, name=request.server_name, version=request.server_version, public_key=request.server_key)


def _why_not_new_key(request: ActivationRequest, book: Book, now: datetime) -> NotAccepted | None:
    if request.reason not in _NEW_KEY:
        detail = (
            f"license server {request.server_id} is registered with another key: make a new server id, use its old key, or ask "
            "with the reason key-lost or key-exposed"
        )
        raise LicensingError(Problem.CONFLICT, detail)
    asked = [one for one in book.parties.key_changes() if one.server_id == request.server_id]
    known = next((one for one in asked if one.public_key == request.server_key), None)
    if known is not None and known.confirmed_at is not None:
        return None
    if known is None and sum(one.confirmed_at is None for one in asked) < _MAX_PENDING:
        book.parties.ask_key(KeyChange(request.server_id, request.server_key, request.reason, now))
        key = request.server_key.hex()
        book.log.note(now, RegisterEvent.KEY_ASKED, server_id=request.server_id, key=key, reason=request.reason)
    detail = (
        f"the new key {key_fingerprint(request.server_key)} of a known license server is not confirmed: let an operator of the "
        "clearinghouse compare this fingerprint by telephone, then ask again with the same request"
    )
    return NotAccepted(AcceptanceRefusal.KEY_NOT_CONFIRMED, detail)


def _activation(
    request: ActivationRequest, channel: Channel, clearinghouse: str, until: datetime, now: datetime
) -> Activation:
    return Activation(
        server_id=request.server_id,
        server_name=request.server_name,
        server_key=request.server_key,
        clearinghouse=clearinghouse,
        channel=channel,
        nonce=request.nonce,
        issued_at=now,
        issue_until=None if until == NO_END else until,
    )
