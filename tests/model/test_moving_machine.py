"""Can any order of freezing, moving, coming back, splitting and raising break the ledger? As ``test_ledger_machine``, and more.

What leaves comes back later, as from another license server; at the end all events are folded anew and must give the tables.
"""

from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule, run_state_machine_as_test

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.change_pack import change_pack
from calward.app.licensing.end_transfer import move_out
from calward.app.licensing.freeze_pack import FreezePack, freeze_pack, handed_over, unfreeze_pack
from calward.app.licensing.install_key_pack import InstallKeyPack
from calward.app.licensing.receive_pack import receive_pack
from calward.app.ports import Book, Holding
from calward.app.scenarios.memory_ledger import MemoryLedger
from calward.domain.cals import CalType
from calward.domain.handover import HandedLicense
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.pack_orders import PackChange, PackRef
from calward.domain.pack_requests import ChangeKind
from calward.domain.replay import Replay
from calward.domain.replay_state import Check
from calward.domain.statements import KeyPackStatement, Program
from tests.model.simple_server import FAMILIES, Pack, Paper
from tests.model.test_ledger_machine import COUNT, HOSTS, STEPS, LedgerMachine
from tests.support.builders import ladder
from tests.support.clocks import NOW
from tests.support.house import audit

ORDER = list(FAMILIES)


