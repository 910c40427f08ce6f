"""Packs from one license server to another, with signed envelopes and a real store: connected, unreachable, dead, given up."""

from dataclasses import replace
from datetime import timedelta

import pytest

from calward.app.clearinghouse.activate_license_server import ActivateLicenseServer
from calward.app.clearinghouse.add_organization import AddOrganization
from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.clearinghouse.desk import Clearinghouse
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.bundle import join
from calward.domain.cals import CalType, HolderKind
from calward.domain.handover import HandedLicense, Handover
from calward.domain.pack_orders import PackRef, TransferEnd, TransferOrder, TransferOutcome
from calward.domain.pack_requests import MAX_PACKS, ChangeKind, SourceState
from calward.domain.purchases import Purchase
from calward.domain.register import transfer_id_of
from calward.domain.statements import Activation, Channel, KeyPackStatement, Program
from tests.support.asking_server import AskingServer
from tests.support.clearinghouses import ClearinghouseWiring
from tests.support.signed import NOW

R = AcceptanceRefusal
DAY = timedelta(days=1)
A_LICENSE = HandedLicense(HolderKind.DEVICE, "0a" * 20, "PC1", 3, 1_772_000_000, 1_779_000_000, 1_772_100_000)


def ref(pack: KeyPackStatement) -> PackRef:
    return PackRef(pack.pack_id, pack.generation)


@pytest.fixture
def bought(desk: Clearinghouse) -> Purchase:
    desk.add_organization(AddOrganization("Example Ltd"))
    sale = AddPurchase(Program.OPEN, "windows-server", "2008", CalType.PER_DEVICE, 50, "Example Ltd")
    return desk.add_purchase(sale)


@pytest.fixture
def pack(bought: Purchase, old: AskingServer) -> KeyPackStatement:
    """20 CALs that the old server has."""
    (pack,) = old.ask(old.install(Program.OPEN, *bought.numbers, quantity=20))
    assert old.ask(old.contact(ref(pack))) == []
    return pack


@pytest.fixture
def proof(bought: Purchase) -> str:
    return bought.proof


def holder(desk: Clearinghouse) -> tuple[str, int]:
    (record,) = desk.overview().register
    return record.statement.server_id, record.statement.generation


def test_a_pack_goes_from_its_purchase_to_a_server_and_on_to_the_next(
    desk: Clearinghouse, old: AskingServer, new: AskingServer, pack: KeyPackStatement, proof: str
) -> None:
    assert (pack.total, pack.generation, pack.version) == (20, 1, "2008")
    assert new.ask(new.move(old, pack.pack_id, proof=proof)) == []
    (order,) = old.ask(old.contact(ref(pack)))
    assert isinstance(order, TransferOrder)
    assert (order.pack, order.target_id, order.target_name) == (ref(pack), new.server_id, "new")
    assert holder(desk) == (old.server_id, 1)

    (end,) = old.ask(*old.release(order, A_LICENSE))
    assert isinstance(end, TransferEnd)
    assert (end.transfer_id, end.outcome) == (order.order_id, TransferOutcome.COMPLETED)

    moved, handed = new.ask(new.contact())
    given = {"generation": 2, "server_id": new.server_id, "issued_at": moved.issued_at, "handover": moved.handover}
    assert moved == replace(pack, **given)
    assert isinstance(handed, Handover)
    assert handed.licenses == (A_LICENSE,)

    assert new.ask(new.contact(ref(moved))) == []
    assert old.ask(old.contact(done=(end.order_id,))) == []
    assert [one.statement for one in desk.overview().register] == [moved]
    assert [claimed for _, claimed in desk.overview().purchases] == [20]
    assert desk.audit().passed


