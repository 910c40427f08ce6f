"""The regular word of a license server: renewal, ledgers that went back, recovery, new keys, deactivation."""

from dataclasses import replace
from datetime import timedelta

import pytest

from calward.app.clearinghouse.activate_license_server import ActivateLicenseServer, key_fingerprint
from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.clearinghouse.sign_key_pack import SignKeyPack
from calward.domain.acceptance import AcceptanceRefusal
from calward.domain.cals import CalType
from calward.domain.envelope import decode_envelope
from calward.domain.errors import LicensingError, Problem
from calward.domain.pack_orders import PackRef, Register, TransferEnd, TransferOrder, TransferOutcome
from calward.domain.pack_requests import MAX_WORDS, ChangeKind, RecoverReason, SourceState
from calward.domain.statements import Activation, ActivationReason, Channel, KeyPackStatement, Program
from tests.support.asking_server import AskingServer
from tests.support.clearinghouses import ClearinghouseWiring
from tests.support.signed import NOW, a_signer

R = AcceptanceRefusal
DAY = timedelta(days=1)


def ref(pack: KeyPackStatement) -> PackRef:
    return PackRef(pack.pack_id, pack.generation)


@pytest.fixture
def numbers(desk: Clearinghouse) -> tuple[str, ...]:
    sale = AddPurchase(Program.VOLUME, "windows-server", "2016", CalType.PER_DEVICE, 30, convertible=True)
    return desk.add_purchase(sale).numbers


@pytest.fixture
def pack(new: AskingServer, numbers: tuple[str, ...]) -> KeyPackStatement:
    (pack,) = new.ask(new.install(Program.VOLUME, *numbers, quantity=20))
    new.ask(new.contact(ref(pack)))
    return pack


@pytest.mark.parametrize(
    ("days", "channel", "days_given"),
    [(9, Channel.ONLINE, 0), (10, Channel.ONLINE, 40), (45, Channel.ONLINE, 75), (1, Channel.FILE, 181)],
)
def test_a_right_is_renewed_in_time(
    wiring: ClearinghouseWiring, new: AskingServer, days: int, channel: Channel, days_given: int
) -> None:
    wiring.clock.pass_days(days)
    contact = new.contact()
    rights = new.ask(contact, channel=channel)
    assert [one.issue_until for one in rights] == ([NOW + days_given * DAY] if days_given else [])
    assert [(one.nonce, one.channel) for one in rights] == ([(contact.head.nonce, channel)] if days_given else [])


def test_a_longer_right_is_not_shortened(desk: Clearinghouse, wiring: ClearinghouseWiring, new: AskingServer) -> None:
    desk.activate(ActivateLicenseServer(new.seal(new.activation_request()), Channel.FILE, perpetual=True))
    wiring.clock.pass_days(400)
    assert new.ask(new.contact()) == []


def test_a_contact_tells_the_servers_version(desk: Clearinghouse, new: AskingServer) -> None:
    new.version = "2025"
    new.ask(new.contact())
    assert [one.version for one in desk.overview().servers] == ["2025"]
    new.version = "2022"
    new.activate(ActivationReason.SERVER_UPGRADED)
    assert [one.version for one in desk.overview().servers] == ["2022"]
    assert desk.audit().passed


@pytest.mark.parametrize(
    "later", [lambda new: new.checkpoint(4), lambda new: new.checkpoint(5, b"\7" * 32), lambda new: ""]
)
def test_a_ledger_that_went_back_is_noticed_and_gets_nothing(
    desk: Clearinghouse,
    wiring: ClearinghouseWiring,
    new: AskingServer,
    pack: KeyPackStatement,
    numbers: tuple[str, ...],
    later,
) -> None:
    new.ask(new.contact(checkpoint=new.checkpoint(5)))
    wiring.clock.pass_days(20)
    assert new.refused(new.contact(checkpoint=later(new))) is R.LEDGER_ROLLED_BACK
    assert new.refused(new.install(Program.VOLUME, *numbers)) is R.LEDGER_ROLLED_BACK
    assert new.refused(new.activation_request()) is R.LEDGER_ROLLED_BACK
    assert desk.overview().servers[0].rolled_back

    wayout = new.ask(new.contact(ref(pack), checkpoint=new.checkpoint(6)))
    assert [type(one) for one in wayout] == [Activation], "the newer backup was restored"


