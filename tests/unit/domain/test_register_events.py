"""What a clearinghouse writes down gives its register again."""

from dataclasses import replace

from calward.domain.events import encode_event, read_event
from calward.domain.pack_orders import PackRef
from calward.domain.pack_requests import MoveReason, SourceState
from calward.domain.purchases import Purchase
from calward.domain.register import PackRecord, Transfer
from calward.domain.register_events import (
    RegisterEvent,
    fold_register,
    pack_fields,
    purchase_fields,
    transfer_fields,
)
from calward.domain.statements import NO_END, KeyPackStatement, Program
from tests.support.signed import NOW, SERVER_ID, SOURCE_ID, TRANSFER_ID, a_pack

PURCHASE = Purchase(
    "b1" * 16, None, Program.VOLUME, ("N1",), "windows-server", "2022", a_pack().cal_type, 50, NO_END, False, NOW
)
TRANSFER = Transfer(
    TRANSFER_ID, PackRef(a_pack().pack_id, 1), SOURCE_ID, SERVER_ID, "LS1", SourceState.DEAD, MoveReason.REPLACED, NOW
)


def packed(statement: KeyPackStatement, transfer: Transfer | None = None) -> dict[str, object]:
    return pack_fields(PackRecord(statement, PURCHASE.purchase_id, transfer))


def test_the_last_record_of_each_thing_counts() -> None:
    first, second = a_pack(), a_pack(generation=2)
    events = [
        {
            "kind": RegisterEvent.PACK_SOLD,
            "packs": [packed(first)],
            "purchases": [purchase_fields(PURCHASE)],
        },
        {
            "kind": RegisterEvent.MOVE_ORDERED,
            "packs": [packed(second, TRANSFER)],
            "transfers": [transfer_fields(TRANSFER)],
        },
        {"kind": RegisterEvent.REFUSED},
    ]
    folded = fold_register(read_event(encode_event(one)) for one in events)
    assert list(folded.packs) == [first.pack_id]
    assert folded.packs[first.pack_id]["generation"] == 2
    assert folded.packs[first.pack_id]["transfer_id"] == TRANSFER_ID
    assert folded.transfers[TRANSFER_ID]["effective_at"] is None
    assert folded.purchases[PURCHASE.purchase_id]["quantity"] == 50
    assert not folded.organizations
    assert not folded.servers


def test_numbers_that_can_be_claimed_are_not_written_down() -> None:
    assert "N1" not in encode_event(purchase_fields(PURCHASE))
    assert purchase_fields(PURCHASE)["numbers"] != purchase_fields(replace(PURCHASE, numbers=("N2",)))["numbers"]


def test_the_times_of_a_transfer_are_written_in_utc() -> None:
    assert transfer_fields(replace(TRANSFER, effective_at=NOW, ended_at=NOW))["ended_at"] == "2026-03-01T08:00:00Z"
