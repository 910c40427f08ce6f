"""What happens when many ask at once for the last CALs, on both databases, from threads, replicas and processes?

Each round ends with the same questions: exactly as many full licenses as there are CALs, and the ledger still agrees with its events.
"""

import os
import random
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.confirm_license import ConfirmLicense
from calward.app.licensing.requests import Confirmation, Request
from calward.domain.errors import LicensingError
from calward.domain.events import Event, encode_event
from tests.support.audits import DEVICES_HOST, USERS_HOST, Office, new_sqlite
from tests.support.builders import DEVICE, a_question
from tests.support.clocks import DAY, SetClock

WORKERS = 32
LAST_CALS = 10
ROUNDS = int(os.environ.get("CALWARD_RACE_ROUNDS", "20"))
POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])

pytestmark = pytest.mark.timeout(300)  # Two databases, hundreds of durable commits, on machines whose disks are slow.


@pytest.fixture(params=["sqlite", POSTGRESQL])
def offices(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Office]]:
    """One ledger on SQLite; four replicas of it on PostgreSQL."""
    clock = SetClock()
    if request.param == "sqlite":
        found = [Office(new_sqlite(tmp_path), clock)]
    else:
        url = request.getfixturevalue("postgresql_database")
        found = [Office(url, clock) for _ in range(4)]
    yield found
    for office in found:
        office.close()