def test_the_same_release_gets_the_same_answer_and_moves_nothing_twice(
    desk: Clearinghouse, old: AskingServer, new: AskingServer, pack: KeyPackStatement, proof: str
) -> None:
    new.ask(new.move(old, pack.pack_id, proof=proof))
    (order,) = old.ask(old.contact(ref(pack)))
    release = old.release(order, A_LICENSE)
    first = old.send(*release)
    assert isinstance(first, bytes)
    assert old.send(*release) == first
    assert old.send(release[0]) == first
    assert old.refused(*old.release(order, A_LICENSE)) is R.TRANSFER_ENDED
    assert holder(desk) == (new.server_id, 2)


def test_a_pack_that_was_released_unreported_does_not_wait_there_any_more(
    desk: Clearinghouse, old: AskingServer, new: AskingServer, bought: Purchase
) -> None:
    (pack,) = old.ask(old.install(Program.OPEN, *bought.numbers, quantity=20))
    new.ask(new.move(old, pack.pack_id, proof=bought.proof))
    _, order = old.ask(old.contact())
    (end,) = old.ask(*old.release(order))
    assert isinstance(end, TransferEnd)
    assert old.ask(old.contact(done=[end.order_id])) == []


def test_more_licenses_than_cals_are_not_handed_on(
    desk: Clearinghouse, old: AskingServer, new: AskingServer, pack: KeyPackStatement, proof: str
) -> None:
    new.ask(new.move(old, pack.pack_id, proof=proof))
    (order,) = old.ask(old.contact(ref(pack)))
    too_many = [replace(A_LICENSE, seat=n, key=f"{n:040x}") for n in range(1, 22)]
    assert old.refused(*old.release(order, *too_many)) is R.MALFORMED
    assert old.refused(*old.release(order, replace(A_LICENSE, seat=21))) is R.MALFORMED
    assert holder(desk) == (old.server_id, 1)


def test_a_list_of_licenses_is_forgotten_once_it_is_delivered(
    desk: Clearinghouse, old: AskingServer, new: AskingServer, pack: KeyPackStatement, proof: str
) -> None:
    new.ask(new.move(old, pack.pack_id, proof=proof))
    (order,) = old.ask(old.contact(ref(pack)))
    old.ask(*old.release(order, A_LICENSE))
    contact = new.seal(new.contact())
    moved, _ = new.ask(contact)
    assert desk.store.read(lambda book: book.outbox.handover(order.order_id))
    new.ask(new.contact(ref(moved)))
    assert desk.store.read(lambda book: book.outbox.handover(order.order_id)) is None
    assert new.ask(contact) == [moved]


def test_all_packs_of_a_server_move_at_once_or_none(
    desk: Clearinghouse, old: AskingServer, new: AskingServer, pack: KeyPackStatement, bought: Purchase
) -> None:
    (second,) = [one for one in old.ask(old.install(Program.OPEN, *bought.numbers)) if one != pack]
    request = new.move(old, proof=bought.proof)
    assert new.ask(request) == []
    orders = old.ask(old.contact(ref(pack), ref(second)))
    assert {one.pack for one in orders} == {ref(pack), ref(second)}
    assert {one.order_id for one in orders} == {transfer_id_of(request.head.nonce, one.pack.pack_id) for one in orders}

    assert new.refused(new.move(old, pack.pack_id, "00" * 16, proof=bought.proof)) is R.PACK_NOT_HELD
    assert new.ask(new.cancel(request.head.nonce)) == []
    assert not [one for one in desk.overview().register if one.transfer]
    ends = [one for one in old.ask(old.contact(ref(pack), ref(second))) if isinstance(one, TransferEnd)]
    assert [one.outcome for one in ends] == [TransferOutcome.CANCELLED] * 2


def test_servers_of_one_organization_need_no_proof(
    desk: Clearinghouse, old: AskingServer, new: AskingServer, pack: KeyPackStatement, bought: Purchase
) -> None:
    assert new.refused(new.move(old, pack.pack_id)) is R.NOT_SAME_ORGANIZATION
    new.ask(new.install(Program.OPEN, *bought.numbers, quantity=1))
    new.ask(new.move(old, pack.pack_id))
    assert len({one.organization for one in desk.overview().servers}) == 1


