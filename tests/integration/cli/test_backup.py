"""``calward backup`` as an administrator types it."""

import json

import pytest

from calward.bootstrap.license_server import LicenseServer
from calward.bootstrap.program import main
from calward.config import ServerConfig


@pytest.fixture
def data(tmp_path):
    LicenseServer(ServerConfig(data_dir=tmp_path / "ls", name="LS one")).close()
    return tmp_path / "ls"


@pytest.fixture
def secret(tmp_path):
    file = tmp_path / "pass"
    file.write_text("a long passphrase\n")
    file.chmod(0o600)
    return ("--passphrase-file", str(file))


@pytest.fixture
def run(capsys, monkeypatch):
    for name in ("CALWARD_PASSPHRASE_FILE", "CALWARD_DATABASE", "CALWARD_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)

    def ran(*words):
        code = main([str(word) for word in words])
        said = capsys.readouterr()
        return code, said.out, said.err

    return ran


def test_a_backup_goes_there_and_back(data, secret, run, tmp_path):
    code, out, err = run("backup", "create", tmp_path, "--data-dir", data, *secret, "--json")
    assert code == 0, err
    said = json.loads(out)
    assert said["file"].startswith(str(tmp_path / "calward-LS-one-"))
    code, out, _ = run("backup", "verify", said["file"], *secret)
    assert code == 0
    assert out.endswith("the backup holds\n")
    code, out, err = run("backup", "restore", said["file"], "--data-dir", tmp_path / "new", *secret)
    assert code == 0, err
    assert "it starts with temporary licenses only" in out
    again = LicenseServer(ServerConfig(data_dir=tmp_path / "new"))
    assert again.server.name == "LS one"
    assert again.server.quarantined_at is not None
    again.close()


def test_verify_without_a_passphrase_says_that_the_keys_were_left_out(data, secret, run, tmp_path):
    file = tmp_path / "one.tar"
    assert run("backup", "create", file, "--data-dir", data, *secret)[0] == 0
    code, out, _ = run("backup", "verify", file)
    assert code == 0
    assert "not looked into: no passphrase was given" in out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("verify", "{tmp}/nothing.tar"), 3, "there is no file"),
        (("verify", "{tmp}/pass"), 2, "is no backup of ours"),
        (("create", "{tmp}/x.tar", "--data-dir", "{tmp}/nothing"), 3, "there is no key file"),
        (("create", "{tmp}/no/x.tar", "--data-dir", "{tmp}/ls"), 3, "there is no folder"),
        (("create", "{tmp}/x.tar", "--clearinghouse", "{tmp}/ls"), 3, "there is no clearinghouse"),
    ],
)
def test_what_is_not_there_is_said_with_its_exit_code(data, secret, run, tmp_path, words, code, said):
    found = run("backup", *(word.format(tmp=tmp_path) for word in words), *secret)
    assert (found[0], said in found[2]) == (code, True), found


def test_a_passphrase_that_others_can_read_is_not_used(data, run, tmp_path):
    file = tmp_path / "open"
    file.write_text("a long passphrase")
    file.chmod(0o644)
    code, _, err = run("backup", "create", tmp_path, "--data-dir", data, "--passphrase-file", file)
    assert code == 5
    assert "chmod 600" in err


def test_a_damaged_backup_ends_with_the_code_of_findings(data, secret, run, tmp_path):
    file = tmp_path / "one.tar"
    run("backup", "create", file, "--data-dir", data, *secret)
    content = bytearray(file.read_bytes())
    content[content.index(b"SQLite format 3") + 3000] ^= 1
    (tmp_path / "bad.tar").write_bytes(content)
    code, _, err = run("backup", "verify", tmp_path / "bad.tar")
    assert code == 7
    assert "ledger.db is not what its manifest says" in err
