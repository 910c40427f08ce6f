"""The clearinghouse's store: nothing is removed or changed, and two processes do not tread on each other."""

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from pysqlite3 import dbapi2 as sqlite

from calward.adapters.clearinghouse import SqliteClearinghouseStore
from calward.app.clearinghouse.records import Intent, KeyChange, RegisteredServer
from calward.domain.errors import LicensingError, Problem
from calward.domain.statements import ActivationReason, PayloadType
from tests.support.signed import NOW, SERVER, SERVER_ID, STRANGER

AN_INTENT = Intent(PayloadType.KEY_PACK, "A-1", "digest", b"payload", NOW)
A_SERVER = RegisteredServer(SERVER_ID, "LS1", SERVER.public_key, NOW)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> SqliteClearinghouseStore:
    return SqliteClearinghouseStore(path)


def test_what_is_stored_is_there_after_opening_again(store: SqliteClearinghouseStore, path: Path) -> None:
    store.write(lambda book: book.parties.put_server(A_SERVER))
    store.write(lambda book: book.papers.plan(AN_INTENT))
    store.write(lambda book: book.papers.complete(AN_INTENT.signed(b"envelope")))
    store.close()
    again = SqliteClearinghouseStore(path)
    assert again.read(lambda book: book.parties.servers()) == [A_SERVER]
    assert again.read(lambda book: book.parties.server(SERVER_ID)) == A_SERVER
    assert again.read(lambda book: book.parties.server("00")) is None
    assert again.read(lambda book: book.papers.intents(PayloadType.KEY_PACK)) == [AN_INTENT.signed(b"envelope")]
    assert again.read(lambda book: book.papers.intents(PayloadType.ACTIVATION)) == []


def test_the_first_plan_and_the_first_envelope_stay(store: SqliteClearinghouseStore) -> None:
    store.write(lambda book: book.papers.plan(AN_INTENT))
    later = Intent(PayloadType.KEY_PACK, "A-1", "digest", b"other payload", NOW)
    assert store.write(lambda book: book.papers.plan(later)) == AN_INTENT
    assert store.write(lambda book: book.papers.complete(AN_INTENT.signed(b"first"))) == b"first"
    assert store.write(lambda book: book.papers.complete(AN_INTENT.signed(b"second"))) == b"first"


def test_an_order_of_one_type_is_free_for_another(store: SqliteClearinghouseStore) -> None:
    store.write(lambda book: book.papers.plan(AN_INTENT))
    other = Intent(PayloadType.ACTIVATION, "A-1", "other digest", b"payload", NOW)
    assert store.write(lambda book: book.papers.plan(other)) == other


def test_an_envelope_without_a_plan_is_a_damaged_store(store: SqliteClearinghouseStore) -> None:
    with pytest.raises(LicensingError) as caught:
        store.write(lambda book: book.papers.complete(AN_INTENT.signed(b"envelope")))
    assert caught.value.problem is Problem.CORRUPT


def test_a_server_keeps_its_key_until_another_was_confirmed(store: SqliteClearinghouseStore) -> None:
    renamed, stolen = replace(A_SERVER, name="LS2"), replace(A_SERVER, public_key=STRANGER.public_key)
    store.write(lambda book: book.parties.put_server(A_SERVER))
    store.write(
        lambda book: book.parties.ask_key(KeyChange(SERVER_ID, STRANGER.public_key, ActivationReason.KEY_LOST, NOW))
    )
    with pytest.raises(LicensingError):
        store.write(lambda book: book.parties.put_server(stolen))
    store.write(lambda book: book.parties.put_server(renamed))
    assert store.read(lambda book: book.parties.servers()) == [renamed]
    store.write(lambda book: book.parties.confirm_key(SERVER_ID, STRANGER.public_key, "shop", NOW))
    store.write(lambda book: book.parties.put_server(stolen))
    assert store.read(lambda book: book.parties.server(SERVER_ID)) == stolen


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM servers",
        "DELETE FROM intents",
        "UPDATE servers SET public_key = x'00'",
        "UPDATE intents SET payload = x'00'",
        "UPDATE intents SET asked = ''",
        "UPDATE intents SET envelope = NULL",
        "UPDATE intents SET envelope = x'00'",
    ],
)
def test_nothing_stored_can_be_removed_or_changed(store: SqliteClearinghouseStore, path: Path, statement: str) -> None:
    store.write(lambda book: book.parties.put_server(A_SERVER))
    store.write(lambda book: book.papers.plan(AN_INTENT))
    store.write(lambda book: book.papers.complete(AN_INTENT.signed(b"envelope")))
    database = sqlite.connect(str(path))
    with pytest.raises(sqlite.IntegrityError):
        database.execute(statement)
    database.close()


def test_a_file_that_is_no_database_is_corrupt(path: Path) -> None:
    path.write_bytes(b"no database at all" * 100)
    with pytest.raises(LicensingError) as caught:
        SqliteClearinghouseStore(path)
    assert caught.value.problem is Problem.CORRUPT


def test_a_store_of_a_newer_calward_is_left_alone(store: SqliteClearinghouseStore, path: Path) -> None:
    store.close()
    database = sqlite.connect(str(path))
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(LicensingError, match="newer Calward"):
        SqliteClearinghouseStore(path)


def test_a_store_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(LicensingError) as caught:
        SqliteClearinghouseStore(tmp_path / "no folder" / "store.db")
    assert caught.value.problem is Problem.UNAVAILABLE


def test_one_order_asked_for_by_many_at_once_is_one_plan(store: SqliteClearinghouseStore, path: Path) -> None:
    others = [store, SqliteClearinghouseStore(path)]

    def plan(n: int) -> Intent:
        return others[n % 2].write(
            lambda book: book.papers.plan(Intent(PayloadType.KEY_PACK, "A-1", "digest", b"payload %d" % n, NOW))
        )

    with ThreadPoolExecutor(8) as pool:
        planned = set(pool.map(plan, range(64)))
    assert len(planned) == 1
    assert len(store.read(lambda book: book.papers.intents(PayloadType.KEY_PACK))) == 1


WRITER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from calward.adapters.clearinghouse import SqliteClearinghouseStore
from calward.app.clearinghouse.records import Intent
from calward.domain.statements import PayloadType
store = SqliteClearinghouseStore(Path(sys.argv[1]))
for n in range(100_000):
    intent = Intent(PayloadType.KEY_PACK, f"{sys.argv[2]}-{n}", "digest", b"payload", datetime(2026, 1, 1, tzinfo=UTC))
    store.write(lambda book: book.papers.plan(intent))
    store.write(lambda book: book.papers.complete(intent.signed(b"envelope")))
    print(intent.order, flush=True)
"""


def test_what_was_acknowledged_outlives_a_kill(path: Path) -> None:
    SqliteClearinghouseStore(path).close()
    acknowledged: set[str] = set()
    for round_ in range(4):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path), str(round_)], stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            acknowledged |= {writer.stdout.readline().strip() for _ in range(3 + round_)}
            os.kill(writer.pid, signal.SIGKILL)
            acknowledged |= {line.strip() for line in writer.stdout if line.endswith("\n")}
        store = SqliteClearinghouseStore(path)
        signed = {
            one.order
            for one in store.read(lambda book: book.papers.intents(PayloadType.KEY_PACK))
            if one.envelope is not None
        }
        store.close()
        assert acknowledged <= signed
