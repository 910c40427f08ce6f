"""The host's memory on disk: kept whole, kept private, and honest about what it has lost."""

import fcntl
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Lock

import pytest

from calward.adapters.sessionhost.state import Lost, StateFolder
from calward.adapters.sessionhost.state_format import user_document
from calward.app.sessionhost.forget_holders import forget_holders
from calward.app.sessionhost.ports import BoundSession, HostPolicy, Memory
from calward.domain.grace import USED_UP, GraceState
from tests.support.session_host import NOW, a_held_license

GRACE = GraceState(NOW, NOW + timedelta(hours=1), timedelta(days=3), NOW + timedelta(hours=2), answering=False)
WHOLE = Memory(
    grace=GRACE,
    policy=HostPolicy("2022", "per-user", 60, NOW),
    last=a_held_license(),
    sessions=(BoundSession(":10", NOW, "L1", "0a1b"), BoundSession(":11", NOW, None)),
    proven=True,
)


class Folder:
    """A state folder under test, and what its administrator heard."""

    def __init__(self, path: Path, lost: Lost = Lost.NO_GRACE):
        self.path = path
        self.heard: list[str] = []
        self.memory = StateFolder(path, lost=lost, complain=self.heard.append, time_left=lambda: 0.05)

    def read(self, user: str = "alice") -> Memory:
        return self.memory.change(user, lambda known: (known, known))

    def write(self, memory: Memory, user: str = "alice") -> None:
        self.memory.change(user, lambda _: (memory, None))


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path / "deep" / "state")


def test_a_new_host_remembers_nothing_and_writes_nothing_until_there_is_something(folder):
    assert folder.read() == Memory()
    assert not (folder.path / "host.json").exists()
    assert folder.heard == []


def test_everything_comes_back_as_it_was_kept(folder):
    folder.write(WHOLE)
    assert folder.read() == WHOLE
    assert Folder(folder.path).read() == WHOLE


def test_each_user_has_a_part_of_their_own_and_the_host_is_one(folder):
    folder.write(WHOLE)
    assert folder.read("bob") == Memory(grace=GRACE, policy=WHOLE.policy)


@pytest.mark.parametrize("user", ["../../etc/passwd", "DOMAIN\\alice", "a" * 5000, "ä\n\x00", "\udcff", ""])
def test_a_hostile_user_name_is_only_a_name(folder, user):
    folder.write(WHOLE, user)
    assert folder.read(user).last == WHOLE.last
    assert {path.parent for path in folder.path.rglob("*.json")} <= {folder.path, folder.path / "users"}


def test_nobody_else_can_read_it(folder):
    folder.write(WHOLE)
    assert {path.stat().st_mode & 0o077 for path in (folder.path, *folder.path.rglob("*"))} == {0}


@pytest.mark.parametrize(("lost", "grace", "says"), [
    (Lost.NO_GRACE, USED_UP, "the host has no grace left"),
    (Lost.NEW_GRACE, GraceState(), "the grace period begins anew"),
])  # fmt: skip
@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"format": 2}', '{"format": 1}', "\xff"])
def test_a_broken_host_file_is_said_copied_and_costs_or_gives_the_grace_as_chosen(tmp_path, lost, grace, says, content):
    folder = Folder(tmp_path / "state", lost)
    folder.write(WHOLE)
    (folder.path / "host.json").write_text(content, encoding="latin-1")
    assert folder.read().grace == grace
    assert folder.read().last == WHOLE.last
    assert says in folder.heard[0]
    assert (folder.path / "host.broken").read_text(encoding="latin-1") == content


def test_a_broken_host_file_stays_broken_until_something_is_written(folder):
    folder.write(WHOLE)
    (folder.path / "host.json").write_text("{")
    assert folder.read().grace == USED_UP
    assert folder.read().grace == USED_UP
    folder.write(WHOLE)
    assert folder.read() == WHOLE


def test_a_broken_user_file_costs_that_user_the_license_in_hand_only(folder):
    folder.write(WHOLE)
    (user_file,) = (folder.path / "users").glob("*.json")
    user_file.write_text(json.dumps({"format": 1, "license": {"odd": 1}, "sessions": []}))
    assert folder.read() == Memory(grace=GRACE, policy=WHOLE.policy)
    assert "no license in hand" in folder.heard[0]


@pytest.mark.parametrize("times", [{"first_connection": "2026-01-01T00:00:00"}, {"spent_seconds": 10**30}])
def test_times_that_mean_nothing_are_broken(folder, times):
    folder.write(WHOLE)
    path = folder.path / "host.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | times))
    assert folder.read().grace == USED_UP