def test_the_same_or_a_larger_ledger_is_none_that_went_back(new: AskingServer) -> None:
    for size in (5, 5, 6, 600):
        new.ask(new.contact(checkpoint=new.checkpoint(size)))


def test_a_copy_that_went_on_by_itself_is_noticed_though_its_ledger_is_the_larger_one(
    wiring: ClearinghouseWiring, new: AskingServer
) -> None:
    new.ask(new.contact(checkpoint=new.checkpoint(5)))
    when_copied = new.words
    wiring.clock.pass_days(1)
    new.ask(new.contact(checkpoint=new.checkpoint(6)))
    original, new.words = new.words, when_copied
    assert new.refused(new.contact(checkpoint=new.checkpoint(9))) is R.LEDGER_ROLLED_BACK
    copy, new.words = new.words, original
    new.ask(new.contact(checkpoint=new.checkpoint(7)))

    new.words = copy
    (register,) = new.ask(new.recover())
    assert isinstance(register, Register)
    new.ask(new.contact(checkpoint=new.checkpoint(9), done=[register.order_id]))
    new.words = original
    assert new.refused(new.contact(checkpoint=new.checkpoint(20))) is R.LEDGER_ROLLED_BACK


def test_answers_that_were_never_heard_make_no_other_copy(new: AskingServer) -> None:
    answered = new.words
    for size in range(5):
        new.ask(new.contact(checkpoint=new.checkpoint(size)))
        new.words = (*answered, *new.words[-MAX_WORDS + 1 :])


@pytest.mark.parametrize("make", [lambda new: new.contact(checkpoint=new.checkpoint(3)), lambda new: new.recover()])
def test_a_word_that_was_overtaken_on_its_way_is_no_ledger_that_went_back(
    desk: Clearinghouse, wiring: ClearinghouseWiring, new: AskingServer, make
) -> None:
    late = make(new)
    wiring.clock.set(wiring.clock.now() + 1)
    new.ask(new.contact(checkpoint=new.checkpoint(5)))
    assert new.refused(late) is R.REPLAYED
    assert not desk.overview().servers[0].rolled_back
    new.ask(new.contact(checkpoint=new.checkpoint(5)))


def test_a_clock_that_was_ahead_locks_nobody_out(wiring: ClearinghouseWiring, new: AskingServer) -> None:
    ahead = new.contact()
    new.ask(replace(ahead, head=replace(ahead.head, requested_at=NOW + 400 * DAY)))
    wiring.clock.pass_days(1)
    new.ask(new.contact())


@pytest.mark.parametrize("note", ["nonsense", "forged"])
def test_a_checkpoint_of_somebody_else_is_refused(new: AskingServer, old: AskingServer, note: str) -> None:
    checkpoint = {"nonsense": "nonsense", "forged": old.checkpoint(1_000_000)}[note]
    assert new.refused(new.contact(checkpoint=checkpoint)) in {R.MALFORMED, R.SIGNATURE_INVALID}
    new.ask(new.contact(checkpoint=new.checkpoint(1)))


