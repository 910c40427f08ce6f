"""Whatever is asked in whatever order: no pack has two usable holders, and no CAL comes or goes.

Two license servers and one clearinghouse; messages may wait as long as they like and come twice.
"""

from datetime import datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from calward.domain.acceptance import NotAccepted
from calward.domain.pack_orders import PackRef, TransferEnd, TransferOrder, TransferOutcome
from calward.domain.pack_requests import ChangeKind, ChangeRequest, MoveReason, Release, RequestHead, SourceState
from calward.domain.register import (
    PackRecord,
    Post,
    Step,
    Transfer,
    cancel_move,
    claim_pack,
    complete_move,
    hold_new,
    latest_right,
    move_pack,
    press_move,
    recover_pack,
    takes_effect_at,
)
from calward.domain.register_changes import ChangeTerms, change_pack
from calward.domain.statements import KeyPackStatement
from tests.support.ladders import windows_server
from tests.support.signed import DAY, NOW, a_pack

pytestmark = pytest.mark.slow  # Walks through thousands of steps.
SERVERS = ["0a" * 16, "0b" * 16]
RIGHT = 5 * DAY
LADDER = windows_server()
SHARES = st.sampled_from([0, 50, 100, 100])
"""Percent of what waits that arrives."""


class Holder:
    """A license server as strict as it has to be: highest generation wins, frozen packs issue nothing."""

    def __init__(self, server_id: str) -> None:
        self.server_id = server_id
        self.issue_until: datetime = NOW + RIGHT
        self.packs: dict[str, KeyPackStatement] = {}
        self.frozen: dict[str, str] = {}
        self.seen: dict[str, int] = {}
        self.ended: set[str] = set()
        self.releases: list[Release] = []
        self.unheard_claims = 0

    def usable(self, now: datetime) -> list[KeyPackStatement]:
        return [one for one in self.packs.values() if one.pack_id not in self.frozen and now < self.issue_until]

    def install(self, pack: KeyPackStatement) -> None:
        if pack.generation > self.seen.get(pack.pack_id, 0):
            self.seen[pack.pack_id] = pack.generation
            self.packs[pack.pack_id] = pack
            self.frozen.pop(pack.pack_id, None)

    def take(self, post: Post, head: RequestHead) -> None:
        said = post.statement
        if isinstance(said, KeyPackStatement):
            self.install(said)
        elif isinstance(said, TransferOrder):
            self._freeze(said, head)
        elif isinstance(said, TransferEnd):
            self._end(said)
        elif said.pack == self._ref(said.pack.pack_id):
            for one in said.packs:
                self.install(one)

    def _ref(self, pack_id: str) -> PackRef | None:
        held = self.packs.get(pack_id)
        return None if held is None else PackRef(pack_id, held.generation)

    def _freeze(self, order: TransferOrder, head: RequestHead) -> None:
        if order.order_id not in self.ended and order.pack == self._ref(order.pack.pack_id):
            self.frozen[order.pack.pack_id] = order.order_id
            pack = order.pack
            self.releases.append(Release(head, order.order_id, pack.pack_id, pack.generation, b"\x07" * 32, 0))

    def _end(self, end: TransferEnd) -> None:
        self.ended.add(end.transfer_id)
        pack_id = end.pack.pack_id
        self.seen[pack_id] = max(self.seen.get(pack_id, 0), end.pack.generation)
        if (
            end.server_id == self.server_id
            and end.outcome is TransferOutcome.COMPLETED
            and end.pack == self._ref(pack_id)
        ):
            del self.packs[pack_id]
            self.frozen.pop(pack_id, None)
        elif self.frozen.get(pack_id) == end.transfer_id:
            del self.frozen[pack_id]