def test_a_dead_source_always_needs_a_proof(
    old: AskingServer, new: AskingServer, pack: KeyPackStatement, bought: Purchase
) -> None:
    new.ask(new.install(Program.OPEN, *bought.numbers, quantity=1))
    assert new.refused(new.move(old, pack.pack_id, state=SourceState.DEAD)) is R.NOT_SAME_ORGANIZATION
    for wrong in ("nonsense", bought.numbers[0]):
        assert new.refused(new.move(old, state=SourceState.DEAD, proof=wrong)) is R.NOT_SAME_ORGANIZATION
    new.ask(new.move(old, state=SourceState.DEAD, proof=bought.proof.lower().replace("-", " ")))


@pytest.mark.parametrize("who", ["old", "new"])
def test_a_pack_of_a_source_that_cannot_be_reached_is_the_targets_a_day_after_its_right(
    desk: Clearinghouse,
    wiring: ClearinghouseWiring,
    old: AskingServer,
    new: AskingServer,
    pack: KeyPackStatement,
    proof: str,
    who: str,
) -> None:
    new.ask(new.move(old, pack.pack_id, state=SourceState.UNREACHABLE, proof=proof))
    (transfer,) = desk.overview().transfers
    assert transfer.effective_at == NOW + 31 * DAY

    wiring.clock.pass_days(30.9)
    assert holder(desk) == (old.server_id, 1)
    wiring.clock.pass_days(0.1)
    asker = {"old": old, "new": new}[who]
    answer = asker.ask(asker.contact())
    assert holder(desk) == (new.server_id, 2)
    moved = next(
        one for one in (answer if who == "new" else new.ask(new.contact())) if isinstance(one, KeyPackStatement)
    )
    assert (moved.generation, moved.handover) == (2, None)
    assert desk.audit().passed


def test_a_source_that_lost_a_pack_gets_no_right_before_it_knows(
    desk: Clearinghouse,
    wiring: ClearinghouseWiring,
    old: AskingServer,
    new: AskingServer,
    pack: KeyPackStatement,
    proof: str,
) -> None:
    new.ask(new.move(old, pack.pack_id, state=SourceState.UNREACHABLE, proof=proof))
    wiring.clock.pass_days(20)
    assert not [one for one in old.ask(old.contact(ref(pack))) if isinstance(one, Activation)], (
        "no right may outlast the day"
    )
    assert not [one for one in old.ask(old.contact(ref(pack)), channel=Channel.FILE) if isinstance(one, Activation)]
    wiring.clock.pass_days(11)
    order, end = old.ask(old.contact(ref(pack)))
    assert (end.transfer_id, end.outcome) == (order.order_id, TransferOutcome.COMPLETED)
    assert old.refused(old.activation_request()) is R.PACK_MOVING
    (right,) = old.ask(old.contact(done=(order.order_id, end.order_id)))
    assert right.issue_until == NOW + 61 * DAY
    old.activate()


def test_a_source_that_comes_back_in_time_releases_its_pack_the_ordinary_way(
    desk: Clearinghouse,
    wiring: ClearinghouseWiring,
    old: AskingServer,
    new: AskingServer,
    pack: KeyPackStatement,
    proof: str,
) -> None:
    new.ask(new.move(old, pack.pack_id, state=SourceState.UNREACHABLE, proof=proof))
    wiring.clock.pass_days(25)
    (order,) = old.ask(old.contact(ref(pack)))
    old.ask(*old.release(order, A_LICENSE))
    kinds = [type(one) for one in new.ask(new.contact()) if not isinstance(one, Activation)]
    assert kinds == [KeyPackStatement, Handover]
    wiring.clock.pass_days(10)
    assert holder(desk) == (new.server_id, 2)


def test_a_connected_move_can_be_asked_for_again_as_unreachable(
    desk: Clearinghouse, old: AskingServer, new: AskingServer, pack: KeyPackStatement, proof: str
) -> None:
    new.ask(new.move(old, pack.pack_id, proof=proof))
    assert [one.effective_at for one in desk.overview().transfers] == [None]
    new.ask(new.move(old, pack.pack_id, proof=proof))
    new.ask(new.move(old, pack.pack_id, state=SourceState.UNREACHABLE, proof=proof))
    (transfer,) = desk.overview().transfers
    assert transfer.effective_at == NOW + 31 * DAY
    assert desk.audit().passed


