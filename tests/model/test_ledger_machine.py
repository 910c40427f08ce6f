"""Can any order of actions break the ledger? Every answer is compared with a small model, every step with the invariants."""

import tempfile
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.change_server import activate_server, change_settings, deactivate_server
from calward.app.licensing.confirm_license import ConfirmLicense, confirm_license
from calward.app.licensing.free_license import FreeLicense, release_license, revoke_license
from calward.app.licensing.install_key_pack import InstallKeyPack, RemoveKeyPack, install_key_pack, remove_key_pack
from calward.app.licensing.issue_license import IssueLicense
from calward.app.licensing.requests import Confirmation, Request
from calward.app.licensing.sweep import sweep
from calward.app.ports import Book
from calward.domain.cals import CalType, HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import encode_event
from calward.domain.key_packs import PackId
from tests.model.simple_server import DAY, FAMILIES, NEVER, Given, Pack, Paper, SimpleServer
from tests.support.builders import a_host, a_question, a_server, ladder
from tests.support.clocks import NOW, CountedEntropy, SetClock
from tests.support.ledgers import LEDGERS

VERSIONS = st.sampled_from(list(FAMILIES))
HOSTS = [a_host(version, mode, number=n) for n, (version, mode) in enumerate(
    [("2000", CalType.PER_DEVICE), ("2003", CalType.PER_DEVICE), ("2008R2", CalType.PER_DEVICE), ("2016", CalType.PER_DEVICE),
     ("2003", CalType.PER_USER), ("2008", CalType.PER_USER), ("2016", CalType.PER_USER)], start=1)]  # fmt: skip
WHO = st.sampled_from(["ann", "bob", "cid"])
LIVES = st.sampled_from([52, 60, 89])
TYPES, TOTALS, DAYS = (
    st.sampled_from(CalType),
    st.sampled_from([1, 1, 2, 10]),
    st.sampled_from([None, None, 20, 58, 120]),
)
PACKS = st.tuples(VERSIONS, TYPES, TOTALS, DAYS)
HOURS = [1, 23, 24, 24 * 7, 24 * 10, 24 * 45, 24 * 50, 24 * 55, 24 * 83, 24 * 90]
NEAR = [7 * DAY + 1, 7 * DAY, 3 * DAY, 1, 0, -1]
MOSTLY, SELDOM = st.sampled_from([True, True, True, False]), st.sampled_from([False, False, False, True])