class MovingMachine(LedgerMachine):
    """A license server whose packs freeze, leave, come back and change."""

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere: dict[str, tuple[Pack, tuple[HandedLicense, ...]]] = {}
        """Packs that left, with the licenses that went along."""
        self.orders = 0

    def pack_of(self, data: st.DataObject) -> Pack:
        return self.model.packs[data.draw(st.sampled_from(sorted(self.model.packs)))]

    def on_shelf(self, pack: Pack) -> KeyPack:
        return self.ledger.write(lambda book: book.shelf().by_id[PackId(pack.id)])

    def holdings(self, pack: Pack) -> list[Holding]:
        return list(self.ledger.write(lambda book: book.holdings(book.shelf().by_id[PackId(pack.id)], self.model.now)))

    @precondition(lambda self: self.model.packs and self.model.activated)
    @rule(data=st.data())
    def everybody_comes(self, data: st.DataObject) -> None:
        """All devices or users work on the newest host that a pack opens, at times of their own, so that a pack has several holders."""
        pack = self.pack_of(data)
        host = next((x for x in HOSTS if (x.version, x.mode) == (host_for(pack.version, pack.type), pack.type)), None)
        for who, life in zip(("ann", "bob", "cid"), data.draw(st.permutations([52, 60, 89])), strict=True):
            self.model.now = self.clock.set(self.model.now + 3600)
            for _ in range(2 if host else 0):
                event = self.ask(host, who, life, full_only=False)
                if event["kind"] == "license":
                    self.log_on(self.model.papers[event["license"]])

    # --- packs that leave and come back ---

    @precondition(lambda self: self.model.packs)
    @rule(data=st.data(), transfer=st.sampled_from(["T1", "T2"]))
    def freeze(self, data: st.DataObject, transfer: str) -> None:
        pack = self.pack_of(data)
        done = self.act(freeze_pack, FreezePack(PackId(pack.id), transfer, "LS2", "clearinghouse"))
        other = bool(pack.transfer) and pack.transfer != transfer
        assert isinstance(done, RefusedAct if other else Done)
        pack.transfer = pack.transfer or transfer

    @precondition(lambda self: self.model.packs)
    @rule(data=st.data(), transfer=st.sampled_from(["T1", "T2"]))
    def cancel(self, data: st.DataObject, transfer: str) -> None:
        pack = self.pack_of(data)
        done = self.act(unfreeze_pack, PackId(pack.id), transfer, by="clearinghouse")
        assert bool(done.event) is (pack.transfer == transfer)
        if done.event:
            pack.transfer = ""

    @precondition(lambda self: len(self.model.packs) > 1)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        """Frozen before or not: a source that could not be asked hears of it afterwards."""
        pack, now = self.pack_of(data), self.model.now

        def act(book: Book) -> tuple[tuple[HandedLicense, ...], Done]:
            here = book.shelf().by_id[PackId(pack.id)]
            return handed_over(here, book, now=now), move_out(here, "T9", book, now=now, by="clearinghouse")

        licenses, done = self.ledger.write(act)
        running = [paper for paper in self.running() if paper.pack == pack.id]
        assert done.facts["licenses"] == len(licenses) == len(running)
        for paper in running:
            paper.ended = now
        self.elsewhere[pack.id] = (self.model.packs.pop(pack.id), licenses)

    @precondition(lambda self: self.elsewhere)
    @rule(data=st.data(), newer=st.sampled_from([1, 1, 1, 0]))
    def come_home(self, data: st.DataObject, newer: int) -> None:
        name = data.draw(st.sampled_from(sorted(self.elsewhere)))
        pack, licenses = self.elsewhere[name]
        generation = pack.generation + newer
        command = InstallKeyPack(
            PackId(name), pack.version, CalType(pack.type), pack.total, pack.expires, "clearinghouse",
            generation=generation, bought_as=pack.bought,
        )  # fmt: skip
        done = self.ledger.write(lambda book: receive_pack(command, licenses, book, ladder(), now=self.model.now))
        if not newer or pack.expires <= self.model.now:
            assert isinstance(done, RefusedAct)
            return
        del self.elsewhere[name]
        self.packs_installed += 1
        pack.generation, pack.order, pack.transfer = generation, self.packs_installed, ""
        self.model.packs[name] = pack
        self.adopt(pack, licenses, done)

    def adopt(self, pack: Pack, licenses: tuple[HandedLicense, ...], done: Done) -> None:
        """The model's own word on who goes on here; the numbers of the new licenses are the ledger's."""
        numbers = {one.key: one.license for one in self.holdings(pack)}
        for one in licenses:
            who = f"{one.kind.value} {one.key}"
            mine = [p for p in self.running() if (p.who, p.type) == (who, pack.type)]
            has_own = any(p.status == "active" and FAMILIES[p.version] >= FAMILIES[pack.version] for p in mine)
            if one.expires_at <= self.model.now or has_own:
                assert one.key not in numbers
                continue
            for paper in mine:
                if FAMILIES[paper.version] <= FAMILIES[pack.version]:
                    paper.ended = self.model.now
            host = host_for(pack.version, pack.type)
            number = numbers.pop(one.key)
            end = min(one.expires_at, pack.expires)
            self.model.papers[number] = Paper(number, who, pack.type, "active", pack.version, end, pack.id, host=host)
            if one.proven_at is not None:
                self.model.proven.setdefault(who, one.proven_at)
        assert not numbers
        self.last_event = max(self.last_event, *self.model.papers, done.event)

    # --- packs that become others ---

    @precondition(lambda self: self.model.packs)
    @rule(data=st.data(), version=st.sampled_from(ORDER), share=st.sampled_from([1.0, 0.5, 0.9, 0.9]))
    def change(self, data: st.DataObject, version: str, share: float) -> None:
        """Mostly of the pack of which most CALs are held: there licenses have to go along."""
        in_use = sorted(self.model.packs.values(), key=lambda x: (-self.model.held(x.id), x.order))
        pack = data.draw(st.sampled_from([in_use[0], *in_use]))
        count = max(1, round(pack.total * share))
        if ORDER.index(version) > ORDER.index(pack.bought):
            version = pack.bought
        self.orders += 1
        whole = count == pack.total
        itself = self.statement(
            pack.id, pack.generation + 1, version if whole else pack.version, pack, pack.total - count or count
        )
        part = self.statement(f"{pack.id}.{self.orders}", 1, version, pack, count)
        order = PackChange(f"O{self.orders}", "LS1", ChangeKind.DOWNGRADE, PackRef(pack.id, pack.generation),
                           (itself,) if whole else (itself, part), datetime.fromtimestamp(NOW, UTC))  # fmt: skip
        held = self.holdings(pack)
        done = self.ledger.write(
            lambda book: change_pack(order, book, ladder(), now=self.model.now, by="clearinghouse")
        )
        if pack.transfer or pack.expires <= self.model.now:
            assert isinstance(done, RefusedAct)
            return
        assert done.facts["licenses"] == len(held)
        pack.generation += 1
        if whole:
            self.become(pack, version, [one.license for one in held])
        else:
            self.split(pack, part, held)
        again = self.ledger.write(
            lambda book: change_pack(order, book, ladder(), now=self.model.now, by="clearinghouse")
        )
        assert again.event == 0

    def split(self, pack: Pack, part: KeyPackStatement, held: list[Holding]) -> None:
        free = pack.total - len(held)
        going = sorted(held, key=lambda one: (one.expires_at, one.seat))[: max(0, part.total - free)]
        self.packs_installed += 1
        pack.total -= part.total
        new = Pack(
            part.pack_id, part.version, pack.type, part.total, pack.expires, self.packs_installed, bought=pack.bought
        )
        self.model.packs[new.id] = new
        for one in going:
            self.model.papers[one.license].pack = new.id
        self.become(new, part.version, [one.license for one in going])

    def become(self, pack: Pack, version: str, licenses: list[int]) -> None:
        pack.version = version
        for number in licenses:
            paper = self.model.papers[number]
            paper.version = version
            if not paper.host or FAMILIES[paper.host] > FAMILIES[version]:
                paper.host = host_for(version, pack.type)

    def statement(self, name: str, generation: int, version: str, pack: Pack, total: int) -> KeyPackStatement:
        end = datetime.fromtimestamp(pack.expires, UTC)
        return KeyPackStatement(
            name, generation, "LS1", "windows-server", version, CalType(pack.type), total, Program.VOLUME,
            datetime.fromtimestamp(NOW, UTC), end, pack.bought,
        )  # fmt: skip

    # --- at the end ---

    def teardown(self) -> None:
        if isinstance(self.ledger, MemoryLedger):
            self.refold(self.ledger)
        else:  # The machine makes its server without an event.
            assert [x for x in audit(self.ledger, self.clock) if x.what is not Check.SERVER] == []
        super().teardown()

    def refold(self, ledger: MemoryLedger) -> None:
        replay = Replay(ladder().family_of)
        for event in ledger.events():
            replay.apply(event)
        assert not replay.findings
        there = {
            x.id: (x.version, x.seat and x.seat.pack, x.seat and x.seat.n, x.expires_at, x.ended_at, x.ending)
            for x in ledger.licenses()
        }
        assert there == {
            n: (x.version, x.pack, x.seat, x.expires_at, x.ended_at, x.ending) for n, x in replay.licenses.items()
        }
        here = [
            (x.id, x.version, x.total, x.generation, x.bought_as, x.transfer)
            for x in ledger.write(lambda book: book.shelf().packs)
        ]
        folded = [x for x in replay.packs.values() if x.removed_at is None]
        assert sorted(here) == sorted((x.id, x.version, x.total, x.generation, x.bought_as, x.transfer) for x in folded)