def test_a_right_without_end_waits_for_its_release(
    desk: Clearinghouse, root_key: bytes, new: AskingServer, wiring: ClearinghouseWiring, bought: Purchase
) -> None:
    forever = AskingServer(desk, root_key, "forever")
    desk.activate(ActivateLicenseServer(forever.seal(forever.activation_request()), Channel.FILE, perpetual=True))
    (pack,) = forever.ask(forever.install(Program.OPEN, *bought.numbers))
    new.ask(new.move(forever, pack.pack_id, state=SourceState.DEAD, proof=bought.proof))
    wiring.clock.pass_days(10_000)
    assert holder(desk) == (forever.server_id, 1)


def test_a_server_that_gave_up_its_right_holds_nothing_back(
    desk: Clearinghouse, old: AskingServer, new: AskingServer, pack: KeyPackStatement, proof: str
) -> None:
    new.ask(new.move(old, pack.pack_id, state=SourceState.UNREACHABLE, proof=proof))
    assert [type(one) for one in old.ask(old.deactivation())] == [TransferOrder, TransferEnd]
    assert holder(desk) == (new.server_id, 2)
    assert old.refused(old.install(Program.OPEN, "1", "2")) is R.NUMBER_UNKNOWN
    assert desk.audit().passed


def test_a_move_is_given_up_by_the_target_and_by_nobody_else(
    desk: Clearinghouse, old: AskingServer, new: AskingServer, pack: KeyPackStatement, proof: str
) -> None:
    new.ask(new.move(old, pack.pack_id, proof=proof))
    (order,) = old.ask(old.contact(ref(pack)))
    release = old.release(order)
    assert old.refused(old.cancel(order.order_id)) is R.TRANSFER_ENDED
    assert new.ask(new.cancel(order.order_id)) == []
    assert old.refused(*release) is R.TRANSFER_ENDED
    ended = [one.outcome for one in old.ask(old.contact(ref(pack), done=(order.order_id,)))]
    assert ended == [TransferOutcome.CANCELLED]
    assert new.refused(new.cancel(order.order_id)) is R.TRANSFER_ENDED
    assert holder(desk) == (old.server_id, 1)


def test_an_operator_gives_up_a_move_and_both_servers_hear_of_it(
    desk: Clearinghouse,
    wiring: ClearinghouseWiring,
    old: AskingServer,
    new: AskingServer,
    pack: KeyPackStatement,
    proof: str,
) -> None:
    new.ask(new.move(old, pack.pack_id, state=SourceState.DEAD, proof=proof))
    (transfer,) = desk.overview().transfers
    assert desk.cancel_transfer(transfer.transfer_id, "shop") is None
    assert [one.outcome for one in new.ask(new.contact())] == [TransferOutcome.CANCELLED]
    refused = desk.cancel_transfer(transfer.transfer_id, "shop")
    assert isinstance(refused, NotAccepted)
    new.ask(new.move(old, pack.pack_id, state=SourceState.DEAD, proof=proof))
    wiring.clock.pass_days(40)
    late = desk.cancel_transfer(
        desk.store.read(lambda book: book.register.transfers(pending=True))[0].transfer_id, "shop"
    )
    assert isinstance(late, NotAccepted)
    assert late.reason is R.TRANSFER_ENDED
    assert holder(desk) == (new.server_id, 2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"source_id": "00" * 16}, R.SERVER_NOT_KNOWN),
        ({"packs": ("00" * 16,)}, R.PACK_NOT_HELD),
        ({"packs": ()}, None),
    ],
)
def test_what_cannot_be_moved_is_refused_with_its_reason(
    old: AskingServer, new: AskingServer, pack: KeyPackStatement, proof: str, change: dict, reason: R | None
) -> None:
    request = replace(new.move(old, pack.pack_id, proof=proof), **change)
    answer = new.send(request)
    assert (answer.reason if isinstance(answer, NotAccepted) else None) is reason