class LedgerMachine(RuleBasedStateMachine):
    """One license server with few packs, three devices and three users; subclasses say on which ledger."""

    maker = "memory"
    gapless = True
    """Whether events are numbered without gaps."""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.clock = SetClock()
        self.ledger = self.stack.enter_context(LEDGERS[self.maker](self.place(), self.clock))
        self.model = SimpleServer(NOW)
        self.asked: dict[str, tuple[IssueLicense, int, str]] = {}
        """Questions whose answers are remembered: question, time, the event's text."""
        self.last_event = 0
        self.packs_installed = self.questions = 0

    def place(self) -> str:
        return self.stack.enter_context(tempfile.TemporaryDirectory(prefix="calward-model-"))

    def teardown(self) -> None:
        self.stack.close()

    def act(self, do: Any, *args: Any, **options: Any) -> Any:
        return self.ledger.write(lambda book: do(*args, book, now=self.model.now, **options))

    @initialize(packs=st.lists(PACKS, min_size=2, max_size=4))
    def make(self, packs: list[tuple[str, CalType, int, int | None]]) -> None:
        self.ledger.write(lambda book: book.set_server(a_server("2016")))
        for pack in packs:
            self.add(*pack)

    # --- what administrators do ---

    @precondition(lambda self: len(self.model.packs) < 5)
    @rule(pack=PACKS)
    def install(self, pack: tuple[str, CalType, int, int | None]) -> None:
        self.add(*pack)

    def add(self, version: str, type_: CalType, total: int, days: int | None) -> None:
        self.packs_installed += 1
        order = self.packs_installed
        pack = PackId(f"P{order}")
        expires = NEVER if days is None else self.model.now + days * DAY
        command = InstallKeyPack(pack, version, type_, total, expires, by="root")
        assert isinstance(self.act(install_key_pack_here, command), Done)
        self.model.packs[pack] = Pack(pack, version, type_.value, total, expires, order, bought=version)

    @precondition(lambda self: self.model.packs)
    @rule(data=st.data())
    def install_again(self, data: st.DataObject) -> None:
        pack = data.draw(st.sampled_from(sorted(self.model.packs)))
        command = InstallKeyPack(PackId(pack), "2003", CalType.PER_USER, 100, NEVER, by="root")
        assert isinstance(self.act(install_key_pack_here, command), RefusedAct)

    @precondition(lambda self: self.model.packs)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        pack = data.draw(st.sampled_from(sorted(self.model.packs)))
        done = self.act(remove_key_pack, RemoveKeyPack(PackId(pack), by="root"))
        assert isinstance(done, RefusedAct if self.model.held(pack) or self.model.packs[pack].transfer else Done)
        if isinstance(done, Done):
            del self.model.packs[pack]

    @rule(active=MOSTLY)
    def activate(self, active: bool) -> None:
        self.act(activate_server, NEVER, by="root") if active else self.act(deactivate_server, by="root")
        self.model.activated = active

    @rule(prevent=SELDOM, enforce=SELDOM)
    def change_policies(self, prevent: bool, enforce: bool) -> None:
        per_user = "enforce" if enforce else "track"
        self.act(change_settings, {"prevent_license_upgrade": prevent, "per_user": per_user}, by="root")
        self.model.prevent, self.model.enforce = prevent, enforce

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        paper = data.draw(st.sampled_from(self.running()))
        may = (paper.type, paper.status) == ("per-device", "active") and self.model.revocable(paper.version) > 0
        may = may and not self.model.moving(paper)
        done = self.act(revoke_license, FreeLicense(paper.id, "root"))
        assert isinstance(done, Done if may else RefusedAct)
        if may:
            paper.ended, paper.revoked = self.model.now, True
            assert done.facts["remaining"] == self.model.revocable(paper.version)

    @precondition(lambda self: self.running())
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        paper = data.draw(st.sampled_from(self.running()))
        done = self.act(release_license, FreeLicense(paper.id, "root"))
        may = paper.type == "per-user" and not self.model.moving(paper)
        assert isinstance(done, Done if may else RefusedAct)
        if may:
            paper.ended = self.model.now

    # --- what time does ---

    @rule(hours=st.sampled_from(HOURS))
    def pass_time(self, hours: int) -> None:
        self.model.now = self.clock.set(self.model.now + hours * 3600)

    @precondition(lambda self: self.running())
    @rule(data=st.data(), before=st.sampled_from(NEAR))
    def come_near_an_end(self, data: st.DataObject, before: int) -> None:
        paper = data.draw(st.sampled_from(self.running()))
        self.model.now = self.clock.set(max(self.model.now, paper.expires - before))

    @rule()
    def sweep(self) -> None:
        overdue = [p for p in self.model.papers.values() if p.ended is None and p.expires <= self.model.now]
        assert self.act(sweep_all) <= len(overdue)
        self.asked = {key: kept for key, kept in self.asked.items() if kept[1] > self.model.now - DAY}
        for paper in overdue:
            assert self.stored(paper.id).ended_at == paper.expires

    # --- what hosts do ---

    @rule(visits=st.lists(st.tuples(st.sampled_from(HOSTS), WHO, LIVES, MOSTLY), min_size=1, max_size=8))
    def work(self, visits: list[tuple[Any, str, int, bool]]) -> None:
        """A row of connections; after most of them the user logs on."""
        for host, who, life, logon in visits:
            event = self.ask(host, who, life, full_only=False)
            if logon and event["kind"] == "license":
                self.log_on(self.model.papers[event["license"]])

    @precondition(lambda self: self.running())
    @rule(data=st.data(), before=st.sampled_from([60 * DAY, *NEAR]), life=LIVES)
    def come_back(self, data: st.DataObject, before: int, life: int) -> None:
        """A holder connects again to the host for which it got its license, mostly near its end."""
        paper = data.draw(st.sampled_from(self.running()))
        self.model.now = self.clock.set(max(self.model.now, paper.expires - before))
        host = next((x for x in HOSTS if (x.version, x.mode) == (paper.host, paper.type)), HOSTS[0])
        self.ask(host, paper.who.split()[1], life, full_only=False)

    @rule(host=st.sampled_from(HOSTS), who=WHO, life=LIVES)
    def ask_for_a_full_license_only(self, host: Any, who: str, life: int) -> None:
        self.ask(host, who, life, full_only=True)

    def ask(self, host: Any, who: str, life: int, *, full_only: bool) -> Any:
        question = self.question(host, who, full_only=full_only)
        event = self.request(question, life)
        self.compare(question, life, event)
        return event

    def question(self, host: Any, who: str, *, full_only: bool = False) -> IssueLicense:
        self.questions += 1
        return a_question(host, who, f"r{self.questions}", full_only=full_only)

    @rule(visits=st.lists(st.tuples(st.sampled_from(HOSTS), WHO, LIVES, MOSTLY, SELDOM), min_size=2, max_size=10))
    def work_at_the_same_time(self, visits: list[tuple[Any, str, int, bool, bool]]) -> None:
        """Requests and confirmations in one commit; some requests come twice."""
        acts: list[Any] = []
        running = self.running()
        for number, (host, who, life, asks, twice) in enumerate(visits):
            if asks or not running:
                request = Request(self.question(host, who), CountedEntropy(life))
                acts += [request] * (1 + twice)
            else:
                acts.append(Confirmation(ConfirmLicense(HOSTS[0], running[number % len(running)].id)))
        for act, result in zip(acts, self.ledger.write_all(acts), strict=True):
            if isinstance(act, Request):
                self.compare(act.command, act.entropy.days, result)
            else:
                self.confirmed(self.model.papers[act.command.license], result)

    @precondition(lambda self: self.recent())
    @rule(data=st.data(), life=LIVES)
    def ask_once_more_with_the_same_id(self, data: st.DataObject, life: int) -> None:
        question, _, text = self.asked[data.draw(st.sampled_from(self.recent()))]
        assert encode_event(self.request(question, life)) == text

    @precondition(lambda self: self.recent())
    @rule(data=st.data())
    def ask_something_else_with_the_same_id(self, data: st.DataObject) -> None:
        question, _, _ = self.asked[data.draw(st.sampled_from(self.recent()))]
        with pytest.raises(LicensingError) as caught:
            self.request(a_question(question.host, "somebody else", question.request_id), 60)
        assert caught.value.problem is Problem.CONFLICT

    @precondition(lambda self: self.model.papers)
    @rule(data=st.data())
    def confirm(self, data: st.DataObject) -> None:
        self.log_on(data.draw(st.sampled_from(list(self.model.papers.values()))))

    def log_on(self, paper: Paper) -> None:
        self.confirmed(paper, self.act(confirm_license, ConfirmLicense(HOSTS[0], paper.id)))

    def confirmed(self, paper: Paper, done: Done | RefusedAct) -> None:
        assert isinstance(done, Done if paper.runs(self.model.now) else RefusedAct)
        if isinstance(done, Done) and paper.type == "per-device":
            self.model.proven.setdefault(paper.who, self.model.now)

    # --- how an answer is compared ---

    def request(self, question: IssueLicense, life: int) -> Any:
        return self.ledger.write(Request(question, CountedEntropy(life)))

    def compare(self, question: IssueLicense, life: int, event: Any) -> None:
        """Hold an answer against the model, which then takes it over."""
        if question.request_id in self.asked:
            assert encode_event(event) == self.asked[question.request_id][2]
            return
        host = question.host
        type_, who = host.mode.value, f"{question.kind.value} {question.key}"
        expected = self.model.next_answer(host.version, type_, who)
        if question.full_only and expected.status != "active":
            assert (event["kind"], event["id"]) == ("refusal", 0)
            return
        self.check(event, expected, self.model.ends_with(expected, type_, who))
        self.take(
            event, expected, Paper(event.get("license", 0), who, type_, expected.status, "", 0, host=host.version), life
        )
        if event["kind"] == "refusal" or event["id"] > self.last_event:
            self.asked[question.request_id] = (question, self.model.now, encode_event(event))
        self.last_event = max(self.last_event, event["id"])

    def check(self, event: Any, expected: Given, ends: list[Paper]) -> None:
        if expected.status == "refused":
            assert event["kind"] == "refusal"
            return
        assert (event["status"], event["version"], event.get("pack")) == (
            expected.status,
            expected.version,
            expected.pack,
        )
        assert event["license"] == (expected.number or event["id"])
        upgraded = [number for number, how in event.get("ends", ()) if how == "upgraded"]
        assert sorted(upgraded) == sorted(paper.id for paper in ends)
        for paper in ends:
            paper.ended = self.model.now

    def take(self, event: Any, given: Given, new: Paper, life: int) -> None:
        if given.status == "refused":
            return
        end = self.end_of(given, new.type, life)
        assert event["expires"] == end
        if given.number is None:
            self.model.papers[new.id] = new
            new.version, new.pack = event["version"], given.pack
        self.model.papers[event["license"]].expires = end

    def end_of(self, given: Given, type_: str, life: int) -> int:
        """When the license ends from now on."""
        now, old = self.model.now, self.model.papers.get(given.number or 0)
        if old and not self.renews(old):
            return old.expires
        days = 60 if type_ == "per-user" else life
        if given.status == "temporary":
            days = 90
        end = now + days * DAY
        return min(end, self.model.packs[given.pack].expires) if given.pack else end

    def renews(self, old: Paper) -> bool:
        if not self.model.activated or old.status == "temporary" or self.model.moving(old):
            return False
        return old.type == "per-user" or old.expires - self.model.now <= 7 * DAY

    # --- what always holds ---

    def running(self) -> list[Paper]:
        return [paper for paper in self.model.papers.values() if paper.runs(self.model.now)]

    def recent(self) -> list[str]:
        return sorted(key for key, (_, at, _) in self.asked.items() if self.model.now - at < DAY)

    def stored(self, number: int) -> Any:
        return self.ledger.write(lambda book: book.license(number))

    @invariant()
    def packs_are_never_over_issued_and_counts_are_the_models(self) -> None:
        now = self.model.now

        def look(book: Book) -> dict[str, tuple[int, int, int]]:
            return {
                pack.id: (book.held(pack, now), book.free((pack,), now, 99), pack.total) for pack in book.shelf().packs
            }

        found = self.ledger.write(look)
        assert found == {
            pack.id: (held := self.model.held(pack.id), pack.total - held, pack.total)
            for pack in self.model.packs.values()
        }
        assert all(held <= total for held, _, total in found.values())

    @invariant()
    def licenses_are_the_models_and_no_cal_serves_two(self) -> None:
        now = self.model.now
        numbers = list(self.model.papers)
        found = self.ledger.write(lambda book: [book.license(number) for number in numbers])
        seats = [license_.seat for license_ in found if license_.seat and license_.runs(now)]
        assert len(seats) == len(set(seats))
        for license_, paper in zip(found, self.model.papers.values(), strict=True):
            assert license_.runs(now) == paper.runs(now)
            assert (license_.expires_at, license_.status, license_.version) == (
                paper.expires,
                paper.status,
                paper.version,
            )
            assert (license_.seat.pack if license_.seat else None) == paper.pack
            assert (license_.seat is not None) == (license_.status == "active")

    @invariant()
    def full_licenses_are_what_they_promise(self) -> None:
        full = [paper for paper in self.running() if paper.status == "active"]
        assert len({(paper.who, paper.type) for paper in full}) == len(full)
        for paper in full:
            assert paper.expires <= self.model.packs[paper.pack].expires
            assert not paper.host or FAMILIES[paper.version] >= FAMILIES[paper.host]
            assert paper.type == "per-user" or paper.who in self.model.proven

    @invariant()
    def a_device_is_proven_where_the_model_says_so(self) -> None:
        def look(book: Book) -> dict[str, int]:
            found = [book.find_holder(HolderKind.DEVICE, who) for who in ("ann", "bob", "cid")]
            return {f"device {x.key}": x.proven_at for x in found if x and x.proven_at is not None}

        assert self.ledger.write(look) == self.model.proven

    @invariant()
    def numbers_of_events_have_no_gap(self) -> None:
        def count(book: Book) -> int:
            last = self.last_event
            while book.event(last + 1):
                last += 1
            return last

        if self.gapless:
            self.last_event = self.ledger.write(count)
        assert all(number <= self.last_event for number in self.model.papers)