def host_for(version: str, type_: str) -> str:
    """The newest of our hosts that a CAL opens; empty: none."""
    fitting = [x for x in HOSTS if x.mode == type_ and FAMILIES[x.version] <= FAMILIES[version]]
    return max(fitting, key=lambda x: FAMILIES[x.version]).version if fitting else ""


class SqliteMovingMachine(MovingMachine):
    """The same on SQLite, where the audit says whether the tables are what the events say."""

    maker = "sqlite"


TestInMemory = MovingMachine.TestCase
TestInMemory.settings = settings(max_examples=2 * COUNT, stateful_step_count=STEPS)
TestOnSqlite = pytest.mark.slow(pytest.mark.timeout(0)(SqliteMovingMachine.TestCase))
TestOnSqlite.settings = settings(max_examples=max(1, COUNT // 2), stateful_step_count=STEPS)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.postgresql
@pytest.mark.xdist_group("postgresql")
def test_on_postgresql(postgresql_server):
    class PostgresqlMachine(MovingMachine):
        maker = "postgresql"
        gapless = False

        def place(self) -> str:
            return postgresql_server.url(postgresql_server.new_database())

    run_state_machine_as_test(
        PostgresqlMachine, settings=settings(max_examples=max(1, COUNT // 20), stateful_step_count=STEPS)
    )