def test_a_pack_on_its_way_is_moved_and_changed_by_nobody_else(
    desk: Clearinghouse, root_key: bytes, old: AskingServer, new: AskingServer, pack: KeyPackStatement, proof: str
) -> None:
    third = AskingServer(desk, root_key, "third")
    assert third.refused(third.contact()) is R.SERVER_NOT_KNOWN
    third.activate()
    new.ask(new.move(old, pack.pack_id, proof=proof))
    assert third.refused(third.move(old, pack.pack_id, proof=proof)) is R.PACK_MOVING
    assert old.refused(old.change(ref(pack), ChangeKind.DOWNGRADE, "2003")) is R.PACK_MOVING
    assert new.refused(new.move(new, pack.pack_id, proof=proof)) is R.PACK_NOT_HELD


def test_a_pack_newer_than_the_target_is_refused(desk: Clearinghouse, old: AskingServer, new: AskingServer) -> None:
    sale = AddPurchase(Program.VOLUME, "windows-server", "2016", CalType.PER_USER, 5)
    numbers = desk.add_purchase(sale).numbers
    assert old.refused(old.install(Program.VOLUME, *numbers)) is R.SERVER_VERSION_TOO_LOW
    (pack,) = new.ask(new.install(Program.VOLUME, *numbers))
    assert old.refused(old.move(new, pack.pack_id, proof=numbers[0])) is R.SERVER_VERSION_TOO_LOW


def test_a_server_without_a_right_gets_no_packs(
    wiring: ClearinghouseWiring, old: AskingServer, new: AskingServer, pack: KeyPackStatement, bought: Purchase
) -> None:
    wiring.clock.pass_days(31)
    assert new.refused(new.move(old, pack.pack_id, proof=bought.proof)) is R.SERVER_NOT_ACTIVATED
    assert new.refused(new.install(Program.OPEN, *bought.numbers)) is R.SERVER_NOT_ACTIVATED


def test_a_server_holds_no_more_packs_than_one_contact_can_name(
    desk: Clearinghouse, old: AskingServer, bought: Purchase
) -> None:
    big = bought_more(desk)
    for _ in range(MAX_PACKS):
        old.send(old.install(Program.OPEN, *big.numbers, quantity=1))
    assert len(desk.overview().register) == MAX_PACKS
    assert old.refused(old.install(Program.OPEN, *big.numbers, quantity=1)) is R.NOTHING_LEFT


def bought_more(desk: Clearinghouse) -> Purchase:
    return desk.add_purchase(
        AddPurchase(Program.OPEN, "windows-server", "2008", CalType.PER_DEVICE, 500, "Example Ltd")
    )


@pytest.mark.parametrize("wrong", ["none", "another", "changed", "more", "alone"])
def test_a_release_without_its_list_completes_nothing(
    desk: Clearinghouse, old: AskingServer, new: AskingServer, pack: KeyPackStatement, proof: str, wrong: str
) -> None:
    new.ask(new.move(old, pack.pack_id, proof=proof))
    (order,) = old.ask(old.contact(ref(pack)))
    release, listed = old.release(order, A_LICENSE)
    other = replace(order, pack=PackRef(pack.pack_id, 7))
    sent = {
        "none": (release,),
        "another": (release, old.release(order)[1]),
        "changed": (release, listed[:-9] + listed[-8:]),
        "more": old.release(other, A_LICENSE),
        "alone": (listed,),
    }[wrong]
    assert old.refused(*sent) in {
        R.HANDOVER_MISSING,
        R.MALFORMED,
        R.SIGNATURE_INVALID,
        R.WRONG_PAYLOAD_TYPE,
        R.PACK_NOT_HELD,
    }
    assert holder(desk) == (old.server_id, 1)
    assert isinstance(old.desk.answer(join((release, listed)), Channel.FILE), bytes)