class RegisterMachine(RuleBasedStateMachine):
    """What the register sends waits in outboxes and is delivered whenever the machine likes, also twice."""

    def __init__(self) -> None:
        super().__init__()
        self.now, self.ids = NOW, 0
        self.servers = {one: Holder(one) for one in SERVERS}
        self.register: dict[str, PackRecord] = {}
        self.transfers: dict[str, Transfer] = {}
        self.outbox: dict[str, list[Post]] = {one: [] for one in SERVERS}
        for n, server_id in enumerate(SERVERS):
            statement = a_pack(pack_id=f"{n:032x}", server_id=server_id, version="2012", bought_as="2012", total=10)
            self.store(hold_new(statement, "b1" * 16))

    def new_id(self) -> str:
        self.ids += 1
        return f"{self.ids:032x}"

    def store(self, step: Step | NotAccepted) -> None:
        if isinstance(step, NotAccepted):
            return
        for one in step.transfers:
            self.transfers[one.transfer_id] = one
        for one in step.packs:
            before = self.register.get(one.statement.pack_id)
            if before is not None and one.statement != before.statement:
                assert one.statement.generation > before.statement.generation
            self.register[one.statement.pack_id] = one
        for post in step.posts:
            self.outbox[post.server_id].append(post)

    def head(self, server_id: str) -> RequestHead:
        return RequestHead(server_id, "2022", self.new_id(), self.now)

    def claim_due(self) -> None:
        for record in list(self.register.values()):
            if record.transfer is not None and record.transfer.due(self.now):
                self.store(claim_pack(record, end_id=self.new_id(), now=self.now))

    @rule(pack=st.integers(0, 1), to=st.sampled_from(SERVERS), dead=st.booleans())
    def order(self, pack: int, to: str, dead: bool) -> None:
        self.claim_due()
        record = self.register[f"{pack:032x}"]
        source = self.servers[record.statement.server_id]
        if source.server_id == to:
            return
        effective_at = takes_effect_at(source.issue_until, self.now) if dead else None
        state = SourceState.DEAD if dead else SourceState.CONNECTED
        if record.transfer is not None:
            self.store(press_move(record, to, state, effective_at))
            return
        transfer = Transfer(
            self.new_id(),
            record.ref,
            source.server_id,
            to,
            to,
            state,
            MoveReason.REPLACED,
            self.now,
            effective_at,
        )
        self.store(move_pack(record, transfer))

    @rule(pack=st.integers(0, 1))
    def cancel(self, pack: int) -> None:
        self.claim_due()
        self.store(
            cancel_move(self.register[f"{pack:032x}"], end_id=self.new_id(), now=self.now, tell_target=self.new_id())
        )

    @rule(pack=st.integers(0, 1), count=st.none() | st.integers(1, 4), up=st.booleans())
    def change(self, pack: int, count: int | None, up: bool) -> None:
        record = self.register[f"{pack:032x}"]
        kind, to = (ChangeKind.UPGRADE, "2012") if up else (ChangeKind.DOWNGRADE, "2003")
        request = ChangeRequest(
            self.head(record.statement.server_id), record.ref.pack_id, record.ref.generation, kind, to, count
        )
        terms = ChangeTerms(LADDER, convertible=False, order_id=self.new_id(), part_id=self.new_id())
        self.store(change_pack(record, request, terms, now=self.now))

    @rule(server=st.sampled_from(SERVERS), share=SHARES)
    def contact(self, server: str, share: int) -> None:
        """Some of what waits is delivered in order; what was lost waits on. A right is given as far as the register allows."""
        self.claim_due()
        holder = self.servers[server]
        waiting = self.outbox[server]
        delivered = waiting[: len(waiting) * share // 100]
        for post in delivered:
            holder.take(post, self.head(server))
        self.outbox[server] = waiting[len(delivered) :]
        claimed = [
            one.statement
            for one in self.outbox[server]
            if isinstance(one.statement, TransferEnd) and self.transfers[one.statement.transfer_id].claimed
        ]
        if not claimed:
            end = latest_right(tuple(one for one in self.transfers.values() if one.source_id == server))
            until = self.now + RIGHT if end is None else min(self.now + RIGHT, end)
            holder.issue_until = max(holder.issue_until, until)

    @rule(server=st.sampled_from(SERVERS), data=st.data())
    def old_message_again(self, server: str, data: st.DataObject) -> None:
        """Something that waits comes early, without being reported; it will come again."""
        if self.outbox[server]:
            self.servers[server].take(self.outbox[server][0], self.head(server))

    @rule(server=st.sampled_from(SERVERS), data=st.data())
    def release(self, server: str, data: st.DataObject) -> None:
        """Any release that was ever made comes in, in time, late, or again."""
        self.claim_due()
        if self.servers[server].releases:
            said = data.draw(st.sampled_from(self.servers[server].releases))
            self.store(complete_move(self.register[said.pack_id], said, end_id=self.new_id(), now=self.now))

    @rule(pack=st.integers(0, 1))
    def recover(self, pack: int) -> None:
        """The holder's ledger is lost: it begins anew with what the register gives it."""
        self.claim_due()
        server = self.register[f"{pack:032x}"].statement.server_id
        holder = Holder(server)
        holder.issue_until = self.servers[server].issue_until
        holder.releases = self.servers[server].releases
        self.servers[server] = holder
        self.outbox[server] = []
        for record in [one for one in self.register.values() if one.statement.server_id == server]:
            self.store(recover_pack(record, end_id=self.new_id(), tell_target=self.new_id(), now=self.now))

    @rule(hours=st.sampled_from([1, 24, 48, 100, 150]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule(pack=st.integers(0, 1), hours=st.lists(st.sampled_from([24, 48, 100]), min_size=1, max_size=4), share=SHARES)
    def its_source_is_cut_off(self, pack: int, hours: list[int], share: int) -> None:
        """A pack is moved away from a source that hears little of it and goes on asking for its right."""
        source = self.register[f"{pack:032x}"].statement.server_id
        target = next(one for one in SERVERS if one != source)
        self.order(pack, target, dead=True)
        for some in hours:
            self.time_passes(some)
            self.contact(source, share)
            self.contact(target, 100)
            self.no_pack_is_usable_at_two_servers()

    @invariant()
    def no_pack_is_usable_at_two_servers(self) -> None:
        usable = [one.pack_id for holder in self.servers.values() for one in holder.usable(self.now)]
        assert len(usable) == len(set(usable))

    @invariant()
    def no_more_is_usable_than_was_bought(self) -> None:
        assert sum(one.total for holder in self.servers.values() for one in holder.usable(self.now)) <= 20

    @invariant()
    def no_cal_comes_or_goes(self) -> None:
        assert sum(one.statement.total for one in self.register.values()) == 20

    @invariant()
    def a_moving_pack_is_still_its_sources(self) -> None:
        for record in self.register.values():
            if record.transfer is not None:
                assert record.transfer.source_id == record.statement.server_id
                assert record.transfer.pack == record.ref


RegisterMachine.TestCase.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
TestRegister = RegisterMachine.TestCase
