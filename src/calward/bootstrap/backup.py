"""How is a license server backed up, and how does it come back?

A backup holds a consistent copy of the ledger (SQLite; of PostgreSQL the database's own tools make it), the keys under a passphrase, what
else lies in the data folder, the settings that matter, and a checkpoint that the server's key has signed over exactly this copy.
A restored ledger starts in quarantine: it may be older than what hosts have seen of it.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from calward.adapters.backup.archive import Manifest, digest_of, unpack, write_archive
from calward.adapters.backup.restoring import Replacement, put_in_place, under_way
from calward.adapters.backup.secrets import open_secrets, seal_secrets
from calward.adapters.backup.sqlite_copy import check_sqlite, copy_sqlite
from calward.adapters.ladders import load_ladder, shipped_ladders
from calward.adapters.signing import load_signer, verify
from calward.adapters.store import tables
from calward.adapters.store.engines import dialect_of, open_reader, sqlite_path
from calward.adapters.store.ledger import SqlLedger
from calward.adapters.store.migrate import migrate
from calward.adapters.store.reader import SqlReader
from calward.adapters.store.records import open_records
from calward.adapters.store.standing import SqlTree
from calward.adapters.store.tree import AuditLog, log_origin
from calward.adapters.system import SystemClock, SystemEntropy
from calward.app.licensing.quarantine import enter_quarantine
from calward.app.licensing.records import LogKey
from calward.app.licensing.verify_ledger import verify_ledger
from calward.app.ports import Book, Clock
from calward.bootstrap.data_folder import alone, private_folder
from calward.bootstrap.server_keys import SERVER_ROLE
from calward.config import ServerConfig
from calward.domain.answers import rfc3339
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import read_event
from calward.domain.notes import parse_checkpoint, parse_note, verify_note
from calward.domain.quarantine import Cause, Quarantine

__all__ = ["KIND", "SECRETS", "create_backup", "laid_ready", "look_into", "restore_backup", "stamp", "workplace"]

KIND: Final = "license-server"
LEDGER, CHECKPOINT, SECRETS, SETTINGS, LADDER = (
    "ledger.db", "checkpoint.txt", "secrets.json", "settings.toml", "ladder.toml",
)  # fmt: skip
_SECRET: Final = ("server.key", "license.key", "wire.key", "tls.key")
_OPEN: Final = ("wire.pem", "tls.pem", "server.id")
_KEPT_SETTINGS: Final = (
    "listen", "self_signed", "name", "server_version", "ladder", "clearinghouse", "roots",
)  # fmt: skip
"""Not what names places on this machine, nor a database, whose address may hold a password."""


def create_backup(
    config: ServerConfig, target: Path, passphrase: str, *, clock: Clock | None = None
) -> tuple[Path, Manifest]:
    """Back up a license server, running or not, into a new file, or into a folder under a name of its own.

    Raises: LicensingError: NOT_FOUND: there is none; MALFORMED: the passphrase is too short; CONFLICT, UNAVAILABLE.
    """
    time = clock or SystemClock()
    key = load_signer(config.data_dir / "server.key", SERVER_ROLE)
    sealed = seal_secrets(_read(config.data_dir, _SECRET), passphrase)
    with workplace(target) as folder:
        files = {SECRETS: sealed, SETTINGS: _settings(config)} | _read(config.data_dir, _OPEN)
        if config.ladder not in {"", *shipped_ladders()}:
            files[LADDER] = Path(config.ladder).read_bytes()
        url = config.database_url
        if dialect_of(url) == "sqlite":
            copy_sqlite(sqlite_path(url), folder / LEDGER)
            url = f"sqlite:///{folder / LEDGER}"
            migrate(url)
        facts, files[CHECKPOINT] = _checkpoint(url, key, time)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        manifest = Manifest(KIND, rfc3339(time.now()), version("calward"), facts | {"database": dialect_of(url)})
        place = target / f"calward-{_plain(facts['name'])}-{stamp(time)}.tar" if target.is_dir() else target
        return place, write_archive(place, manifest, _files(folder))


def look_into(
    folder: Path, manifest: Manifest, passphrase: str | None, *, clock: Clock | None = None
) -> dict[str, Any]:
    """Verify an unpacked backup, and say what is in it.

    Returns: ``holds`` and ``findings`` of the audit, and what people want to know. Raises: LicensingError: CORRUPT: a part is damaged;
    UNAUTHORIZED: another passphrase.
    """
    facts, now = manifest.facts, (clock or SystemClock()).now()
    found: dict[str, Any] = {"kind": manifest.kind, "made_at": manifest.made_at, "release": manifest.release} | dict(
        facts
    )
    found["keys"] = "not looked into: no passphrase was given"
    if passphrase is not None:
        found["keys"] = _check_secrets(folder, facts, passphrase)
    note = (folder / CHECKPOINT).read_text(encoding="utf-8")
    key = LogKey(f"{facts['server_id']}/calward", (bytes.fromhex(facts["server_key"]),), verify)
    if not verify_note(parse_note(note), key.origin, key.public_keys[0], verify):
        raise LicensingError(Problem.CORRUPT, "the backup's checkpoint is not signed by the key of its license server")
    if not (folder / LEDGER).exists():
        return found | {"holds": True, "findings": [], "ledger": "not in this backup: PostgreSQL is dumped by pg_dump"}
    return found | _look_into_ledger(folder, str(facts["ladder"]), note, key, now)


def restore_backup(
    archive: Path, config: ServerConfig, passphrase: str, *, replace: bool = False, clock: Clock | None = None
) -> dict[str, Any]:
    """Put a license server back into its data folder; its ledger starts in quarantine.

    ``replace``: also over a ledger that is newer, or another server's. Raises: LicensingError: CONFLICT: a server runs there, or the
    ledger there is newer; CORRUPT: the backup does not hold; what ``look_into`` raises.
    """
    time = clock or SystemClock()
    private_folder(config.data_dir)
    with ExitStack() as stack:
        stack.enter_context(alone(config.database_url))
        for left in config.data_dir.glob(".calward-*"):  # Of a restore that was killed.
            shutil.rmtree(left, ignore_errors=True)
        folder = stack.enter_context(workplace(config.data_dir / "restore"))
        manifest = unpack(archive, folder)
        if manifest.kind != KIND:
            raise LicensingError(
                Problem.MALFORMED, f"{archive} is a backup of a {manifest.kind}, not of a license server"
            )
        found = look_into(folder, manifest, passphrase, clock=time)
        if not found["holds"]:
            detail = "the ledger in the backup does not hold: calward backup verify shows what; use an older backup"
            raise LicensingError(Problem.CORRUPT, detail)
        backup = digest_of(archive)
        if not replace and under_way(config.data_dir) != backup:
            _refuse_newer(config, found)
        return _put_back(folder, config, passphrase, backup, found, time)


def _put_back(
    folder: Path, config: ServerConfig, passphrase: str, backup: str, found: Mapping[str, Any], time: Clock
) -> dict[str, Any]:
    ledger = folder / LEDGER
    in_file = dialect_of(config.database_url) == "sqlite"
    if in_file != ledger.exists():
        detail = "the backup is of the other kind of database: name the right one by --database"
        raise LicensingError(Problem.MALFORMED, detail, field="database")
    if not in_file:
        _check_restored_dump(config.database_url, folder)
    _quarantine(f"sqlite:///{ledger}" if in_file else config.database_url, int(found["events"]), time)
    secrets = open_secrets((folder / SECRETS).read_bytes(), passphrase)
    others = {name: (folder / name).read_bytes() for name in (*_OPEN, LADDER) if (folder / name).exists()}
    others["restored-settings.toml"] = (folder / SETTINGS).read_bytes()
    replacements = [laid_ready(config.data_dir / name, content) for name, content in (secrets | others).items()]
    if in_file:
        place = sqlite_path(config.database_url)
        replacements += [Replacement(place.with_name(place.name + end), None) for end in ("-wal", "-shm")]
        ready = place.with_name(f".{place.name}.restored")
        ready.unlink(missing_ok=True)
        copy_sqlite(ledger, ready)
        replacements.append(Replacement(place, ready))
    aside = put_in_place(config.data_dir, backup, stamp(time), replacements)
    kept = {"before": str(aside)} if aside.exists() else {}
    return dict(found) | kept | {"data_dir": str(config.data_dir), "outcome": "restored"}


def laid_ready(place: Path, content: bytes) -> Replacement:
    """Write a file beside its place, its owner's alone and on the disk."""
    ready = place.with_name(f".{place.name}.restored")
    ready.unlink(missing_ok=True)
    handle = os.open(ready, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return Replacement(place, ready)


def _check_restored_dump(url: str, folder: Path) -> None:
    """The database must hold all that the backup's checkpoint was signed over, and may hold more: the dump was made after it."""
    kept = parse_checkpoint(parse_note((folder / CHECKPOINT).read_text(encoding="utf-8")).text)
    reader = open_reader(url)
    try:
        migrate(url)
        tree = SqlTree(reader)
        size = tree.standing().size
        fits = size >= kept.size and (kept.size == 0 or tree.roots_at([kept.size])[kept.size] == kept.root)
    finally:
        reader.dispose()
    if not fits:
        detail = (
            f"the database holds {size} events that are not those of the backup's checkpoint ({kept.size}): restore the dump that was made "
            "after this backup first (pg_restore)"
        )
        raise LicensingError(Problem.CONFLICT, detail, field="database")


def _quarantine(url: str, events: int, time: Clock) -> None:
    """Mark the ledger, before it is in its place: it may be older than what others have seen of it."""

    def act(book: Book) -> None:
        now = book.now()
        enter_quarantine(Quarantine(Cause.RESTORED, now, events), book, now=now, by=f"local:{os.geteuid()}")

    with closing(_ledger(url, time)) as ledger:
        ledger.write(act)


def _refuse_newer(config: ServerConfig, found: Mapping[str, Any]) -> None:
    """What lies there already must be of the same server, and not newer."""
    url = config.database_url
    if dialect_of(url) != "sqlite" or not sqlite_path(url).exists() or not sqlite_path(url).stat().st_size:
        return
    server, events = _glance(url)
    if server is None or (server == found["server_id"] and events <= int(found["events"])):
        return
    newer = "of another license server" if server != found["server_id"] else f"newer ({events} events)"
    detail = (
        f"the ledger in {sqlite_path(url)} is {newer}, the backup holds {found['events']} events: what was issued since would be lost; "
        "say --replace to do it all the same (the old files are kept)"
    )
    raise LicensingError(Problem.CONFLICT, detail)


def _glance(url: str) -> tuple[str | None, int]:
    """Whose ledger it is and how many events it has; one that cannot be read is nobody's."""
    reader = open_reader(url)
    try:
        with reader.connect() as connection:
            body = connection.scalar(select(tables.server.c.body))
            last = connection.scalar(select(tables.event.c.id).order_by(tables.event.c.id.desc()).limit(1))
    except Exception:  # noqa: BLE001 - a broken ledger is what backups are for
        return None, 0
    finally:
        reader.dispose()
    return (json.loads(body)["id"] if body else None), int(last or 0)


def _checkpoint(url: str, key: Any, time: Clock) -> tuple[dict[str, Any], bytes]:  # noqa: ANN401 - a signer
    """Sign what the ledger is; what the manifest tells of it, and the note."""
    reader = open_reader(url)
    with closing(_ledger(url, time)) as ledger:
        try:
            server = ledger.write(lambda book: book.server())
            log = AuditLog(ledger, reader, log_origin(server), key, time)
            note = log.store_checkpoint()
            size = log.frontier().size
        finally:
            reader.dispose()  # First: whoever closes last on SQLite folds the log into the file.
    facts = {"server_id": server.id, "name": server.name, "server_version": server.version, "ladder": server.ladder}
    return facts | {"events": size, "server_key": key.public_key.hex()}, note.encode()


def _look_into_ledger(folder: Path, ladder: str, note: str, key: LogKey, now: int) -> dict[str, Any]:
    check_sqlite(folder / LEDGER)
    own = folder / LADDER
    reader = open_reader(f"sqlite:///{folder / LEDGER}")
    try:
        with open_records(reader) as records:
            audit = verify_ledger(records, key, load_ladder(str(own) if own.exists() else ladder), kept=[note])
        return _contents(reader, now) | {
            "holds": audit.holds,
            "findings": [{"what": x.what.value, "where": x.where, "expected": x.expected, "found": x.found} for x in audit.findings],
        }  # fmt: skip
    finally:
        reader.dispose()


def _contents(reader: Any, now: int) -> dict[str, Any]:  # noqa: ANN401 - a reading engine
    rows = SqlReader(reader)
    with reader.connect() as connection:
        last = connection.scalar(select(tables.event.c.body).order_by(tables.event.c.id.desc()).limit(1))
    packs = [
        {
            "id": x.pack.id,
            "version": x.pack.version,
            "type": x.pack.type.value,
            "total": x.pack.total,
            "issued": x.issued,
        }
        for x in rows.packs(now)
    ]
    licenses: dict[str, int] = {}
    for one in rows.counts(now):
        licenses[str(one.status)] = licenses.get(str(one.status), 0) + one.number
    hosts = sum(one.host.enrolled_at is not None for one in rows.hosts())
    return {
        "packs": packs,
        "licenses": licenses,
        "hosts": hosts,
        "last_event": rfc3339(read_event(last)["at"]) if last else None,
    }


def _check_secrets(folder: Path, facts: Mapping[str, Any], passphrase: str) -> str:
    secrets = open_secrets((folder / SECRETS).read_bytes(), passphrase)
    if "server.key" not in secrets:
        raise LicensingError(Problem.CORRUPT, "the backup holds no server.key")
    file = folder / "server.key"
    file.write_bytes(secrets["server.key"])
    file.chmod(0o600)
    try:
        public = load_signer(file, SERVER_ROLE).public_key
    finally:
        file.unlink()
    if public.hex() != facts["server_key"]:
        raise LicensingError(Problem.CORRUPT, "the server.key in the backup is not the one that signed its checkpoint")
    return f"the passphrase opens them: {', '.join(sorted(secrets))}"


def _ledger(url: str, time: Clock) -> SqlLedger:
    return SqlLedger(url, entropy=SystemEntropy(), clock=time if dialect_of(url) == "sqlite" else None)


def _read(folder: Path, names: tuple[str, ...]) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in names if (folder / name).is_file()}


