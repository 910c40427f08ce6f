"""Whatever license servers ask in whatever order, again and late: answers or refusals, never an error, and the ledger stays right."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from calward.adapters.clearinghouse import SqliteClearinghouseStore
from calward.adapters.ladders import load_ladder
from calward.adapters.signing import verify
from calward.app.clearinghouse.add_organization import AddOrganization
from calward.app.clearinghouse.add_purchase import AddPurchase
from calward.app.clearinghouse.desk import Clearinghouse
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.bundle import join
from calward.domain.cals import CalType
from calward.domain.pack_orders import PackRef, TransferOrder
from calward.domain.pack_requests import ChangeKind, SourceState
from calward.domain.statements import ActivationReason, Channel, Program
from tests.support.asking_server import AskingServer
from tests.support.clocks import CountedEntropy, SetClock
from tests.support.signed import ACTIVATION, PACK, ROOT

pytestmark = pytest.mark.slow  # Walks through thousands of steps.
NAMES = ("a", "b", "c")
SERVERS = st.sampled_from(NAMES)
BOUGHT = 40


class ClearinghouseMachine(RuleBasedStateMachine):
    """Every bundle that was ever sent may be sent again; its answer must be the one of then."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = SetClock()
        self.store = store = SqliteClearinghouseStore(Path(":memory:"))
        self.desk = Clearinghouse(store, PACK, ACTIVATION, self.clock, CountedEntropy(), load_ladder, verify)
        self.desk.publish_keyring("Example CALs", ROOT, 10_000)
        self.desk.add_organization(AddOrganization("Example Ltd"))
        sale = AddPurchase(
            Program.VOLUME, "windows-server", "2016", CalType.PER_DEVICE, BOUGHT, "Example Ltd", convertible=True
        )
        self.numbers = self.desk.add_purchase(sale).numbers
        self.servers = {name: AskingServer(self.desk, ROOT.public_key, name) for name in NAMES}
        self.answers: list[tuple[bytes, bytes]] = []
        self.orders: list[tuple[str, TransferOrder]] = []
        self.heard: dict[str, list[str]] = {name: [] for name in NAMES}
        for server in self.servers.values():
            server.activate()

    def packs(self, name: str | None = None) -> list[PackRef]:
        wanted = None if name is None else self.servers[name].server_id
        return [one.ref for one in self.desk.overview().register if wanted in {None, one.statement.server_id}]

    def send(self, name: str, *statements: Any, channel: Channel = Channel.ONLINE) -> None:
        server = self.servers[name]
        bundle = join(one if isinstance(one, bytes) else server.seal(one) for one in statements)
        answer = self.desk.answer(bundle, channel)
        if isinstance(answer, NotAccepted):
            assert answer.reason is not AcceptanceRefusal.KEY_NOT_TRUSTED
            return
        self.answers.append((bundle, answer))
        for one in server.open(answer):
            self.heard[name] += [one.order_id] if hasattr(one, "order_id") else []
            if isinstance(one, TransferOrder):
                self.orders.append((name, one))

    @rule(name=SERVERS, quantity=st.sampled_from([None, 1, 7]), preview=st.booleans())
    def install(self, name: str, quantity: int | None, preview: bool) -> None:
        request = self.servers[name].install(Program.VOLUME, *self.numbers, quantity=quantity, preview=preview)
        self.send(name, request)

    @rule(name=SERVERS, source=SERVERS, state=st.sampled_from(SourceState), one=st.booleans(), data=st.data())
    def move(self, name: str, source: str, state: SourceState, one: bool, data: st.DataObject) -> None:
        there = self.packs(source)
        named = [data.draw(st.sampled_from(there)).pack_id] if one and there else []
        self.send(name, self.servers[name].move(self.servers[source], *named, state=state, proof=self.numbers[0]))

    @rule(name=SERVERS, data=st.data(), kind=st.sampled_from(ChangeKind), count=st.sampled_from([None, 1, 3]))
    def change(self, name: str, data: st.DataObject, kind: ChangeKind, count: int | None) -> None:
        packs = self.packs()
        if packs:
            to = data.draw(st.sampled_from(["2003", "2012", "2016", "2022", "per-user", "per-device"]))
            self.send(name, self.servers[name].change(data.draw(st.sampled_from(packs)), kind, to, count))

    @rule(name=SERVERS, share=st.sampled_from([0, 50, 100]), channel=st.sampled_from(Channel))
    def contact(self, name: str, share: int, channel: Channel) -> None:
        done = self.heard[name][: len(self.heard[name]) * share // 100][-50:]
        packs = self.packs(name)[:50] if share else []
        self.send(name, self.servers[name].contact(*packs, done=dict.fromkeys(done)), channel=channel)

    @rule(name=SERVERS, size=st.integers(0, 5))
    def contact_with_a_ledger(self, name: str, size: int) -> None:
        server = self.servers[name]
        self.send(name, server.contact(checkpoint=server.checkpoint(size)))

    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        if self.orders:
            name, order = data.draw(st.sampled_from(self.orders))
            self.send(name, *self.servers[name].release(order))

    @rule(name=SERVERS, data=st.data())
    def cancel(self, name: str, data: st.DataObject) -> None:
        if self.orders:
            self.send(name, self.servers[name].cancel(data.draw(st.sampled_from(self.orders))[1].order_id))

    @rule(data=st.data())
    def an_operator_cancels(self, data: st.DataObject) -> None:
        if self.orders:
            self.desk.cancel_transfer(data.draw(st.sampled_from(self.orders))[1].order_id, "shop")

    @rule(name=SERVERS)
    def recover(self, name: str) -> None:
        self.send(name, self.servers[name].recover())

    @rule(name=SERVERS)
    def deactivate(self, name: str) -> None:
        self.send(name, self.servers[name].deactivation())

    @rule(name=SERVERS, channel=st.sampled_from(Channel))
    def activate(self, name: str, channel: Channel) -> None:
        self.send(name, self.servers[name].activation_request(ActivationReason.REDEPLOYED), channel=channel)

    @rule(data=st.data())
    def something_comes_again(self, data: st.DataObject) -> None:
        if self.answers:
            bundle, answer = data.draw(st.sampled_from(self.answers))
            again = self.desk.answer(bundle, Channel.ONLINE)
            if b"handover" not in answer and b"activation-request" not in bundle:
                assert again == answer

    @rule(hours=st.sampled_from([1, 24, 240, 800]))
    def time_passes(self, hours: int) -> None:
        self.clock.set(self.clock.now() + hours * 3600)

    @invariant()
    def no_more_than_was_bought(self) -> None:
        found = self.desk.overview()
        assert sum(one.total for one in found.packs) == found.purchases[0][1] <= BOUGHT

    @invariant()
    def nothing_is_left_unsigned(self) -> None:
        assert not self.desk.overview().unfinished

    def teardown(self) -> None:
        audit = self.desk.audit([self.desk.checkpoint()])
        self.store.close()
        assert audit.passed, audit.findings


ClearinghouseMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestAnyOrder = ClearinghouseMachine.TestCase
