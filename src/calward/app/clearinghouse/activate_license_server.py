"""Activate a license server: give it the right to issue until a date."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from calward.app.clearinghouse.ports import Intent, RegisteredServer, Signer, Store
from calward.app.clearinghouse.sign_intent import sign_intent
from calward.domain.acceptance import NotAccepted, accept_activation_request
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import render_moment
from calward.domain.statements import Activation, ActivationRequest, Channel, PayloadType
from calward.domain.trust import Verify

__all__ = ["RIGHT_DAYS", "ActivateLicenseServer", "activate_license_server"]

RIGHT_DAYS = {Channel.ONLINE: 30, Channel.FILE: 180}
"""Days of the right to issue: online it renews itself, so it may be short; a file is carried by a person (design, section 5)."""


@dataclass(frozen=True, slots=True)
class ActivateLicenseServer:
    """A request as it came in, and for how long: ``until``, or without end, or as long as the channel gives by itself."""

    request: bytes
    channel: Channel
    until: datetime | None = None
    perpetual: bool = False


def activate_license_server(
    command: ActivateLicenseServer, *, store: Store, signer: Signer, clearinghouse: str, verify: Verify, now: datetime
) -> bytes | NotAccepted:
    """Register the server and sign its activation; the same request asked for in the same way gets the same bytes.

    The first request of a server id binds it to the request's key.

    Raises: LicensingError: CONFLICT: the id belongs to another key; MALFORMED: ``until`` lies in the past or contradicts
    ``perpetual``; UNAVAILABLE.
    """
    request = accept_activation_request(command.request, verify=verify)
    if isinstance(request, NotAccepted):
        return request
    until = _until(command, now)
    store.register(RegisteredServer(request.server_id, request.server_name, request.server_key, now))
    return sign_intent(_intent(command, request, clearinghouse, until, now), store=store, signer=signer)


def _until(command: ActivateLicenseServer, now: datetime) -> datetime | None:
    if command.perpetual:
        if command.until is not None:
            raise LicensingError(
                Problem.MALFORMED, "an activation is either perpetual or ends at a date: say one of them"
            )
        return None
    until = command.until or now + timedelta(days=RIGHT_DAYS[command.channel])
    if until <= now:
        raise LicensingError(Problem.MALFORMED, f"{render_moment(until)} has passed: an activation ends in the future")
    return until


def _intent(
    command: ActivateLicenseServer,
    request: ActivationRequest,
    clearinghouse: str,
    until: datetime | None,
    now: datetime,
) -> Intent:
    activation = Activation(
        server_id=request.server_id,
        server_name=request.server_name,
        server_key=request.server_key,
        clearinghouse=clearinghouse,
        channel=command.channel,
        nonce=request.nonce,
        issued_at=now,
        issue_until=until,
    )
    asked = hashlib.sha256(command.request.removesuffix(b"\n")).hexdigest()
    # A person may answer one request file again with another end; each of these answers is an order of its own.
    wish = "perpetual" if command.perpetual else "usual" if command.until is None else render_moment(command.until)
    order = f"{asked}/{command.channel}/{wish}"
    return Intent(PayloadType.ACTIVATION, order, asked, activation.to_payload(), now)