def _files(folder: Path) -> dict[str, Path]:
    """All of a workplace by name; the log of a database that was closed in order is gone by now."""
    return {
        one.name: one for one in sorted(folder.iterdir()) if one.is_file() and not one.name.endswith(("-wal", "-shm"))
    }


def _settings(config: ServerConfig) -> bytes:
    plain = {one.name: one.default for one in fields(config)}
    kept = {name: getattr(config, name) for name in _KEPT_SETTINGS}
    lines = [f"{name} = {json.dumps(value)}" for name, value in kept.items() if value != plain[name]]
    return ("\n".join(lines) + "\n").encode()


def _plain(name: str) -> str:
    return "".join(one if one.isascii() and one.isalnum() else "-" for one in name)[:40]


def stamp(clock: Clock) -> str:
    """The time for names of files: 20260131T080000Z."""
    return datetime.fromtimestamp(clock.now(), UTC).strftime("%Y%m%dT%H%M%SZ")


@contextmanager
def workplace(target: Path) -> Iterator[Path]:
    """A folder beside a file (or in a folder) for what is being made: its owner's alone, and gone afterwards."""
    place = target if target.is_dir() else target.absolute().parent
    if not place.is_dir():
        raise LicensingError(Problem.NOT_FOUND, f"there is no folder {place}")
    try:
        made = tempfile.TemporaryDirectory(prefix=".calward-", dir=place)
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"{place} cannot be written: {error.strerror}") from None
    with made as folder:
        yield Path(folder)
