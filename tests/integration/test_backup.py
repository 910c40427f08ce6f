"""Backups of license servers and clearinghouses: made while they run, looked through, and put back whole or not at all."""

import json
import os
import signal
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from calward.adapters.backup.archive import MANIFEST, read_manifest
from calward.adapters.backup.restoring import NOTE
from calward.app.licensing.quarantine import quarantine_of
from calward.bootstrap.backup import create_backup, restore_backup
from calward.bootstrap.clearinghouse_backup import back_up_house, restore_house, verify_backup
from calward.bootstrap.license_server import LicenseServer
from calward.config import ServerConfig
from calward.domain.errors import LicensingError, Problem
from calward.domain.quarantine import Cause
from tests.support.going_back import GoingBack

PASSPHRASE = "a long passphrase"
KEYS = ("server.key", "license.key", "wire.key")


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """A license server with a full license, and its backup; the server has stopped."""
    made = GoingBack(tmp_path_factory.mktemp("office"))
    with made.serving() as served:
        made.set_up(served)
        host = made.enroll(served)
        assert host.full(served, "PC1").full
        made.backup, made.manifest = create_backup(
            ServerConfig(data_dir=made.data), made.folder / "ls.tar", PASSPHRASE, clock=made.clock
        )
    return made


def restored(office, folder, **options):
    return restore_backup(office.backup, ServerConfig(data_dir=folder), PASSPHRASE, clock=office.clock, **options)


def test_it_tells_what_is_in_it(office):
    found = verify_backup(office.backup, PASSPHRASE, clock=office.clock)
    assert found["holds"] is True
    assert found["findings"] == []
    assert [(one["version"], one["total"], one["issued"]) for one in found["packs"]] == [("2016", 5, 1)]
    assert found["licenses"] == {"active": 1}
    assert (found["name"], found["hosts"], found["kind"]) == ("LS1", 1, "license-server")
    assert found["last_event"] == "2026-03-01T08:00:00Z"
    assert all(key in found["keys"] for key in KEYS)


def test_nobody_but_its_owner_can_read_it_and_no_key_stands_in_it_in_plain(office):
    assert stat.S_IMODE(office.backup.stat().st_mode) == 0o600
    content = office.backup.read_bytes()
    for name in KEYS:
        secret = (office.data / name).read_text().strip().splitlines()[-2 if name == "wire.key" else -1]
        assert secret.removeprefix("private: ").encode() not in content


@pytest.mark.parametrize("passphrase", ["another passphrase", ""])
def test_another_passphrase_opens_nothing(office, passphrase):
    with pytest.raises(LicensingError) as caught:
        verify_backup(office.backup, passphrase)
    assert caught.value.problem is Problem.UNAUTHORIZED


def test_a_short_passphrase_is_refused_before_anything_is_written(office, tmp_path):
    with pytest.raises(LicensingError, match="12 are needed"):
        create_backup(ServerConfig(data_dir=office.data), tmp_path / "ls.tar", "short")
    assert list(tmp_path.iterdir()) == []


def test_an_older_backup_is_never_overwritten(office):
    before = office.backup.read_bytes()
    with pytest.raises(LicensingError) as caught:
        create_backup(ServerConfig(data_dir=office.data), office.backup, PASSPHRASE)
    assert caught.value.problem is Problem.CONFLICT
    assert office.backup.read_bytes() == before


def rewritten(backup: Path, target: Path, change) -> Path:
    """The same archive with its files, by name, as ``change`` leaves them."""
    with tarfile.open(backup) as old:
        files = {one.name: old.extractfile(one).read() for one in old.getmembers()}
    change(files)
    with tarfile.open(target, "w") as new:
        for name, content in files.items():
            path = target.with_name("part")
            path.write_bytes(content)
            new.add(path, name)
    return target


DAMAGES = {
    "a bit of the ledger": lambda files: files.update(
        {"ledger.db": files["ledger.db"][:5000] + bytes([files["ledger.db"][5000] ^ 1]) + files["ledger.db"][5001:]}
    ),
    "a file is missing": lambda files: files.pop("checkpoint.txt"),
    "the keys are another file": lambda files: files.update({"secrets.json": b"{}"}),
    "a file outside": lambda files: files.update({MANIFEST: files[MANIFEST].replace(b"ledger.db", b"../ledger")}),
    "another format": lambda files: files.update({MANIFEST: files[MANIFEST].replace(b'"format": 1', b'"format": 2')}),
    "no manifest": lambda files: files.pop(MANIFEST),
    "a manifest that is a list": lambda files: files.update({MANIFEST: b"[]"}),
}