@pytest.mark.parametrize("reason", list(RecoverReason))
def test_a_server_that_lost_its_ledger_gets_all_that_it_holds_in_the_next_generation(
    desk: Clearinghouse, new: AskingServer, pack: KeyPackStatement, numbers: tuple[str, ...], reason: RecoverReason
) -> None:
    new.ask(new.contact(checkpoint=new.checkpoint(5)))
    assert new.refused(new.contact(checkpoint=new.checkpoint(1))) is R.LEDGER_ROLLED_BACK
    register, again = new.ask(new.recover(reason))
    assert isinstance(register, Register)
    assert again == replace(pack, generation=2, issued_at=again.issued_at)
    assert register.packs == (ref(again),)
    assert new.ask(new.contact(ref(again), done=[register.order_id], checkpoint=new.checkpoint(1))) == []
    assert desk.audit().passed


def test_no_right_is_given_before_the_register_was_taken(
    wiring: ClearinghouseWiring, new: AskingServer, pack: KeyPackStatement
) -> None:
    register, again = new.ask(new.recover())
    wiring.clock.pass_days(20)
    assert new.ask(new.contact()) == [register, again]
    (right,) = new.ask(new.contact(ref(again), done=[register.order_id]))
    assert isinstance(right, Activation)


def test_what_a_server_was_ordered_to_release_is_given_up_when_it_recovers(
    desk: Clearinghouse, root_key: bytes, new: AskingServer, pack: KeyPackStatement, numbers: tuple[str, ...]
) -> None:
    third = AskingServer(desk, root_key, "third")
    third.activate()
    third.ask(third.move(new, pack.pack_id, state=SourceState.UNREACHABLE, proof=numbers[0]))
    (order,) = new.ask(new.contact(ref(pack)))
    assert isinstance(order, TransferOrder)
    lost = new.release(order)
    kinds = [type(one) for one in new.ask(new.recover())]
    assert kinds == [Register, KeyPackStatement, TransferEnd]
    assert new.refused(*lost) is R.TRANSFER_ENDED
    assert [one.outcome for one in third.ask(third.contact())] == [TransferOutcome.CANCELLED]


def test_a_change_of_a_part_is_one_order_for_both_packs(
    desk: Clearinghouse, new: AskingServer, pack: KeyPackStatement
) -> None:
    (order,) = new.ask(new.change(ref(pack), ChangeKind.DOWNGRADE, "2008", 5))
    assert [(one.version, one.total, one.generation) for one in order.packs] == [("2016", 15, 2), ("2008", 5, 1)]
    assert new.ask(new.contact(*map(ref, order.packs), done=[order.order_id])) == []
    assert new.refused(new.change(ref(pack), ChangeKind.CONVERT, "per-user")) is R.PACK_NOT_HELD
    assert new.refused(new.change(PackRef("00" * 16, 1), ChangeKind.CONVERT, "per-user")) is R.PACK_NOT_HELD
    (back,) = new.ask(new.change(ref(order.packs[1]), ChangeKind.UPGRADE, "2016"))
    assert [one.version for one in back.packs] == ["2016"]
    (other,) = [one for one in new.ask(new.change(ref(order.packs[0]), ChangeKind.CONVERT, "per-user")) if one != back]
    assert [one.cal_type for one in other.packs] == [CalType.PER_USER]
    assert [claimed for _, claimed in desk.overview().purchases] == [20]
    assert desk.audit().passed


def test_a_new_key_counts_once_its_fingerprint_was_compared(
    desk: Clearinghouse, new: AskingServer, pack: KeyPackStatement
) -> None:
    lost, new.signer = new.signer, a_signer("new key")
    request = new.seal(new.activation_request(ActivationReason.KEY_LOST))
    with pytest.raises(LicensingError) as caught:
        new.send(new.activation_request())
    assert caught.value.problem is Problem.CONFLICT
    assert new.refused(request) is R.KEY_NOT_CONFIRMED
    assert new.refused(request) is R.KEY_NOT_CONFIRMED
    (pending,) = desk.overview().key_changes
    code = key_fingerprint(new.signer.public_key)
    assert (pending.confirmed_at, key_fingerprint(pending.public_key)) == (None, code)
    with pytest.raises(LicensingError):
        desk.confirm_key(new.server_id, key_fingerprint(lost.public_key), "shop")
    desk.confirm_key(new.server_id, code.lower().replace("-", " "), "shop")
    (right,) = new.ask(request)
    assert right.server_key == new.signer.public_key
    assert len(new.ask(new.recover(RecoverReason.REBUILD))) == 2
    new.signer = lost
    assert new.refused(new.contact()) is R.SERVER_NOT_KNOWN
    assert new.refused(new.activation_request(ActivationReason.KEY_EXPOSED)) is R.KEY_NOT_CONFIRMED
    assert desk.audit().passed


