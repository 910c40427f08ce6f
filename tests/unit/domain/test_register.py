"""The register: every state and every act, and what each of them makes."""

from dataclasses import replace
from itertools import product

import pytest

from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.pack_orders import PackRef, TransferEnd, TransferOrder, TransferOutcome
from calward.domain.pack_requests import ChangeKind, ChangeRequest, MoveReason, Release, SourceState
from calward.domain.register import (
    SAFETY,
    TRANSITIONS,
    Act,
    PackRecord,
    RegisterState,
    Step,
    Transfer,
    allowed,
    cancel_move,
    claim_pack,
    complete_move,
    hold_new,
    latest_right,
    move_pack,
    press_move,
    recover_pack,
    takes_effect_at,
    transfer_id_of,
)
from calward.domain.register_changes import ChangeTerms, change_pack
from calward.domain.statements import NO_END
from tests.support.ladders import windows_server
from tests.support.signed import DAY, HEAD, NOW, OTHER_SERVER_ID, SERVER_ID, SOURCE_ID, TRANSFER_ID, a_pack

R = AcceptanceRefusal
STATEMENT = a_pack(server_id=SOURCE_ID)
REF = PackRef(STATEMENT.pack_id, 1)


def a_transfer(**changes) -> Transfer:
    transfer = Transfer(
        TRANSFER_ID, REF, SOURCE_ID, SERVER_ID, "LS1", SourceState.CONNECTED, MoveReason.REPLACED, NOW, NOW + DAY
    )
    return replace(transfer, **changes)


def held(**changes) -> PackRecord:
    return PackRecord(replace(STATEMENT, **changes), "b1" * 16)


def moving(**changes) -> PackRecord:
    return replace(held(), transfer=a_transfer(**changes))


def a_release(**changes) -> Release:
    head = replace(HEAD, server_id=SOURCE_ID)
    return replace(Release(head, TRANSFER_ID, REF.pack_id, 1, b"\x07" * 32, 3), **changes)


LATER = NOW + DAY
TERMS = ChangeTerms(windows_server(), convertible=True, order_id="0d" * 16, part_id="99" * 16)
ACTS = {
    Act.MOVE: lambda record: move_pack(record, a_transfer()),
    Act.PRESS: lambda record: press_move(record, SERVER_ID, SourceState.DEAD, LATER),
    Act.CANCEL: lambda record: cancel_move(record, end_id="e1" * 16, now=NOW),
    Act.RELEASE: lambda record: complete_move(record, a_release(), end_id="e1" * 16, now=NOW),
    Act.CLAIM: lambda record: claim_pack(record, end_id="e1" * 16, now=LATER),
    Act.CHANGE: lambda record: change_pack(
        record,
        ChangeRequest(replace(HEAD, server_id=SOURCE_ID), REF.pack_id, 1, ChangeKind.DOWNGRADE, "2003"),
        TERMS,
        now=NOW,
    ),
    Act.RECOVER: lambda record: recover_pack(record, end_id="e1" * 16, tell_target="e2" * 16, now=NOW),
}
RECORDS = {RegisterState.HELD: held, RegisterState.MOVING: moving}


@pytest.mark.parametrize(("state", "act"), list(product(RegisterState, Act)))
def test_every_act_in_every_state_does_what_the_table_says(state: RegisterState, act: Act) -> None:
    record = RECORDS[state]()
    assert record.state is state
    done, after = ACTS[act](record), TRANSITIONS[state].get(act)
    if after is None:
        refusal = R.PACK_MOVING if state is RegisterState.MOVING else R.TRANSFER_ENDED
        assert isinstance(done, NotAccepted)
        assert done.reason is refusal
        assert isinstance(allowed(record, act), NotAccepted)
    else:
        assert allowed(record, act) is None
        assert isinstance(done, Step)
        assert [one.state for one in done.packs] == [after]
        assert sum(one.statement.total for one in done.packs) == record.statement.total
        assert [one.purchase_id for one in done.packs] == [record.purchase_id]


def test_a_new_pack_waits_for_its_server() -> None:
    step = hold_new(STATEMENT, "b1" * 16)
    assert step.packs == (held(),)
    (post,) = step.posts
    assert (post.server_id, post.item, post.statement) == (SOURCE_ID, f"{STATEMENT.pack_id}/1", STATEMENT)


def test_a_move_is_an_order_to_the_source_and_changes_nothing_yet() -> None:
    step = move_pack(held(), a_transfer())
    assert isinstance(step, Step)
    assert step.packs == (moving(),)
    (post,) = step.posts
    assert isinstance(post.statement, TransferOrder)
    assert (post.server_id, post.item) == (SOURCE_ID, TRANSFER_ID)
    assert post.statement.pack == REF


def test_a_released_pack_is_the_targets_in_its_next_generation_and_the_source_hears_of_it() -> None:
    step = complete_move(moving(), a_release(), end_id="e1" * 16, now=NOW + DAY / 2)
    assert isinstance(step, Step)
    (record,) = step.packs
    assert record.statement == replace(
        STATEMENT, generation=2, server_id=SERVER_ID, issued_at=NOW + DAY / 2, handover=b"\x07" * 32
    )
    (transfer,) = step.transfers
    assert (transfer.outcome, transfer.claimed) == (TransferOutcome.COMPLETED, False)
    end, pack = step.posts
    assert isinstance(end.statement, TransferEnd)
    assert (end.server_id, end.statement.outcome, end.statement.pack) == (SOURCE_ID, TransferOutcome.COMPLETED, REF)
    assert (pack.server_id, pack.statement, pack.handover) == (SERVER_ID, record.statement, TRANSFER_ID)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"transfer_id": "00" * 16}, R.TRANSFER_ENDED),
        ({"pack_id": "00" * 16}, R.PACK_NOT_HELD),
        ({"generation": 2}, R.PACK_NOT_HELD),
        ({"head": HEAD}, R.PACK_NOT_HELD),
    ],
)
def test_a_release_of_anything_else_completes_nothing(change: dict, reason: R) -> None:
    refused = complete_move(moving(), a_release(**change), end_id="e1" * 16, now=NOW)
    assert isinstance(refused, NotAccepted)
    assert refused.reason is reason