def test_a_folder_that_others_can_open_is_not_trusted(folder):
    folder.write(WHOLE)
    folder.path.chmod(0o770)
    assert folder.read().grace == USED_UP
    assert "chmod 700" in folder.heard[0]


def test_a_folder_that_cannot_be_made_is_said_and_the_question_is_answered_all_the_same(tmp_path):
    (tmp_path / "file").write_text("")
    folder = Folder(tmp_path / "file" / "state")
    assert folder.read().grace == USED_UP
    assert "cannot be used" in folder.heard[0]


def test_while_another_process_keeps_the_lock_memory_is_read_and_not_written(folder):
    folder.write(WHOLE)
    with (folder.path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert folder.read() == WHOLE
        folder.write(replace(WHOLE, last=None))
    assert folder.read() == WHOLE
    assert all("locked" in sentence for sentence in folder.heard)


def test_a_file_that_cannot_be_read_today_is_not_overwritten(folder):
    folder.write(WHOLE)
    path = folder.path / "host.json"
    kept = path.rename(folder.path / "kept")
    path.mkdir()
    folder.write(Memory())
    assert "cannot be read" in folder.heard[0]
    path.rmdir()
    kept.rename(path)
    assert folder.read() == WHOLE


def test_what_cannot_be_written_is_said_and_the_answer_stands(folder):
    folder.write(WHOLE)
    (folder.path / "host.new").mkdir()
    assert folder.memory.change("alice", lambda known: (replace(known, grace=GraceState()), "in")) == "in"
    assert "cannot be written" in folder.heard[0]
    assert folder.read() == WHOLE


# --- many holders ----------------------------------------------------------------------------------------------------


def devices(folder: Path) -> StateFolder:
    return StateFolder(
        folder, lost=Lost.NO_GRACE, complain=pytest.fail, time_left=lambda: 5, holders="devices", turn=Lock()
    )


def test_of_many_devices_the_strangers_go_and_the_proven_stay(tmp_path):
    shelf = devices(tmp_path / "state")
    shelf.change("", lambda _: (Memory(), None))
    for number in range(1200):
        status = "active" if number % 20 == 0 else "temporary"
        document = user_document(f"{number:04x}", Memory(last=a_held_license(f"L{number}", status=status)))
        shelf._user_file(f"{number:04x}").write_text(json.dumps(document))
    assert shelf.count() == 1200
    assert forget_holders(shelf, NOW, most=500, is_gone=lambda _: False) == 750
    kept = dict(shelf.holders())
    assert shelf.count() == len(kept) == 450
    assert sum(1 for one in kept.values() if one.last.status == "active") == 60


def test_whoever_has_changed_since_they_were_judged_is_not_forgotten(tmp_path):
    shelf = devices(tmp_path / "state")
    for name in ("0a", "0b"):
        shelf.change(name, lambda known: (replace(known, last=a_held_license()), None))
    judged = list(shelf.holders())
    shelf.change("0a", lambda known: (replace(known, proven=True), None))
    assert shelf.forget(judged) == 1
    assert [name for name, _ in shelf.holders()] == ["0a"]


def test_a_folder_that_is_not_there_holds_nobody(tmp_path):
    shelf = devices(tmp_path / "state")
    assert (shelf.count(), list(shelf.holders())) == (0, [])


def test_what_an_earlier_release_wrote_is_read(folder):
    folder.write(WHOLE)
    path = next((folder.path / "users").glob("*.json"))
    document = json.loads(path.read_text())
    del document["proven"]
    for session in document["sessions"]:
        del session["device"]
    path.write_text(json.dumps(document))
    sessions = tuple(replace(one, device=None) for one in WHOLE.sessions)
    assert folder.read() == replace(WHOLE, proven=False, sessions=sessions)
    assert folder.heard == []


def test_threads_that_share_a_turn_all_get_theirs(tmp_path):
    turn, complaints = Lock(), []

    def come(number: int) -> None:
        memory = StateFolder(
            tmp_path / "state", lost=Lost.NO_GRACE, complain=complaints.append, time_left=lambda: 5, turn=turn
        )
        memory.change(f"u{number}", lambda known: (replace(known, last=a_held_license()), None))

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(come, range(64)))
    assert len(list((tmp_path / "state" / "users").glob("*.json"))) + len(complaints) == 64
    assert len(complaints) < 32
