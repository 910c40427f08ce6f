"""What does an administrator see and change of the license server itself?"""

import json
from contextlib import closing
from typing import Any

from fastapi import APIRouter, Response

from calward.app.licensing.activate_online import activate_online
from calward.app.licensing.acts import Done
from calward.app.licensing.change_server import change_settings, deactivate_server
from calward.app.licensing.deactivate import request_deactivation
from calward.app.licensing.show_status import needed_server, show_status
from calward.app.licensing.signed_things import request_activation, take_activation, take_keyring
from calward.app.ports import Book
from calward.domain.acceptance import NotAccepted
from calward.domain.envelope import fingerprint
from calward.domain.errors import LicensingError, Problem
from calward.domain.licenses import NEVER
from calward.domain.roles import Principal
from calward.entrypoints.api.answers import Act, ServerView, Status
from calward.entrypoints.api.guard import Body, Desk, GuardedRoute, Who
from calward.entrypoints.api.refusals import refused_view
from calward.entrypoints.api.services import Services
from calward.entrypoints.api.views import act_view, done_view, server_view, status_view, when

__all__ = ["ENVELOPE", "ENVELOPE_BODY", "router"]

ENVELOPE = "application/vnd.dsse.envelope.v1+json"

router = APIRouter(route_class=GuardedRoute, tags=["server"])

ENVELOPE_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": {ENVELOPE: {"schema": {"type": "object"}}}},
}


@router.get("/api/v1/status", operation_id="showStatus")
def status(desk: Desk) -> Status:
    """Say in one line what stops first and when; then packs, licenses, warnings."""
    now = desk.clock.now()
    found = show_status(desk.reader, now=now, renew_within=desk.renew_within())
    return status_view(found, desk.ladder, now, desk.license_keys())


@router.get("/api/v1/server", operation_id="showServer")
def server(desk: Desk) -> ServerView:
    """Show what the license server is and may do, and its settings."""
    found = server_view(needed_server(desk.reader), desk.clock.now(), desk.license_keys())
    # As the clearinghouse writes it, and made here: a fingerprint that came from there would prove nothing.
    own = fingerprint(desk.signatures.public_key.hex().encode())
    return found.model_copy(update={"key_fingerprint": own})


@router.get("/api/v1/server/activation-request", operation_id="makeActivationRequest", response_class=Response)
def activation_request(desk: Desk) -> Response:
    """Make a signed request, to be carried to the clearinghouse as a file; answers to earlier ones are not taken any more."""
    made = desk.ledger.write(lambda book: request_activation(book, desk.signatures, desk.entropy, now=book.now()))
    return Response(made, media_type=ENVELOPE)


@router.put("/api/v1/server/keyring", operation_id="putKeyring", openapi_extra=ENVELOPE_BODY)
def put_keyring(desk: Desk, who: Who, body: Body) -> Act:
    """Take the clearinghouse's keyring from a file; a server that activates online fetches it by itself."""
    refused = desk.ledger.write(lambda book: take_keyring(body, book, desk.signatures, now=book.now()))
    return refused_view(desk, who, "keyring", refused) if refused else done_view("accepted")


@router.post("/api/v1/server:activate", operation_id="activateServer", openapi_extra=ENVELOPE_BODY)
def activate(desk: Desk, who: Who, body: Body) -> Act:
    """Take an activation: an envelope from a file, or ``{"clearinghouse": "https://…"}`` to ask for it online."""
    address = _address(body)
    found = _online(desk, who, address) if address is not None else _from_file(desk, who, body)
    if isinstance(found, NotAccepted):
        return refused_view(desk, who, "activate", found)
    until = needed_server(desk.reader).issue_until
    return done_view(found.outcome, issue_until="perpetual" if until == NEVER else when(until))


@router.post("/api/v1/server:deactivate", operation_id="deactivateServer")
def deactivate(desk: Desk, who: Who) -> Act:
    """Give the right to issue up: temporary licenses only; what runs goes on. The clearinghouse hears of it at the next contact."""

    def act(book: Book) -> Act:
        done = deactivate_server(book, now=book.now(), by=who.name)
        if isinstance(done, Done):  # No answer to an earlier request brings the right back.
            request_deactivation(book, desk.signatures, desk.entropy, now=book.now(), by=who.name)
        return act_view(done)

    return desk.ledger.write(act)


@router.patch("/api/v1/server/settings", operation_id="changeSettings")
def settings(desk: Desk, who: Who, body: dict[str, str | int | float | bool]) -> Act:
    """Change settings by name."""
    values = {key: str(value) if isinstance(value, float) else value for key, value in body.items()}
    if not values:
        raise LicensingError(Problem.MALFORMED, "name at least one setting and its value")
    done = desk.ledger.write(lambda book: change_settings(values, book, now=book.now(), by=who.name))
    current = server_view(needed_server(desk.reader), desk.clock.now(), desk.license_keys())
    return done_view(done.outcome, settings=current.settings)


def _address(body: bytes) -> str | None:
    """The clearinghouse's address, where the body names one; anything else is left to whoever reads envelopes."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not (isinstance(found, dict) and set(found) == {"clearinghouse"}):
        return None
    address = found["clearinghouse"]
    if not isinstance(address, str) or not address.isprintable():  # A lone surrogate could not even be kept.
        raise LicensingError(Problem.MALFORMED, "clearinghouse must be an address", field="clearinghouse")
    return address


def _online(desk: Services, who: Principal, address: str) -> Done | NotAccepted:
    with closing(desk.clearinghouse(address)) as line:
        return activate_online(desk.ledger, line, desk.signatures, desk.entropy, by=who.name, address=address)


def _from_file(desk: Services, who: Principal, body: bytes) -> Done | NotAccepted:
    return desk.ledger.write(lambda book: take_activation(body, book, desk.signatures, now=book.now(), by=who.name))
