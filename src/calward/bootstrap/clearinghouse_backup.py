"""How is a clearinghouse's folder backed up, and how does it come back?

Its database as one moment saw it, its keys under a passphrase (the root key only while it lies in the folder), keyring and ladders.
"""

import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from calward.adapters.backup.archive import Manifest, digest_of, unpack, write_archive
from calward.adapters.backup.restoring import Replacement, put_in_place, under_way
from calward.adapters.backup.secrets import open_secrets, seal_secrets
from calward.adapters.backup.sqlite_copy import check_sqlite, copy_sqlite
from calward.adapters.clearinghouse import SqliteClearinghouseStore
from calward.adapters.system import SystemClock
from calward.app.clearinghouse.ports import Book
from calward.app.ports import Clock
from calward.bootstrap.backup import KIND as SERVER_KIND
from calward.bootstrap.backup import SECRETS, laid_ready, look_into, stamp, workplace
from calward.bootstrap.clearinghouse import KEYRING_FILE, LADDERS_FOLDER, STORE_FILE
from calward.domain.answers import rfc3339
from calward.domain.envelope import decode_envelope
from calward.domain.errors import LicensingError, Problem
from calward.domain.trust import Keyring

__all__ = ["KIND", "back_up_house", "look_into_house", "restore_house", "verify_backup"]

KIND: Final = "clearinghouse"
_LADDER: Final = "ladder-"
_OPEN: Final = (KEYRING_FILE, "root.pub", "retired-keys.json")


def back_up_house(
    data_dir: Path, target: Path, passphrase: str, *, clock: Clock | None = None
) -> tuple[Path, Manifest]:
    """Back up a clearinghouse, running or not; raises what ``create_backup`` raises."""
    time = clock or SystemClock()
    if not (data_dir / STORE_FILE).is_file():
        raise LicensingError(Problem.NOT_FOUND, f"there is no clearinghouse in {data_dir}")
    keys = {one.name: one.read_bytes() for one in sorted(data_dir.glob("*.key"))}
    files = {SECRETS: seal_secrets(keys, passphrase)}
    files |= {name: (data_dir / name).read_bytes() for name in _OPEN if (data_dir / name).is_file()}
    files |= {_LADDER + one.name: one.read_bytes() for one in sorted((data_dir / LADDERS_FOLDER).glob("*.toml"))}
    with workplace(target) as folder:
        copy_sqlite(data_dir / STORE_FILE, folder / STORE_FILE)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        facts = {"name": _name(files), "key_files": sorted(keys)}
        manifest = Manifest(KIND, rfc3339(time.now()), version("calward"), facts)
        place = target / f"calward-clearinghouse-{stamp(time)}.tar" if target.is_dir() else target
        return place, write_archive(place, manifest, {one.name: one for one in sorted(folder.iterdir())})


def look_into_house(
    folder: Path,
    manifest: Manifest,
    passphrase: str | None,
    *,
    clock: Clock | None = None,  # noqa: ARG001 - as ``look_into``
) -> dict[str, Any]:
    """Verify an unpacked backup of a clearinghouse; with the passphrase its keys too."""
    found = {"kind": manifest.kind, "made_at": manifest.made_at, "release": manifest.release} | dict(manifest.facts)
    check_sqlite(folder / STORE_FILE)
    counts = SqliteClearinghouseStore(folder / STORE_FILE).read(_counts)
    found |= {"holds": True, "findings": [], "keys": "not looked into: no passphrase was given"} | counts
    if passphrase is None:
        return found
    secrets = open_secrets((folder / SECRETS).read_bytes(), passphrase)
    return found | {"keys": f"the passphrase opens them: {', '.join(sorted(secrets))}"}


def _counts(book: Book) -> dict[str, int]:
    return {
        "servers": len(book.parties.servers()),
        "packs": len(book.register.packs()),
        "purchases": len(book.purchases.all()),
    }


def _name(files: Mapping[str, bytes]) -> str:
    """What the clearinghouse calls itself in its keyring."""
    envelope = decode_envelope(files[KEYRING_FILE].strip())
    return Keyring.from_payload(envelope.payload).clearinghouse


def verify_backup(archive: Path, passphrase: str | None, *, clock: Clock | None = None) -> dict[str, Any]:
    """Unpack a backup of either kind where nobody else can look in, and look through it."""
    with tempfile.TemporaryDirectory(prefix="calward-verify-") as made:
        folder = Path(made)
        manifest = unpack(archive, folder)
        look = {KIND: look_into_house, SERVER_KIND: look_into}.get(manifest.kind)
        if look is None:
            raise LicensingError(
                Problem.MALFORMED, f"{archive} is a backup of a {manifest.kind}, which is nothing of ours"
            )
        return look(folder, manifest, passphrase, clock=clock)


def restore_house(
    archive: Path, data_dir: Path, passphrase: str, *, replace: bool = False, clock: Clock | None = None
) -> dict[str, Any]:
    """Put a clearinghouse back into a folder. Nothing can tell whether a register there is newer: it is replaced only if told so.

    The clearinghouse must not be running. Raises what ``restore_backup`` raises.
    """
    time = clock or SystemClock()
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    backup = digest_of(archive)
    if (data_dir / STORE_FILE).exists() and not replace and under_way(data_dir) != backup:
        detail = (
            f"there is a clearinghouse in {data_dir}: name an empty folder, or say --replace (the old files are kept)"
        )
        raise LicensingError(Problem.CONFLICT, detail)
    with ExitStack() as stack:
        folder = stack.enter_context(workplace(data_dir / "restore"))
        manifest = unpack(archive, folder)
        if manifest.kind != KIND:
            raise LicensingError(
                Problem.MALFORMED, f"{archive} is a backup of a {manifest.kind}, not of a clearinghouse"
            )
        found = look_into_house(folder, manifest, passphrase, clock=time)
        secrets = open_secrets((folder / SECRETS).read_bytes(), passphrase)
        replacements = _laid_out(folder, data_dir, secrets)
        place = data_dir / STORE_FILE
        replacements += [Replacement(place.with_name(place.name + end), None) for end in ("-wal", "-shm", "-journal")]
        ready = place.with_name(f".{place.name}.restored")
        ready.unlink(missing_ok=True)
        copy_sqlite(folder / STORE_FILE, ready)
        aside = put_in_place(data_dir, backup, stamp(time), [*replacements, Replacement(place, ready)])
        kept = {"before": str(aside)} if aside.exists() else {}
        return found | kept | {"data_dir": str(data_dir), "outcome": "restored"}


def _laid_out(folder: Path, target: Path, secrets: Mapping[str, bytes]) -> list[Replacement]:
    """All files but the database, laid ready in a folder."""
    ladders = target / LADDERS_FOLDER
    ladders.mkdir(mode=0o700, exist_ok=True)
    found = [laid_ready(target / name, content) for name, content in secrets.items()]
    found += [laid_ready(target / name, (folder / name).read_bytes()) for name in _OPEN if (folder / name).exists()]
    own = sorted(folder.glob(f"{_LADDER}*"))
    return found + [laid_ready(ladders / one.name.removeprefix(_LADDER), one.read_bytes()) for one in own]