@pytest.mark.parametrize("what", DAMAGES)
def test_a_damaged_backup_is_told_from_a_good_one_and_restores_nothing(office, tmp_path, what):
    bad = rewritten(office.backup, tmp_path / "bad.tar", DAMAGES[what])
    with pytest.raises(LicensingError) as caught:
        verify_backup(bad, PASSPHRASE)
    assert caught.value.problem in {Problem.CORRUPT, Problem.MALFORMED}
    with pytest.raises(LicensingError):
        restore_backup(bad, ServerConfig(data_dir=tmp_path / "ls"), PASSPHRASE)
    assert not (tmp_path / "ls" / "ledger.db").exists()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_a_backup_is_none(office, tmp_path, share):
    content = office.backup.read_bytes()
    cut = tmp_path / "cut.tar"
    cut.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(LicensingError):
        verify_backup(cut, PASSPHRASE)


def test_a_restored_server_is_the_same_and_in_quarantine(office, tmp_path):
    restored(office, tmp_path / "ls")
    for name in KEYS:
        assert (tmp_path / "ls" / name).read_bytes() == (office.data / name).read_bytes()
        assert stat.S_IMODE((tmp_path / "ls" / name).stat().st_mode) == 0o600
    assert state_of(tmp_path / "ls", office) == ("quarantined", True)


def state_of(folder: Path, office) -> tuple[str, bool]:
    """Whether a server that starts there is in quarantine, and whether its ledger holds."""
    server = LicenseServer(ServerConfig(data_dir=folder), clock=office.clock)
    try:
        found = server.ledger.write(quarantine_of)
        holds = bool(server.services().audit.verify(None)["holds"])
        assert found is None or found.cause is Cause.RESTORED
        return ("quarantined" if found else "free"), holds
    finally:
        server.close()


