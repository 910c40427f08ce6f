"""Sign a key pack: sell CALs straight to one license server."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from calward.app.clearinghouse.means import LoadLadder, Means
from calward.app.clearinghouse.ports import Book
from calward.app.clearinghouse.records import Intent
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import check_name
from calward.domain.purchases import Purchase, make_numbers
from calward.domain.register import PackRecord
from calward.domain.register_events import RegisterEvent, pack_fields, purchase_fields
from calward.domain.statements import NO_END, KeyPackStatement, PayloadType, Program, check_server_id

__all__ = ["LoadLadder", "SignKeyPack", "sign_key_pack"]


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


def sign_key_pack(command: SignKeyPack, *, means: Means) -> Intent:
    """Plan the pack, with a purchase of its own that is claimed whole; the same order gets the same pack.

    It travels as the file that the seller gets, and not by the server's contact: two ways would race, and the second would look
    like a pack that is installed twice. What a server claims by numbers comes online.

    Raises: LicensingError: MALFORMED: a value is wrong; NOT_FOUND: server, ladder or version is not known; CONFLICT: the
    order was used for another sale; UNAVAILABLE.
    """
    check_name(command.order, "the order")
    check_server_id(command.server_id)
    now = means.now()
    ladder = means.load_ladder(command.ladder)
    pack = KeyPackStatement(
        pack_id=means.new_id(),
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
    purchase = _purchase(pack, means)
    return means.store.write(lambda book: _sell(intent, PackRecord(pack, purchase.purchase_id), purchase, book))


def _sell(intent: Intent, record: PackRecord, purchase: Purchase, book: Book) -> Intent:
    server_id = record.statement.server_id
    server = book.parties.server(server_id)
    if server is None:
        detail = f"no license server {server_id} was activated here: activate it first, then sell it packs"
        raise LicensingError(Problem.NOT_FOUND, detail, field="server_id")
    planned = book.papers.plan(intent)
    if planned is not intent:
        return planned
    if book.purchases.of_order(intent.order) is not None:
        detail = f"the order {intent.order} was used for something else: give each sale an order of its own"
        raise LicensingError(Problem.CONFLICT, detail, field="order")
    now = intent.planned_at
    purchase = replace(purchase, organization=server.organization)
    book.purchases.add(purchase, intent.order)
    book.register.put_packs([record])
    packs, purchases = [pack_fields(record)], [purchase_fields(purchase)]
    book.log.note(now, RegisterEvent.PACK_SOLD, packs=packs, purchases=purchases, order=intent.order)
    return intent


def _purchase(pack: KeyPackStatement, means: Means) -> Purchase:
    return Purchase(
        purchase_id=means.new_id(),
        organization=None,
        program=pack.program,
        numbers=make_numbers(pack.program, means.entropy.token),
        ladder=pack.ladder,
        version=pack.version,
        cal_type=pack.cal_type,
        quantity=pack.total,
        expires_at=pack.expires_at,
        convertible=False,
        added_at=pack.issued_at,
    )


def _asked(pack: KeyPackStatement) -> str:
    """The digest of what was bought: of everything in the pack but what signing itself makes up."""
    return hashlib.sha256(replace(pack, pack_id="", issued_at=NO_END).to_payload()).hexdigest()
