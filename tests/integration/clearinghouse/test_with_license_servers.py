"""Real license servers and a real clearinghouse: packs are installed by number, move with their licenses, change and come back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calward.adapters.clearinghouse import SqliteClearinghouseStore
from calward.adapters.ladders import load_ladder
from calward.adapters.signing import verify
from calward.adapters.system import SystemEntropy
from calward.app.clearinghouse.add_organization import AddOrganization
from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.clearinghouse.desk import Clearinghouse
from calward.app.licensing.contact import ask_online, contact_online
from calward.app.licensing.plan_change import ChangePlan
from calward.app.licensing.request_packs import Ask, ask, ask_change, to_install, to_move, to_recover
from calward.app.licensing.take_orders import Desk, take
from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.domain.cals import CalType
from calward.domain.key_packs import PackId
from calward.domain.pack_requests import ChangeKind, MoveReason, RecoverReason, SourceState
from calward.domain.purchases import Purchase
from calward.domain.statements import ActivationRequest, Channel, PayloadType, Program
from tests.support.builders import ladder
from tests.support.clocks import CountedEntropy, SetClock
from tests.support.house import House
from tests.support.signed import ACTIVATION, NOW, PACK, ROOT

OLD, NEW = "0a" * 16, "0b" * 16


class Site(House):
    """A license server that talks to the clearinghouse as it does online."""

    sent = 0

    def __init__(self, desk: Clearinghouse, server: str, clock: SetClock) -> None:
        super().__init__(MemoryLedger(CountedEntropy(), clock), server, clock)
        self.desk = desk
        self.activate()

    def activate(self) -> None:
        key = self.signatures.public_key
        request = ActivationRequest(self.server, "LS", key, CountedEntropy().token(16).hex(), NOW, "2025")
        envelope = self.signatures.seal(PayloadType.ACTIVATION_REQUEST, request.to_payload())
        answer = self.desk.answer(envelope, Channel.ONLINE)
        assert isinstance(answer, bytes)
        assert [one.outcome for one in take(answer, self.ledger, self.takes)][-1] == "activated"

    def ask(self, bundle: Any, *more: Any) -> Any:
        """Of a host as in the house; of the clearinghouse, what a counter is."""
        if isinstance(bundle, str):
            return super().ask(bundle, *more)
        self.sent += 1
        return self.desk.answer(bundle, Channel.ONLINE)

    @property
    def takes(self) -> Desk:
        return Desk(self.signatures, ladder(), self.entropy, new_license_key=lambda: "new")

    def contact(self) -> Any:
        self.clock.set(self.clock.now() + 1)
        said = contact_online(self.ledger, self, self.takes, lambda: "")
        assert said.refused is None
        assert [one for one in said.taken if not one.accepted] == []
        return said

    def online(self, wanted: Ask | ChangePlan) -> Any:
        rest = (self.signatures, self.entropy)
        if isinstance(wanted, ChangePlan):
            request = self.look(lambda book: ask_change(wanted, book, ladder(), *rest, now=book.now()))
        else:
            request = self.look(lambda book: ask(wanted, book, *rest, now=book.now()))
        return ask_online(request, self.ledger, self, self.takes, lambda: "")

    def packs(self) -> dict[str, int]:
        return self.look(lambda book: {pack.id: pack.total for pack in book.shelf().packs})


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def desk(tmp_path: Path, clock: SetClock) -> Iterator[Clearinghouse]:
    """A clearinghouse with the keys that the houses believe."""
    store = SqliteClearinghouseStore(tmp_path / "clearinghouse.db")
    made = Clearinghouse(store, PACK, ACTIVATION, clock, CountedEntropy(), load_ladder, verify)
    made.publish_keyring("Example CALs", ROOT, 1000)
    yield made
    store.close()


@pytest.fixture
def old(desk: Clearinghouse, clock: SetClock) -> Site:
    return Site(desk, OLD, clock)


@pytest.fixture
def new(desk: Clearinghouse, clock: SetClock) -> Site:
    return Site(desk, NEW, clock)


@pytest.fixture
def bought(desk: Clearinghouse) -> Purchase:
    desk.add_organization(AddOrganization("Example Ltd"))
    return desk.add_purchase(
        AddPurchase(Program.VOLUME, "windows-server", "2016", CalType.PER_DEVICE, 9, "Example Ltd")
    )


@pytest.fixture
def pack(old: Site, bought: Purchase) -> str:
    old.contact()
    said = old.online(to_install(Program.VOLUME, bought.numbers, 5))
    assert "installed" in {one.outcome for one in said.taken}
    (name,) = old.packs()
    return name


def test_a_contact_is_not_repeated_when_nothing_new_comes(old: Site, desk: Clearinghouse) -> None:
    old.contact()
    before, sent = desk.store.read(lambda book: len(list(book.log.events()))), old.sent
    old.contact()
    assert desk.store.read(lambda book: len(list(book.log.events()))) == before
    assert old.sent == sent + 1


def test_a_pack_moves_with_its_licenses_and_back(
    desk: Clearinghouse, old: Site, new: Site, pack: str, bought: Purchase
) -> None:
    license_ = old.full("PC1")
    assert license_["seat"]
    new.contact()
    assert new.online(to_move(OLD, SourceState.CONNECTED, MoveReason.REPLACED, (pack,), bought.proof)).refused is None
    old.contact()
    assert old.packs() == {}
    new.contact()
    assert new.packs() == {pack: 5}
    assert new.seats(pack) == {"PC1": license_["seat"]}
    assert old.online(to_move(NEW, SourceState.CONNECTED, MoveReason.REPLACED, (pack,))).refused is None
    new.contact()
    old.contact()
    assert (old.packs(), new.packs()) == ({pack: 5}, {})
    assert old.seats(pack) == {"PC1": license_["seat"]}
    assert [one.statement.generation for one in desk.overview().register] == [3]
    assert (
        desk.store.read(
            lambda book: [book.outbox.handover(x.transfer_id) for x in book.register.transfers(pending=False)]
        )
        == [None] * 2
    )
    assert desk.audit().passed


def test_a_pack_of_a_silent_source_is_taken_over_and_the_source_learns_of_it(
    desk: Clearinghouse, old: Site, new: Site, pack: str, bought: Purchase, clock: SetClock
) -> None:
    new.contact()
    new.online(to_move(OLD, SourceState.UNREACHABLE, MoveReason.NO_LONGER_WORKING, (), bought.proof))
    for _ in range(4):
        clock.pass_days(8)
        new.contact()
    assert new.packs() == {pack: 5}
    assert old.look(lambda book: book.server().blocked(book.now())), "its right has ended"
    old.contact()
    assert old.packs() == {}
    assert old.look(lambda book: book.server().blocked(book.now())) is None, "it has a new right for what it holds"


def test_a_part_is_downgraded_and_raised_again(desk: Clearinghouse, old: Site, pack: str) -> None:
    old.full("PC1")
    assert old.online(ChangePlan(PackId(pack), ChangeKind.DOWNGRADE, "2003", 2, "anna")).refused is None
    totals = old.packs()
    assert sorted(totals.values()) == [2, 3]
    part = next(name for name, total in totals.items() if total == 2)
    assert old.pack(part).version == "2003"
    assert old.online(ChangePlan(PackId(part), ChangeKind.UPGRADE, "2016", None, "anna")).refused is None
    assert old.pack(part).version == "2016"
    old.contact()
    assert desk.store.read(lambda book: list(book.outbox.waiting(OLD))) == []


def test_a_server_that_begins_anew_gets_its_packs_again(
    desk: Clearinghouse, old: Site, pack: str, clock: SetClock
) -> None:
    again = Site.__new__(Site)
    House.__init__(again, MemoryLedger(CountedEntropy(), clock), OLD, clock)
    again.desk = desk
    again.entropy = SystemEntropy()  # What it draws was never drawn before.
    clock.set(clock.now() + 1)
    said = again.online(to_recover(RecoverReason.REBUILD))
    assert said.refused is None
    assert again.packs() == {pack: 5}
    again.contact()
    assert desk.store.read(lambda book: list(book.outbox.waiting(OLD))) == []
