"""Builders of keys and signed things: each states only what matters to its test."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from calward.adapters.signing import Ed25519Signer, seal
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.statements import (
    NO_END,
    Activation,
    ActivationRequest,
    Channel,
    KeyPackStatement,
    PayloadType,
    Program,
)
from calward.domain.trust import Keyring, Role, RoleKey, Trust

NOW = datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SERVER_ID = "5e" * 16
OTHER_SERVER_ID = "07" * 16


def a_signer(name: str) -> Ed25519Signer:
    """The same name always gives the same key."""
    return Ed25519Signer(hashlib.sha256(name.encode()).digest())


ROOT, PACK, ACTIVATION, SERVER, STRANGER = map(a_signer, ("root", "pack", "activation", "server", "stranger"))
SIGNERS: Mapping[PayloadType, Ed25519Signer] = {
    PayloadType.KEYRING: ROOT,
    PayloadType.KEY_PACK: PACK,
    PayloadType.ACTIVATION: ACTIVATION,
    PayloadType.ACTIVATION_REQUEST: SERVER,
}


def a_request(**changes: Any) -> ActivationRequest:
    request = ActivationRequest(
        server_id=SERVER_ID,
        server_name="LS1 · Zürich",
        server_key=SERVER.public_key,
        nonce="4e" * 16,
        requested_at=NOW,
    )
    return replace(request, **changes)


def an_activation(**changes: Any) -> Activation:
    activation = Activation(
        server_id=SERVER_ID,
        server_name="LS1 · Zürich",
        server_key=SERVER.public_key,
        clearinghouse="Example CALs",
        channel=Channel.ONLINE,
        nonce="4e" * 16,
        issued_at=NOW,
        issue_until=NOW + 30 * DAY,
    )
    return replace(activation, **changes)


def a_pack(**changes: Any) -> KeyPackStatement:
    pack = KeyPackStatement(
        pack_id="9a" * 16,
        generation=1,
        server_id=SERVER_ID,
        ladder="windows-server",
        version="2008R2",
        cal_type=CalType.PER_DEVICE,
        total=10,
        program=Program.RETAIL,
        issued_at=NOW,
        expires_at=NO_END,
    )
    return replace(pack, **changes)


def a_keyring(**changes: Any) -> Keyring:
    keyring = Keyring(
        clearinghouse="Example CALs",
        version=1,
        issued_at=NOW,
        expires_at=NOW + 1000 * DAY,
        keys=(RoleKey(Role.PACK, PACK.public_key), RoleKey(Role.ACTIVATION, ACTIVATION.public_key)),
    )
    return replace(keyring, **changes)


def a_trust(**changes: Any) -> Trust:
    return replace(Trust(frozenset({ROOT.public_key}), a_keyring()), **changes)


STATEMENTS = {
    PayloadType.ACTIVATION_REQUEST: a_request,
    PayloadType.ACTIVATION: an_activation,
    PayloadType.KEY_PACK: a_pack,
    PayloadType.KEYRING: a_keyring,
}


def value_or_malformed(read: Callable[..., Any], *args: Any, **options: Any) -> Any:
    """What ``read`` gives, or None where it says that the input is malformed; any other error goes on."""
    try:
        return read(*args, **options)
    except LicensingError as error:
        if error.problem is not Problem.MALFORMED:
            raise
    return None


def sealed(
    statement: ActivationRequest | Activation | KeyPackStatement | Keyring,
    signer: Ed25519Signer | None = None,
    payload_type: str | None = None,
) -> bytes:
    """The envelope of a statement, signed by whoever should sign it unless the test says otherwise."""
    own = next(kind for kind, build in STATEMENTS.items() if type(build()) is type(statement))
    return seal(payload_type or own, statement.to_payload(), signer or SIGNERS[own])
