"""Builders of keys and signed things: each states only what matters to its test."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from calward.adapters.signing import Ed25519Signer, seal
from calward.domain.cals import CalType, HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.handover import HandedLicense, Handover
from calward.domain.pack_orders import (
    InstallOffer,
    PackChange,
    PackRef,
    Register,
    TransferEnd,
    TransferOrder,
    TransferOutcome,
)
from calward.domain.pack_requests import (
    CancelRequest,
    ChangeKind,
    ChangeRequest,
    Contact,
    HeldPack,
    InstallRequest,
    MoveReason,
    MoveRequest,
    PackState,
    RecoverReason,
    RecoverRequest,
    Release,
    RequestHead,
    SourceState,
)
from calward.domain.statements import (
    NO_END,
    Activation,
    ActivationRequest,
    Channel,
    Deactivation,
    KeyPackStatement,
    PayloadType,
    Program,
)
from calward.domain.trust import ROLE_OF, Keyring, Role, RoleKey, Trust

NOW = datetime(2026, 3, 1, 8, 0, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SERVER_ID = "5e" * 16
OTHER_SERVER_ID = "07" * 16
SOURCE_ID = "50" * 16
TRANSFER_ID = "7f" * 16
ORDER_ID = "0d" * 16
PACK_REF = PackRef("9a" * 16, 1)
HEAD = RequestHead(SERVER_ID, "2022", "4e" * 16, NOW)


def a_signer(name: str) -> Ed25519Signer:
    """The same name always gives the same key."""
    return Ed25519Signer(hashlib.sha256(name.encode()).digest())


ROOT, PACK, ACTIVATION, SERVER, STRANGER = map(a_signer, ("root", "pack", "activation", "server", "stranger"))
ROLES: Mapping[Role, Ed25519Signer] = {Role.ROOT: ROOT, Role.PACK: PACK, Role.ACTIVATION: ACTIVATION}
SIGNERS: Mapping[PayloadType, Ed25519Signer] = {
    one: ROLES[ROLE_OF[one]] if one in ROLE_OF else SERVER for one in PayloadType
}
"""Who signs what; what is in no role of the clearinghouse is signed by a license server."""


def a_request(**changes: Any) -> ActivationRequest:
    request = ActivationRequest(
        server_id=SERVER_ID,
        server_name="LS1 · Zürich",
        server_key=SERVER.public_key,
        nonce="4e" * 16,
        requested_at=NOW,
        server_version="2022",
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


def a_deactivation(**changes: Any) -> Deactivation:
    return replace(Deactivation(SERVER_ID, "4e" * 16, NOW), **changes)


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
        bought_as="2008R2",
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
    PayloadType.DEACTIVATION: a_deactivation,
    PayloadType.INSTALL_REQUEST: lambda **changes: replace(
        InstallRequest(HEAD, Program.OPEN, ("12345678", "AUTH"), 5), **changes
    ),
    PayloadType.MOVE_REQUEST: lambda **changes: replace(
        MoveRequest(HEAD, SOURCE_ID, SourceState.CONNECTED, MoveReason.REPLACED, (PACK_REF.pack_id,)), **changes
    ),
    PayloadType.CHANGE_REQUEST: lambda **changes: replace(
        ChangeRequest(HEAD, PACK_REF.pack_id, 1, ChangeKind.DOWNGRADE, "2008", 4), **changes
    ),
    PayloadType.CANCEL_REQUEST: lambda **changes: replace(CancelRequest(HEAD, TRANSFER_ID), **changes),
    PayloadType.RECOVER_REQUEST: lambda **changes: replace(RecoverRequest(HEAD, RecoverReason.REBUILD), **changes),
    PayloadType.CONTACT: lambda **changes: replace(
        Contact(HEAD, "", (HeldPack(PACK_REF.pack_id, 1, PackState.USABLE),), (ORDER_ID,), ("3c" * 16,)), **changes
    ),
    PayloadType.RELEASE: lambda **changes: replace(
        Release(HEAD, TRANSFER_ID, PACK_REF.pack_id, 1, b"\x07" * 32, 3), **changes
    ),
    PayloadType.HANDOVER: lambda **changes: replace(
        Handover(
            SOURCE_ID,
            TRANSFER_ID,
            PACK_REF,
            (HandedLicense(HolderKind.DEVICE, "0a" * 20, "PC1", 1, 1_000_000, 2_000_000, 1_500_000),),
        ),
        **changes,
    ),
    PayloadType.INSTALL_OFFER: lambda **changes: replace(
        InstallOffer(
            SERVER_ID,
            "4e" * 16,
            "Example Ltd",
            "windows-server",
            "2022",
            CalType.PER_USER,
            5,
            45,
            Program.OPEN,
            NO_END,
        ),
        **changes,
    ),
    PayloadType.TRANSFER_ORDER: lambda **changes: replace(
        TransferOrder(TRANSFER_ID, SOURCE_ID, PACK_REF, SERVER_ID, "LS1 · Zürich", MoveReason.REPLACED, NOW), **changes
    ),
    PayloadType.TRANSFER_END: lambda **changes: replace(
        TransferEnd(ORDER_ID, SOURCE_ID, TRANSFER_ID, PACK_REF, TransferOutcome.COMPLETED, NOW), **changes
    ),
    PayloadType.PACK_CHANGE: lambda **changes: replace(
        PackChange(ORDER_ID, SERVER_ID, ChangeKind.DOWNGRADE, PACK_REF, (a_pack(generation=2, version="2008"),), NOW),
        **changes,
    ),
    PayloadType.REGISTER: lambda **changes: replace(
        Register(ORDER_ID, SERVER_ID, "4e" * 16, (PACK_REF,), NOW), **changes
    ),
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