def at_once(acts: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run all in threads of their own that start together; an error that a caller can act on is a result."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        start.wait()
        try:
            return act()
        except LicensingError as error:
            return error

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


def asking(offices: Sequence[Office], who: Sequence[str], request_id: str, **options: Any) -> list[Callable[[], Event]]:
    """One question for each of them, dealt out to the replicas."""
    return [
        partial(office.ask, name, f"{request_id} {name}", **options)
        for name, office in zip(who, cycle(offices), strict=False)
    ]


def assert_all_agrees(offices: Sequence[Office]) -> None:
    offices[0].log.fold()
    found = offices[0].verify()
    assert found.findings == []
    assert found.size == found.events


def test_the_last_ten_cals_go_to_exactly_ten_of_thirty_two_users(offices):
    offices[0].open_for_business(per_user="enforce")
    offices[0].install("P", LAST_CALS)
    for turn in range(ROUNDS):
        answers = at_once(asking(offices, [f"user {turn} {n}" for n in range(WORKERS)], "ask"))
        full = [answer for answer in answers if answer["kind"] == "license"]
        assert len(full) == LAST_CALS
        assert len({answer["seat"] for answer in full}) == LAST_CALS
        assert offices[0].held("P") == LAST_CALS
        freed = at_once(
            [partial(office.release, x["license"]) for x, office in zip(full, cycle(offices), strict=False)]
        )
        assert all(isinstance(x, Done) for x in freed)
    assert_all_agrees(offices)


def test_the_last_ten_cals_go_to_exactly_ten_of_thirty_two_proven_devices(offices):
    offices[0].open_for_business()
    devices = [f"PC {n}" for n in range(WORKERS)]
    first = at_once(asking(offices, devices, "first", host=DEVICES_HOST))
    at_once([partial(office.confirm, x["license"]) for x, office in zip(first, cycle(offices), strict=False)])
    offices[0].install("P", LAST_CALS, DEVICE)
    answers = at_once(asking(offices, devices, "second", host=DEVICES_HOST))
    assert [x["status"] for x in answers].count("active") == LAST_CALS
    assert offices[0].held("P") == LAST_CALS
    assert_all_agrees(offices)


def test_replicas_that_fold_while_all_issue_grow_one_tree_with_every_event_in_its_place(offices, monkeypatch):
    monkeypatch.setattr("calward.adapters.store.tree._AT_ONCE", 3)
    offices[0].open_for_business(per_user="enforce")
    offices[0].install("P", WORKERS)
    for turn in range(ROUNDS):
        asks = asking(offices, [f"user {turn} {n}" for n in range(WORKERS)], "ask")
        found = at_once([*asks, *(office.log.fold for office in (offices * 4)[:4])])
        assert not any(isinstance(x, LicensingError) for x in found)
    assert_all_agrees(offices)


def test_one_request_id_from_two_connections_at_once_is_one_cal_and_the_same_bytes(offices):
    offices[0].open_for_business(per_user="enforce")
    offices[0].install("P", LAST_CALS)
    for turn in range(LAST_CALS):
        same = [partial(office.ask, f"user {turn}", f"the same {turn}") for office in (offices * 4)[:4]]
        answers = at_once(same)
        assert len({encode_event(answer) for answer in answers}) == 1
        assert offices[0].held("P") == turn + 1
    assert_all_agrees(offices)


def test_one_request_id_with_two_questions_at_once_answers_one_of_them(offices):
    offices[0].open_for_business(per_user="enforce")
    offices[0].install("P", LAST_CALS)
    for turn in range(LAST_CALS // 2):
        different = [
            partial(office.ask, f"user {turn} {n}", f"the same {turn}") for n, office in enumerate((offices * 4)[:4])
        ]
        answers = at_once(different)
        assert sum(not isinstance(answer, LicensingError) for answer in answers) == 1
        assert offices[0].held("P") == turn + 1
    assert_all_agrees(offices)


def test_one_holder_asking_from_everywhere_at_once_holds_one_cal(offices):
    offices[0].open_for_business(per_user="enforce")
    offices[0].install("P", LAST_CALS)
    for turn in range(LAST_CALS):
        asks = [
            partial(office.ask, f"user {turn}", f"{turn} {n}")
            for n, office in zip(range(8), cycle(offices), strict=False)
        ]
        answers = at_once(asks)
        assert len({answer["license"] for answer in answers}) == 1
        assert offices[0].held("P") == turn + 1
    assert_all_agrees(offices)


def test_renewing_revoking_sweeping_and_claiming_of_expired_cals_at_once(offices):
    """Old devices renew or are revoked, the sweep writes down ends, and new devices claim what has just expired."""
    first = offices[0]
    first.open_for_business(revocable_share="1", full_days_min=60, full_days_max=60)
    first.install("P", 16, DEVICE)
    everyone = [f"PC {n}" for n in range(32)]
    for n in range(32):
        first.prove(everyone[n]) if n < 16 else first.confirm(first.ask(everyone[n], host=DEVICES_HOST)["license"])
    for turn in range(ROUNDS // 2):
        first.clock.pass_days(54 if turn % 2 == 0 else 6)  # Due for renewal, or just ended.
        asks = asking(offices, everyone, f"turn {turn}", host=DEVICES_HOST)
        running = full_licenses(first)
        ends = [partial(office.revoke, n) for n, office in zip(running[:3], cycle(offices), strict=False)]
        sweeps = [office.sweep for office in offices]
        results = at_once(asks + ends + sweeps)
        unexpected = [x for x in results if not isinstance(x, dict | Done | RefusedAct | int | LicensingError)]
        assert unexpected == []
        assert [x for x in results if isinstance(x, LicensingError) and "cannot be written" in x.detail] == []
        assert first.held("P") <= 16
        assert_all_agrees(offices)


def full_licenses(office: Office) -> list[int]:
    with office.reader.connect() as connection:
        query = f"SELECT id FROM license WHERE status = 'a' AND ended_at IS NULL AND expires_at > {office.clock.now()}"
        return list(connection.exec_driver_sql(query).scalars())


def test_replicas_fold_at_once_and_every_event_gets_one_place(offices):
    first = offices[0]
    first.open_for_business(per_user="enforce")
    first.install("P", 200)
    folds = [office.log.fold for office in offices for _ in range(3)]
    for turn in range(4):
        at_once(asking(offices, [f"user {turn} {n}" for n in range(20)], "ask") + folds)
    assert_all_agrees(offices)
    frontiers = {office.log.frontier() for office in offices}
    assert len(frontiers) == 1


@pytest.mark.postgresql
@pytest.mark.xdist_group("postgresql")
def test_processes_race_for_the_last_ten_cals(postgresql_database):
    office = Office(postgresql_database, SetClock())
    try:
        office.open_for_business(per_user="enforce")
        office.install("P", LAST_CALS)
        command = [sys.executable, "-m", "tests.support.racing", postgresql_database]
        racers = [
            subprocess.Popen([*command, str(n)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for n in range(4)
        ]
        assert [racer.stdout.readline() for racer in racers if racer.stdout] == ["ready\n"] * 4
        said = [racer.communicate("go\n")[0] for racer in racers]
        assert sum(text.count("license") for text in said) == LAST_CALS
        assert sum(text.count("refusal") for text in said) == WORKERS - LAST_CALS
        assert office.held("P") == LAST_CALS
        assert_all_agrees([office])
    finally:
        office.close()


def test_a_clock_that_passes_between_two_acts_loses_no_cal(offices):
    """A CAL that expires while its holder renews is either renewed or passed on, never both."""
    first = offices[0]
    first.open_for_business(full_days_min=60, full_days_max=60)
    first.install("P", 1, DEVICE)
    first.prove("PC 0")
    first.confirm(first.ask("PC 1", host=DEVICES_HOST)["license"])
    for turn in range(6):
        [held] = full_licenses(first)
        first.clock.pass_days(59)
        asks = asking(offices, ["PC 0", "PC 1"], f"turn {turn}", host=DEVICES_HOST)
        at_once([*asks, lambda: first.clock.pass_days(1 + 1 / DAY)])
        assert first.held("P") == 1
        assert held
        assert_all_agrees(offices)


def test_groups_of_replicas_race_for_the_same_holders_and_the_last_cals(offices):
    """What the servers' writers do: many acts in one commit, the same holders and request ids in several groups at once."""
    first = offices[0]
    first.open_for_business(per_user="enforce")
    first.install("U", LAST_CALS)
    first.install("D", LAST_CALS, DEVICE)
    devices = [first.ask(f"PC {n}", host=DEVICES_HOST)["license"] for n in range(WORKERS)]
    for turn in range(max(3, ROUNDS // 4)):
        groups = [partial(office.ledger.write_all, a_group(office, turn, devices)) for office in (offices * 4)[:4]]
        answers = at_once(groups)
        for same in zip(*answers, strict=True):
            assert not any(isinstance(answer, Exception) for answer in same)
        users = [group[:WORKERS] for group in answers]
        assert len({tuple(map(encode_event, group)) for group in users}) == 1
        assert first.held("U") == LAST_CALS
        assert first.held("D") <= LAST_CALS
        assert_all_agrees(offices)
        for event in users[0]:
            if event["kind"] == "license":
                first.release(event["license"])
    assert first.held("D") == LAST_CALS


def a_group(office: Office, turn: int, devices: Sequence[int]) -> list[Any]:
    """Users with request ids that the other groups have too, then logons and questions of devices, each group in its own order."""
    asks = [a_question(USERS_HOST, f"user {turn} {n}", f"{turn} {n}") for n in range(WORKERS)]
    again = [a_question(DEVICES_HOST, f"PC {n}", f"{turn} {n}") for n in range(WORKERS)]
    mixed: list[Any] = [Request(ask, office.entropy) for ask in again]
    mixed += [Confirmation(ConfirmLicense(DEVICES_HOST, number)) for number in devices]
    random.Random(turn + id(office)).shuffle(mixed)
    return [Request(ask, office.entropy) for ask in asks] + mixed
