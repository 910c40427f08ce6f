"""Sign a key pack: sell CALs to one license server."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from calward.app.clearinghouse.ports import Intent, Signer, Store
from calward.app.clearinghouse.sign_intent import sign_intent
from calward.app.ports import Entropy
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import check_name
from calward.domain.ladder import Ladder
from calward.domain.statements import NO_END, KeyPackStatement, PayloadType, Program, check_server_id

__all__ = ["LoadLadder", "SignKeyPack", "sign_key_pack"]

LoadLadder: TypeAlias = Callable[[str], Ladder]
"""A ladder by its name; raises LicensingError(NOT_FOUND)."""

_ID_SIZE = 16


@dataclass(frozen=True, slots=True)
class SignKeyPack:
    """What was bought. ``order`` is the seller's number of the sale: one order is one pack, however often it is asked for."""

    order: str
    server_id: str
    ladder: str
    version: str
    cal_type: CalType
    total: int
    program: Program = Program.RETAIL
    expires_at: datetime = NO_END


def sign_key_pack(
    command: SignKeyPack, *, store: Store, signer: Signer, load_ladder: LoadLadder, entropy: Entropy, now: datetime
) -> bytes:
    """Sign the pack; the same order gets the same bytes.

    Raises: LicensingError: MALFORMED: a value is wrong; NOT_FOUND: server, ladder or version is not known; CONFLICT: the
    order was used for another sale; UNAVAILABLE.
    """
    check_name(command.order, "the order")
    if store.server(check_server_id(command.server_id)) is None:
        detail = f"no license server {command.server_id} was activated here: activate it first, then sell it packs"
        raise LicensingError(Problem.NOT_FOUND, detail, field="server_id")
    ladder = load_ladder(command.ladder)
    pack = KeyPackStatement(
        pack_id=entropy.token(_ID_SIZE).hex(),
        generation=1,
        server_id=command.server_id,
        ladder=ladder.name,
        version=ladder.canonical(command.version),
        cal_type=command.cal_type,
        total=command.total,
        program=command.program,
        issued_at=now,
        expires_at=command.expires_at,
        bought_as=ladder.canonical(command.version),
    )
    payload = pack.to_payload()
    # Whoever installs it reads it so: what they would refuse is not signed.
    KeyPackStatement.from_payload(payload)
    intent = Intent(PayloadType.KEY_PACK, command.order, _asked(pack), payload, now)
    return sign_intent(intent, store=store, signer=signer)


def _asked(pack: KeyPackStatement) -> str:
    """The digest of what was bought: of everything in the pack but what signing itself makes up."""
    return hashlib.sha256(replace(pack, pack_id="", issued_at=NO_END).to_payload()).hexdigest()
