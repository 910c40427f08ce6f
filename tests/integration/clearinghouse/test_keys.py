"""The clearinghouse's keys: encrypted on the disk, and exchanged while license servers go on."""

from pathlib import Path

import pytest

from calward.adapters.passphrases import PASSPHRASE_FILE
from calward.adapters.signing import load_signer
from calward.app.clearinghouse.desk import Clearinghouse
from calward.bootstrap.clearinghouse import clearinghouse
from calward.domain.errors import LicensingError, Problem
from calward.domain.trust import Role
from tests.support.asking_server import AskingServer
from tests.support.clearinghouses import ClearinghouseWiring
from tests.support.command_line import calward

SECRET = "correct horse battery staple"


@pytest.fixture
def passphrase_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(f"{SECRET}\n")
    path.chmod(0o600)
    monkeypatch.setenv(PASSPHRASE_FILE, str(path))
    return path


@pytest.fixture
def locked(desk: Clearinghouse, folder: Path, passphrase_file: Path) -> Path:
    """A clearinghouse's folder with encrypted keys, whose passphrase is in the file."""
    ran = calward("clearinghouse", "encrypt-keys", "--dir", str(folder), **{PASSPHRASE_FILE: str(passphrase_file)})
    assert ran.code == 0, ran
    return folder


def test_keys_are_encrypted_and_open_with_their_passphrase_only(
    wiring: ClearinghouseWiring, locked: Path, desk: Clearinghouse, passphrase_file: Path
) -> None:
    for role in Role:
        assert "private:" not in (locked / f"{role}.key").read_text()
        assert (locked / f"{role}.key").stat().st_mode & 0o077 == 0
    again = wiring.open_clearinghouse(locked)
    assert again.pack_signer.public_key == desk.pack_signer.public_key
    passphrase_file.write_text("another one entirely\n")
    with pytest.raises(LicensingError, match="passphrase does not open") as caught:
        wiring.open_clearinghouse(locked)
    assert caught.value.problem is Problem.UNAUTHORIZED


def test_without_a_passphrase_nothing_opens_and_it_says_how(locked: Path) -> None:
    ran = calward("clearinghouse", "show", "--dir", str(locked))
    assert ran.code == 5
    assert PASSPHRASE_FILE in ran.err


def test_a_key_file_in_which_a_line_was_exchanged_does_not_open(locked: Path) -> None:
    path = locked / "pack.key"
    other = load_signer(locked / "activation.key", Role.ACTIVATION, passphrase=SECRET.encode)
    lines = path.read_text().splitlines()
    lines[3] = f"public: {other.public_key.hex()}"
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(LicensingError, match="or the file was changed"):
        load_signer(path, Role.PACK, passphrase=SECRET.encode)


def test_what_is_encrypted_stays_so_and_a_short_passphrase_is_none(
    folder: Path, desk: Clearinghouse, passphrase_file: Path
) -> None:
    passphrase_file.write_text("short\n")
    way = {PASSPHRASE_FILE: str(passphrase_file)}
    assert calward("clearinghouse", "encrypt-keys", "--dir", str(folder), **way).code == 2
    assert "private:" in (folder / "pack.key").read_text()
    passphrase_file.write_text(f"{SECRET}\n")
    assert calward("clearinghouse", "encrypt-keys", "--dir", str(folder), **way).code == 0
    before = (folder / "pack.key").read_text()
    assert "they are encrypted" in calward("clearinghouse", "encrypt-keys", "--dir", str(folder), **way).out
    assert (folder / "pack.key").read_text() == before


@pytest.mark.parametrize("encrypted", [False, True])
def test_a_rotation_is_rehearsed(
    wiring: ClearinghouseWiring, folder: Path, new: AskingServer, request: pytest.FixtureRequest, encrypted: bool
) -> None:
    if encrypted:
        request.getfixturevalue("locked")
    old_key = new.desk.pack_signer.public_key
    ring = wiring.rotate_clearinghouse_key(folder, Role.PACK, 90, 1825, None)
    desk = wiring.open_clearinghouse(folder)
    new_key = desk.pack_signer.public_key
    assert new_key != old_key
    assert ring.keys_of(Role.PACK) == {old_key, new_key}
    assert ("sealed:" in (folder / "pack.key").read_text()) is encrypted
    # After these days the old one is no longer accepted, once a keyring was published.
    wiring.clock.pass_days(91)
    wiring.publish_keyring(folder, None, 1825, None)
    assert desk.keyring()[0].keys_of(Role.PACK) == {new_key}


def test_a_stolen_key_is_out_at_once(wiring: ClearinghouseWiring, folder: Path, desk: Clearinghouse) -> None:
    stolen = desk.activation_signer.public_key
    ring = wiring.rotate_clearinghouse_key(folder, Role.ACTIVATION, 0, 1825, None)
    assert stolen not in ring.keys_of(Role.ACTIVATION)
    assert len(ring.keys_of(Role.ACTIVATION)) == 1


def test_a_rotation_that_was_cut_off_goes_on_with_the_key_that_it_had_made(
    wiring: ClearinghouseWiring, folder: Path, desk: Clearinghouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = desk.pack_signer.public_key

    def cut_off(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", cut_off)
        with pytest.raises(KeyboardInterrupt):
            wiring.rotate_clearinghouse_key(folder, Role.PACK, 90, 1825, None)
    made = load_signer(folder / "pack.key.next", Role.PACK).public_key
    assert wiring.open_clearinghouse(folder).pack_signer.public_key == old
    ring = wiring.rotate_clearinghouse_key(folder, Role.PACK, 90, 1825, None)
    assert wiring.open_clearinghouse(folder).pack_signer.public_key == made
    assert ring.keys_of(Role.PACK) == {old, made}
    assert not (folder / "pack.key.next").exists()


def test_the_root_is_not_rotated_so(wiring: ClearinghouseWiring, folder: Path, desk: Clearinghouse) -> None:
    with pytest.raises(LicensingError, match="setting roots"):
        wiring.rotate_clearinghouse_key(folder, Role.ROOT, 90, 1825, None)
    assert clearinghouse(folder, wiring.clock, wiring.entropy).keyring()[0].version == 1


def test_who_serves_with_plain_keys_is_told_so(wiring: ClearinghouseWiring, folder: Path, desk: Clearinghouse) -> None:
    ran = calward("clearinghouse", "serve", "--dir", str(folder), wiring=wiring)
    assert "warning: pack.key is not encrypted: calward clearinghouse encrypt-keys" in ran.err
    assert ran.code == 0


def test_plain_keys_of_an_earlier_release_still_open(
    wiring: ClearinghouseWiring, folder: Path, desk: Clearinghouse
) -> None:
    assert "private:" in (folder / "pack.key").read_text()
    assert wiring.open_clearinghouse(folder).pack_signer.public_key == desk.pack_signer.public_key