def test_a_claimed_pack_brings_no_licenses() -> None:
    step = claim_pack(moving(), end_id="e1" * 16, now=LATER)
    assert isinstance(step, Step)
    assert step.packs[0].statement.handover is None
    assert step.transfers[0].claimed
    assert [one.handover for one in step.posts] == [None, None]


@pytest.mark.parametrize("effective_at", [None, LATER])
def test_nothing_is_claimed_before_its_day(effective_at) -> None:
    refused = claim_pack(moving(effective_at=effective_at), end_id="e1" * 16, now=LATER - SAFETY)
    assert isinstance(refused, NotAccepted)
    assert refused.reason is R.PACK_MOVING


def test_a_move_is_given_up_until_it_has_taken_effect() -> None:
    step = cancel_move(moving(), end_id="e1" * 16, now=NOW, tell_target="e2" * 16)
    assert isinstance(step, Step)
    assert step.packs == (held(),)
    assert [(one.server_id, one.item) for one in step.posts] == [(SOURCE_ID, "e1" * 16), (SERVER_ID, "e2" * 16)]
    assert {one.statement.outcome for one in step.posts} == {TransferOutcome.CANCELLED}
    late = cancel_move(moving(), end_id="e1" * 16, now=LATER)
    assert isinstance(late, NotAccepted)
    assert late.reason is R.TRANSFER_ENDED


def test_pressing_sets_a_day_that_may_only_come_nearer() -> None:
    pressed = press_move(moving(effective_at=None), SERVER_ID, SourceState.DEAD, LATER)
    assert isinstance(pressed, Step)
    assert pressed.transfers[0].effective_at == LATER
    assert pressed.transfers[0].source is SourceState.DEAD
    again = press_move(pressed.packs[0], SERVER_ID, SourceState.DEAD, LATER + DAY)
    assert again == Step((pressed.packs[0],))
    nearer = press_move(pressed.packs[0], SERVER_ID, SourceState.DEAD, NOW)
    assert isinstance(nearer, Step)
    assert nearer.transfers[0].effective_at == NOW
    assert press_move(moving(effective_at=None), SERVER_ID, SourceState.DEAD, None) == Step(
        (moving(effective_at=None),)
    )


def test_only_the_target_of_a_move_may_press_it() -> None:
    refused = press_move(moving(), OTHER_SERVER_ID, SourceState.DEAD, LATER)
    assert isinstance(refused, NotAccepted)
    assert refused.reason is R.PACK_MOVING


def test_a_recovered_pack_is_signed_anew_and_its_move_is_given_up() -> None:
    step = recover_pack(moving(), end_id="e1" * 16, tell_target="e2" * 16, now=NOW)
    assert step.packs[0].statement == replace(STATEMENT, generation=2)
    assert step.transfers[0].outcome is TransferOutcome.CANCELLED
    assert [one.server_id for one in step.posts] == [SOURCE_ID, SOURCE_ID, SERVER_ID]
    assert len(recover_pack(held(), end_id="e1" * 16, tell_target="e2" * 16, now=NOW).posts) == 1


@pytest.mark.parametrize(
    ("issue_until", "effective_at"), [(None, NOW), (NOW + 3 * DAY, NOW + 4 * DAY), (NOW - DAY, NOW), (NO_END, None)]
)
def test_a_pack_is_free_a_day_after_the_right_of_its_source(issue_until, effective_at) -> None:
    assert takes_effect_at(issue_until, NOW) == effective_at


def test_a_right_ends_a_day_before_the_first_pack_leaves() -> None:
    leaving = (
        a_transfer(effective_at=NOW + 5 * DAY),
        a_transfer(effective_at=NOW + 3 * DAY),
        a_transfer(effective_at=None),
    )
    assert latest_right(leaving) == NOW + 2 * DAY
    ended = a_transfer(effective_at=NOW + 3 * DAY, outcome=TransferOutcome.CANCELLED)
    assert latest_right((ended, a_transfer(effective_at=None))) is None


def test_a_transfers_id_follows_from_request_and_pack() -> None:
    assert transfer_id_of("4e" * 16, REF.pack_id) == transfer_id_of("4e" * 16, REF.pack_id)
    assert (
        len(
            {
                transfer_id_of("4e" * 16, REF.pack_id),
                transfer_id_of("4f" * 16, REF.pack_id),
                transfer_id_of("4e" * 16, "00" * 16),
            }
        )
        == 3
    )


@pytest.mark.parametrize(
    ("changes", "now", "due"),
    [
        ({}, NOW, False),
        ({}, LATER, True),
        ({"effective_at": None}, LATER, False),
        ({"outcome": TransferOutcome.CANCELLED}, LATER, False),
    ],
)
def test_a_transfer_is_due_on_its_day_while_it_has_not_ended(changes: dict, now, due: bool) -> None:
    assert a_transfer(**changes).due(now) is due