def test_one_key_is_one_license_server(desk: Clearinghouse, new: AskingServer) -> None:
    other = replace(new, name="other")
    other.signer = new.signer
    with pytest.raises(LicensingError, match=new.server_id) as caught:
        other.send(other.activation_request())
    assert caught.value.problem is Problem.CONFLICT
    assert len(desk.overview().servers) == 1


def test_strangers_do_not_fill_the_list_of_new_keys(desk: Clearinghouse, new: AskingServer) -> None:
    for n in range(20):
        new.signer = a_signer(f"guess {n}")
        assert new.refused(new.activation_request(ActivationReason.KEY_LOST)) is R.KEY_NOT_CONFIRMED
    assert len(desk.overview().key_changes) == 8


def test_a_server_that_gave_up_its_right_gets_it_back_by_asking(
    desk: Clearinghouse,
    wiring: ClearinghouseWiring,
    new: AskingServer,
    pack: KeyPackStatement,
    numbers: tuple[str, ...],
) -> None:
    assert new.ask(new.deactivation()) == []
    assert [one.issue_until for one in desk.overview().servers] == [None]
    wiring.clock.pass_days(25)
    assert new.ask(new.contact(ref(pack))) == []
    assert new.refused(new.install(Program.VOLUME, *numbers)) is R.SERVER_NOT_ACTIVATED
    assert new.refused(new.change(ref(pack), ChangeKind.DOWNGRADE, "2008")) is R.SERVER_NOT_ACTIVATED
    new.activate(ActivationReason.REDEPLOYED)
    new.ask(new.install(Program.VOLUME, *numbers))


def test_a_late_word_of_giving_up_a_right_does_not_take_a_newer_one(
    desk: Clearinghouse, wiring: ClearinghouseWiring, new: AskingServer
) -> None:
    late = new.deactivation()
    wiring.clock.pass_days(1)
    new.activate(ActivationReason.REDEPLOYED)
    assert new.refused(late) is R.REPLAYED
    assert desk.overview().servers[0].issue_until == NOW + 31 * DAY
    new.ask(new.deactivation())


def test_a_pack_that_was_sold_straight_travels_as_its_file_and_in_no_answer(
    desk: Clearinghouse, old: AskingServer, new: AskingServer
) -> None:
    sold = SignKeyPack("A-1", old.server_id, "windows-server", "2003", CalType.PER_DEVICE, 5)
    pack = KeyPackStatement.from_payload(decode_envelope(desk.sign_pack(sold)).payload)
    assert (pack.total, pack.version) == (5, "2003")
    assert old.ask(old.contact()) == []
    assert old.ask(old.contact(PackRef(pack.pack_id, 1))) == []
    assert new.refused(new.move(old, pack.pack_id)) is R.NOT_SAME_ORGANIZATION
    ((purchase, claimed),) = desk.overview().purchases
    assert (purchase.quantity, claimed) == (5, 5)
    assert new.refused(new.install(Program.RETAIL, *purchase.numbers)) is R.NOTHING_LEFT
    new.ask(new.move(old, pack.pack_id, proof=purchase.proof))
    with pytest.raises(LicensingError) as caught:
        desk.add_purchase(AddPurchase(Program.RETAIL, "windows-server", "2003", CalType.PER_DEVICE, 6, order="A-1"))
    assert caught.value.problem is Problem.CONFLICT
