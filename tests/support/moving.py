"""Two license servers and a clearinghouse's keys: what tests of packs that move and change need."""

from dataclasses import dataclass, field, replace
from typing import Any

from calward.adapters.signing import seal, verify
from calward.app.licensing.signed_things import KEYRING, Signatures
from calward.app.licensing.transfers import release_of
from calward.app.ports import Ledger
from calward.domain.bundle import split
from calward.domain.cals import CalType
from calward.domain.envelope import decode_envelope
from calward.domain.handover import MAX_HANDOVER_SIZE
from calward.domain.pack_orders import PackChange, PackRef, TransferEnd, TransferOrder, TransferOutcome
from calward.domain.pack_requests import ChangeKind, MoveReason, Release
from calward.domain.statements import KeyPackStatement, PayloadType
from tests.support.signed import NO_END, ORDER_ID, PACK, ROOT, TRANSFER_ID, a_keyring, a_pack, a_signer, sealed

PACK_ID = "9a" * 16
SOURCE, TARGET = "5e" * 16, "7a" * 16


def signatures_of(server: str) -> Signatures:
    """How a license server of tests signs, and whom it believes."""
    key = a_signer(server)
    return Signatures(frozenset({ROOT.public_key}), verify, key.public_key, lambda kind, body: seal(kind, body, key))


def know_clearinghouse(ledger: Ledger) -> None:
    """Keep the keyring, as an activated license server has it."""
    ledger.write(lambda book: book.keep_document(KEYRING, sealed(a_keyring())))


def a_statement(server: str = SOURCE, generation: int = 1, **changes: Any) -> KeyPackStatement:
    """The pack of most tests, for a server."""
    if "handover_digest" in changes:
        changes["handover"] = changes.pop("handover_digest")
    values = {"pack_id": PACK_ID, "version": "2016", "bought_as": "2016", "total": 5, "expires_at": NO_END}
    values |= {"server_id": server, "generation": generation, "cal_type": CalType.PER_DEVICE}
    return replace(a_pack(), **values | changes)


def signed_pack(server: str = SOURCE, generation: int = 1, **changes: Any) -> bytes:
    return seal(PayloadType.KEY_PACK, a_statement(server, generation, **changes).to_payload(), PACK)


def an_order(server: str = SOURCE, target: str = TARGET, generation: int = 1, **changes: Any) -> TransferOrder:
    ref = PackRef(PACK_ID, generation)
    order = TransferOrder(TRANSFER_ID, server, ref, target, "LS2", MoveReason.REPLACED, a_pack().issued_at)
    return replace(order, **changes)


def an_end(
    outcome: TransferOutcome = TransferOutcome.COMPLETED, server: str = SOURCE, generation: int = 1, **changes: Any
) -> TransferEnd:
    end = TransferEnd(ORDER_ID, server, TRANSFER_ID, PackRef(PACK_ID, generation), outcome, a_pack().issued_at)
    return replace(end, **changes)


def a_change(
    server: str, *packs: KeyPackStatement, kind: ChangeKind = ChangeKind.DOWNGRADE, generation: int = 1, **changes: Any
) -> PackChange:
    """The pack of most tests becomes these."""
    ref = PackRef(PACK_ID, generation)
    return replace(PackChange(ORDER_ID, server, kind, ref, packs, a_pack().issued_at), **changes)


@dataclass
class Released:
    """What a source gave out."""

    bundle: bytes
    release: Release = field(init=False)
    handover: bytes = field(init=False)

    def __post_init__(self) -> None:
        first, self.handover = split(self.bundle, max_size=MAX_HANDOVER_SIZE)
        self.release = Release.from_payload(decode_envelope(first).payload)


def released(ledger: Ledger, transfer: str = TRANSFER_ID) -> Released:
    found = ledger.write(lambda book: release_of(book, transfer))
    assert found is not None
    return Released(found)
