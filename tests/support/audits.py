"""What do tests of the audit need: a ledger with a history, its log, and the question whether everything agrees?"""

import shutil
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from calward.adapters.signing import Ed25519Signer, verify
from calward.adapters.store.engines import open_reader
from calward.adapters.store.ledger import SqlLedger
from calward.adapters.store.records import SqlRecords, open_records
from calward.adapters.store.tree import AuditLog, log_origin
from calward.app.licensing.acts import Done
from calward.app.licensing.change_server import change_settings, make_server
from calward.app.licensing.confirm_license import ConfirmLicense, confirm_license
from calward.app.licensing.findings import Audit
from calward.app.licensing.free_license import FreeLicense, release_license, revoke_license
from calward.app.licensing.install_key_pack import InstallKeyPack, RemoveKeyPack, install_key_pack, remove_key_pack
from calward.app.licensing.records import LogKey
from calward.app.licensing.requests import Request
from calward.app.licensing.sweep import sweep
from calward.app.licensing.verify_ledger import verify_ledger
from calward.app.ports import Book
from calward.domain.cals import CalType
from calward.domain.events import Event
from calward.domain.key_packs import PackId
from calward.domain.licenses import NEVER
from calward.domain.parties import Host
from tests.support.builders import DEVICE, USER, a_host, a_question, a_server, ladder
from tests.support.clocks import CountedEntropy, SetClock
from tests.support.ledgers import _migrated_file
from tests.support.signed import SERVER

ORIGIN = log_origin(a_server())
LOG = LogKey(ORIGIN, (SERVER.public_key,), verify)


@dataclass
class Office:
    """A license server's ledger with everything that acts on it; several may stand on one PostgreSQL database."""

    url: str
    clock: SetClock = field(default_factory=SetClock)
    entropy: CountedEntropy = field(default_factory=CountedEntropy)
    key: Ed25519Signer = SERVER

    def __post_init__(self) -> None:
        self.ledger = SqlLedger(self.url, entropy=self.entropy, clock=self.clock)
        self.reader: Engine = open_reader(self.url)
        self.log = AuditLog(self.ledger, self.reader, ORIGIN, self.key, self.clock)

    def close(self) -> None:
        self.ledger.close()
        self.reader.dispose()

    def act(self, use_case: Callable[..., Any], *args: Any, **more: Any) -> Any:
        return self.ledger.write(lambda book: use_case(*args, book, now=book.now(), **more))

    def open_for_business(self, **settings: object) -> None:
        self.act(make_server, a_server(), by="setup")
        if settings:
            self.act(change_settings, settings, by="admin")

    def install(self, name: str, total: int, type_: CalType = USER, version: str = "2016", end: int = NEVER) -> Done:
        command = InstallKeyPack(PackId(name), version, type_, total, end, "admin")
        done: Done = self.ledger.write(lambda book: install_key_pack(command, book, ladder(), now=book.now()))
        return done

    def remove(self, name: str) -> Any:
        return self.act(remove_key_pack, RemoveKeyPack(PackId(name), "admin"))

    def ask(self, who: str, request_id: str = "", host: Host | None = None) -> Event:
        """Issue to a user, or to a device of a per-device host."""
        question = a_question(host or USERS_HOST, who, request_id or f"ask {who} {self.clock.now()}")
        found: Event = self.ledger.write(Request(question, self.entropy))
        return found

    def prove(self, device: str, host: Host | None = None) -> Event:
        """A device gets its temporary license, logs on, and asks again."""
        host = host or DEVICES_HOST
        first = self.ask(device, f"first {device}", host)
        self.confirm(first["license"], host)
        return self.ask(device, f"second {device}", host)

    def confirm(self, license_: int, host: Host | None = None) -> Any:
        return self.act(confirm_license, ConfirmLicense(host or DEVICES_HOST, license_))

    def revoke(self, license_: int) -> Any:
        return self.act(revoke_license, FreeLicense(license_, "admin"))

    def release(self, license_: int) -> Any:
        return self.act(release_license, FreeLicense(license_, "admin"))

    def sweep(self) -> int:
        found: int = self.act(sweep)
        return found

    def records(self, stack: ExitStack) -> SqlRecords:
        return stack.enter_context(open_records(self.reader))

    def verify(self, kept: Sequence[str] = (), **options: Any) -> Audit:
        with open_records(self.reader) as records:
            return verify_ledger(records, LOG, ladder(), kept=kept, **options)

    def held(self, name: str) -> int:
        def count(book: Book) -> int:
            return book.held(book.shelf().by_id[PackId(name)], book.now())

        return self.ledger.write(count)


USERS_HOST = a_host("2016", USER, number=1)
DEVICES_HOST = a_host("2016", DEVICE, number=2)


def new_sqlite(folder: Path) -> str:
    """The address of a new SQLite ledger without rows."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(_migrated_file(), folder / "ledger.db")
    return f"sqlite:///{folder / 'ledger.db'}"


def a_long_history(office: Office) -> None:
    """Something of every kind that changes a table: packs, devices, users, proofs, endings of all sorts."""
    office.open_for_business(per_user="track", user_days=30)
    office.install("USERS", 3)
    office.install("DEVICES", 10, DEVICE)
    office.install("OLD", 2, DEVICE, "2012")
    for n in range(5):  # Two of them over-used.
        office.ask(f"user{n}")
    devices = [office.prove(f"PC{n}") for n in range(8)]
    office.revoke(devices[0]["license"])
    office.revoke(devices[1]["license"])
    office.revoke(devices[2]["license"])  # Refused: the limit is reached.
    office.ask("stranger", host=DEVICES_HOST)
    office.ask("PC7", "old host", a_host("2012", DEVICE, number=3))
    office.clock.pass_days(10)
    office.release(_license_of(office, "user0"))
    office.ask("user1")
    office.clock.pass_days(49)
    office.ask("PC3", "renews", DEVICES_HOST)
    office.clock.pass_days(2)
    office.ask("user9")
    office.prove("PC20")
    office.sweep()
    office.remove("OLD")
    office.install("OLD", 4, DEVICE, "2012")
    office.act(change_settings, {"prevent_license_upgrade": True}, by="admin")


def _license_of(office: Office, user: str) -> int:
    return int(office.ask(user, "who")["license"])