def install_key_pack_here(command: InstallKeyPack, book: Book, *, now: int) -> Done | RefusedAct:
    return install_key_pack(command, book, ladder(), now=now)


def sweep_all(book: Book, *, now: int) -> int:
    ended = 0
    while some := sweep(book, now=now):
        ended += some
    return ended


class SqliteMachine(LedgerMachine):
    """The same on SQLite."""

    maker = "sqlite"


STEPS = 60
COUNT = settings.default.max_examples if settings.default else 100

TestInMemory = LedgerMachine.TestCase
TestInMemory.settings = settings(max_examples=2 * COUNT, stateful_step_count=STEPS)
TestOnSqlite = pytest.mark.slow(pytest.mark.timeout(0)(SqliteMachine.TestCase))
TestOnSqlite.settings = settings(max_examples=max(1, COUNT // 2), stateful_step_count=STEPS)


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.postgresql
@pytest.mark.xdist_group("postgresql")
def test_on_postgresql(postgresql_server):
    class PostgresqlMachine(LedgerMachine):
        maker = "postgresql"
        gapless = False

        def place(self) -> str:
            return postgresql_server.url(postgresql_server.new_database())

    run_state_machine_as_test(
        PostgresqlMachine, settings=settings(max_examples=max(1, COUNT // 20), stateful_step_count=STEPS)
    )
