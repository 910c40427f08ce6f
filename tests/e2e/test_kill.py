"""Is anything lost, doubled or leaked when a process that issues is killed, anywhere?

Nothing acknowledged may be missing, no pack may be over-issued, and once every question is asked again under its old request id,
each has exactly one answer: none was leaked to an answer that nobody heard.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import psycopg
import pytest

from calward.app.licensing.requests import Request
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Event, encode_event
from tests.support.audits import Office, new_sqlite
from tests.support.issuing_worker import SIZES, questions

KILLS = int(os.environ.get("CALWARD_KILLS", "8"))
TOTAL = 400
OTHER_CALLS = int(os.environ.get("CALWARD_KILL_STEP", "7"))
"""Every so many calls are tried where another test tries all; 1: all of them."""
POSTGRESQL = pytest.param("postgresql", marks=[pytest.mark.postgresql, pytest.mark.xdist_group("postgresql")])

pytestmark = [pytest.mark.timeout(600), pytest.mark.slow]  # Starts and kills many processes.


@pytest.fixture(params=["sqlite", POSTGRESQL])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    found: str = (
        request.getfixturevalue("postgresql_database") if request.param == "postgresql" else new_sqlite(tmp_path)
    )
    office = Office(found)
    office.open_for_business(per_user="enforce")
    office.install("P", TOTAL)
    office.close()
    return found


def workers_of(url: str) -> int:
    """SQLite has one process, PostgreSQL several replicas."""
    return 1 if url.startswith("sqlite") else 3


def test_random_kills_under_load_lose_nothing_double_nothing_and_leak_nothing(url):
    chance = random.Random(20260301)
    heard: dict[str, str] = {}
    for kill in range(KILLS):
        names = [f"{kill}.{n}" for n in range(workers_of(url))]
        workers = [start_worker(url, name) for name in names]
        time.sleep(chance.uniform(0.01, 0.3))  # Not to wait for something: this is the random moment.
        for worker in workers:
            worker.send_signal(signal.SIGKILL)
        fresh = dict(line for worker in workers for line in acknowledged(worker))
        assert not heard.keys() & fresh.keys()
        heard |= fresh
        assert_nothing_is_lost(url, names, fresh)
    assert heard, "no answer was ever acknowledged: the test shows nothing"


def start_worker(url: str, name: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.support.issuing_worker", url, name]
    worker = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert worker.stdout
    assert worker.stdout.readline() == "ready\n"
    return worker


def acknowledged(worker: subprocess.Popen[str]) -> Iterator[tuple[str, str]]:
    """What a killed worker had said; a line that was cut off was never said."""
    said, _ = worker.communicate(timeout=60)
    for line in said.splitlines(keepends=True):
        if line.endswith("\n"):
            request_id, _, event = line[:-1].partition(" ")
            yield request_id, event


def assert_nothing_is_lost(url: str, names: list[str], heard: dict[str, str]) -> None:
    office = Office(url)
    try:
        assert office.held("P") <= TOTAL
        office.log.fold()
        assert office.verify().findings == []
        licenses = {}
        for name in names:
            licenses |= ask_again(office, name, heard)
        assert stored_licenses(office, names) == licenses
        office.log.fold()
        assert office.verify().findings == []
    finally:
        office.close()


def ask_again(office: Office, name: str, heard: dict[str, str]) -> dict[str, int]:
    """Repeat all that this worker may have asked; every acknowledged answer comes back byte for byte."""
    said = sum(request_id.startswith(f"ask-{name}-") for request_id in heard)
    asked = list(islice(questions(name), said + max(SIZES)))  # The last group may be stored, or not, without an answer.
    answers = office.ledger.write_all([Request(question, office.entropy) for question in asked])
    for question, answer in zip(asked, answers, strict=True):
        assert heard.get(question.request_id, encode_event(answer)) == encode_event(answer)
    told = zip(asked, answers, strict=True)
    return {question.key: answer["license"] for question, answer in told if answer["kind"] == "license"}


def stored_licenses(office: Office, names: list[str]) -> dict[str, int]:
    with office.reader.connect() as connection:
        rows = connection.exec_driver_sql("SELECT h.key, l.id FROM license l JOIN holder h ON h.id = l.holder").all()
    found = [(key, number) for key, number in rows if key.split("-")[1] in names]
    assert len(dict(found)) == len(found), "somebody holds two licenses"
    return dict(found)


@pytest.mark.parametrize(
    ("how", "step"), [("whole", 1), ("torn", OTHER_CALLS), ("fails", OTHER_CALLS)], ids=["before", "halfway", "fails"]
)
def test_a_kill_at_any_call_that_writes_or_syncs_is_as_if_nothing_had_happened(tmp_path, how, step):
    """SQLite: killed before each call, killed halfway through it, or alive while the call fails (a full or broken disk)."""
    library = build_library(tmp_path)
    with tempfile.TemporaryDirectory(dir=memory_folder(), prefix="calward-kill-") as folder:
        command = [sys.executable, "-m", "tests.support.every_call", folder, str(step), how]
        done = subprocess.run(
            command, env={**os.environ, "LD_PRELOAD": str(library)}, capture_output=True, text=True, check=False
        )
    assert done.stdout.startswith("survived at call"), done.stdout + done.stderr
    assert int(done.stdout.split()[4]) > 200 // step, "hardly any call was seen: the library was not in the way"


def build_library(folder: Path) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler is installed (cc): it builds what kills a process at its n-th write")
    source, library = Path(__file__).parents[1] / "support" / "die_at_call.c", folder / "die_at_call.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    return library


def memory_folder() -> str | None:
    """A folder in memory, where there is one: a killed process loses nothing that it has written, on whatever it was."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


@pytest.mark.postgresql
@pytest.mark.xdist_group("postgresql")
def test_connections_cut_off_at_random_leave_an_answer_to_every_question(postgresql_database):
    """The database ends connections in the middle of anything; who hears "unknown" asks again under the same request id."""
    offices = [Office(postgresql_database) for _ in range(3)]
    offices[0].open_for_business(per_user="enforce")
    offices[0].install("P", TOTAL)
    done = threading.Event()
    cutter = threading.Thread(target=cut_connections, args=(postgresql_database, done))
    cutter.start()
    try:
        with ThreadPoolExecutor(len(offices) * 2) as pool:
            users = [f"user {n}" for n in range(80)]
            answers = list(pool.map(ask_until_answered, cycle(offices), users))
    finally:
        done.set()
        cutter.join()
    assert len({answer["license"] for answer in answers}) == len(users)
    assert offices[0].held("P") == len(users)
    offices[0].log.fold()
    assert offices[0].verify().findings == []
    for office in offices:
        office.close()


def ask_until_answered(office: Office, user: str) -> Event:
    for _ in range(50):
        try:
            return office.ask(user, f"ask {user}")
        except LicensingError as error:
            assert error.problem is Problem.UNAVAILABLE  # noqa: PT017 - anything else is a fault, whenever it comes
    raise AssertionError(user)


def cut_connections(url: str, done: threading.Event) -> None:
    """End the ledgers' connections again and again."""
    with psycopg.connect(url, autocommit=True) as connection:
        while not done.wait(0.05):
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND random() < 0.3"
            )