def test_it_is_not_restored_over_a_server_that_runs(office, tmp_path):
    import fcntl

    restored(office, tmp_path / "ls")
    with (tmp_path / "ls" / "ledger.db.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LicensingError) as caught:
            restored(office, tmp_path / "ls", replace=True)
    assert caught.value.problem is Problem.CONFLICT
    assert "stop that one first" in (caught.value.helps or "")


def test_a_newer_ledger_is_replaced_only_if_told_so_and_kept_aside(office, tmp_path):
    restored(office, tmp_path / "ls")
    state_of(tmp_path / "ls", office)
    with pytest.raises(LicensingError) as caught:
        restored(office, tmp_path / "ls")
    assert caught.value.problem is Problem.CONFLICT
    assert "newer" in caught.value.detail
    found = restored(office, tmp_path / "ls", replace=True)
    assert (Path(found["before"]) / "ledger.db").exists()
    assert (Path(found["before"]) / "server.key").exists()


def test_another_servers_ledger_is_replaced_only_if_told_so(office, tmp_path):
    LicenseServer(ServerConfig(data_dir=tmp_path / "ls")).close()
    with pytest.raises(LicensingError, match="another license server"):
        restored(office, tmp_path / "ls")
    restored(office, tmp_path / "ls", replace=True)
    assert state_of(tmp_path / "ls", office) == ("quarantined", True)


KILLED = """
import ctypes, os, signal, sys
from pathlib import Path
import calward.adapters.backup.restoring as restoring
from calward.bootstrap.backup import restore_backup
from calward.config import ServerConfig
at = int(sys.argv[3])
made = 0
def counted(call):
    def instead(*a, **k):
        global made
        made += 1
        if made == at:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*a, **k)
    return instead
for name in ("rename", "replace", "unlink", "mkdir"):
    setattr(Path, name, counted(getattr(Path, name)))
os.open = counted(os.open)
os.fsync = counted(os.fsync)
restore_backup(Path(sys.argv[1]), ServerConfig(data_dir=Path(sys.argv[2])), "a long passphrase", replace=True)
print("done", made)
"""
STEP = int(os.environ.get("CALWARD_RESTORE_STEP", "9"))


@pytest.mark.timeout(600)
@pytest.mark.slow
def test_killed_at_any_point_a_restore_leaves_the_old_server_or_says_that_it_is_to_be_finished(office, tmp_path):
    """A server starts on the old files, or on the new ones, or not at all; the same restore done again always ends well."""
    at, outcomes = 1, set()
    while True:
        folder = tmp_path / str(at)
        LicenseServer(ServerConfig(data_dir=folder)).close()
        old = (folder / "server.key").read_bytes()
        command = [sys.executable, "-c", KILLED, str(office.backup), str(folder), str(at)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        assert ran.returncode in {0, -signal.SIGKILL}, ran.stderr
        if (folder / NOTE).exists():
            outcomes.add("unfinished")
            with pytest.raises(LicensingError, match="was cut off"):
                LicenseServer(ServerConfig(data_dir=folder))
        elif (folder / "server.key").read_bytes() == old:
            outcomes.add("old")
            assert state_of(folder, office) == ("free", True)
        else:
            outcomes.add("new")
            assert state_of(folder, office) == ("quarantined", True)
        restored(office, folder, replace=(folder / NOTE).exists() is False)
        assert state_of(folder, office) == ("quarantined", True)
        assert (folder / "server.key").read_bytes() == (office.data / "server.key").read_bytes()
        if ran.returncode == 0:
            break
        at += STEP
    assert outcomes == {"old", "unfinished", "new"}


def test_the_copy_is_of_one_moment_while_others_write(office, tmp_path):
    """Whatever is written meanwhile, the copy refolds without a finding and its checkpoint is of exactly its events."""
    with office.serving() as served:
        host = office.enroll(served, "SH-live")
        import threading

        going = threading.Event()

        def write() -> None:
            number = 0
            while not going.is_set():
                number += 1
                host.ask(served, f"live {number}")

        thread = threading.Thread(target=write)
        thread.start()
        try:
            made = [
                create_backup(ServerConfig(data_dir=office.data), tmp_path / f"{n}.tar", PASSPHRASE, clock=office.clock)
                for n in range(3)
            ]
        finally:
            going.set()
            thread.join()
    sizes = [manifest.facts["events"] for _, manifest in made]
    assert sizes == sorted(sizes)
    assert sizes[-1] > sizes[0]
    for path, _ in made:
        assert verify_backup(path, None)["holds"] is True


def test_a_clearinghouse_comes_back_with_its_keys_and_its_register(office, tmp_path):
    backup, _ = back_up_house(office.folder / "ch", tmp_path, PASSPHRASE, clock=office.clock)
    assert backup.name.startswith("calward-clearinghouse-")
    found = verify_backup(backup, PASSPHRASE, clock=office.clock)
    assert (found["holds"], found["servers"], found["packs"]) == (True, 1, 1)
    restore_house(backup, tmp_path / "ch", PASSPHRASE, clock=office.clock)
    for name in ("root.key", "pack.key", "activation.key", "keyring.json", "root.pub"):
        assert (tmp_path / "ch" / name).read_bytes() == (office.folder / "ch" / name).read_bytes()
    with pytest.raises(LicensingError, match="there is a clearinghouse"):
        restore_house(backup, tmp_path / "ch", PASSPHRASE, clock=office.clock)
    restore_house(backup, tmp_path / "ch", PASSPHRASE, replace=True, clock=office.clock)
    with pytest.raises(LicensingError, match="not of a license server"):
        restore_backup(backup, ServerConfig(data_dir=tmp_path / "ls"), PASSPHRASE)
    with pytest.raises(LicensingError, match="not of a clearinghouse"):
        restore_house(office.backup, tmp_path / "other", PASSPHRASE)


def test_the_manifest_names_every_file_and_its_digest(office):
    listed = read_manifest(office.backup).files
    assert set(listed) == {
        "checkpoint.txt", "ledger.db", "secrets.json", "server.id", "settings.toml", "wire.pem",
    }  # fmt: skip
    assert all(len(digest) == 64 for _, digest in listed.values())


@pytest.mark.postgresql
@pytest.mark.xdist_group("postgresql")
def test_of_postgresql_it_keeps_the_keys_and_a_checkpoint_and_marks_the_database_that_was_restored(
    postgresql_database, tmp_path
):
    config = ServerConfig(data_dir=tmp_path / "ls", database=postgresql_database)
    LicenseServer(config).close()
    backup, manifest = create_backup(config, tmp_path / "keys.tar", PASSPHRASE)
    assert "ledger.db" not in manifest.files
    assert "pg_dump" in verify_backup(backup, PASSPHRASE)["ledger"]
    again = ServerConfig(data_dir=tmp_path / "again", database=postgresql_database)
    with pytest.raises(LicensingError, match="other kind of database"):
        restore_backup(backup, ServerConfig(data_dir=tmp_path / "again"), PASSPHRASE)
    restore_backup(backup, again, PASSPHRASE)
    server = LicenseServer(again)
    try:
        assert server.ledger.write(quarantine_of).cause is Cause.RESTORED
        checkpoint = verify_note_text(backup)
        assert server.services().audit.verify(checkpoint)["holds"] is True
    finally:
        server.close()


def verify_note_text(backup: Path) -> str:
    with tarfile.open(backup) as tar:
        return tar.extractfile("checkpoint.txt").read().decode()


@pytest.mark.postgresql
@pytest.mark.xdist_group("postgresql")
def test_a_database_that_is_another_one_is_not_marked(postgresql_database, office, tmp_path):
    other = ServerConfig(data_dir=tmp_path / "other", database=postgresql_database)
    LicenseServer(other).close()
    keys = rewritten(office.backup, tmp_path / "keys.tar", without_ledger)
    with pytest.raises(LicensingError, match="pg_restore"):
        restore_backup(keys, ServerConfig(data_dir=tmp_path / "ls", database=postgresql_database), PASSPHRASE)
    server = LicenseServer(other)
    try:
        assert server.ledger.write(quarantine_of) is None
    finally:
        server.close()


def without_ledger(files: dict[str, bytes]) -> None:
    manifest = json.loads(files[MANIFEST])
    del files["ledger.db"], manifest["files"]["ledger.db"]
    files[MANIFEST] = json.dumps(manifest).encode()
