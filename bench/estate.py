"""Which license server is measured, and what is asked of it? Made through the real use cases."""

from collections.abc import Sequence
from dataclasses import dataclass

from calward.adapters.ladders import load_ladder
from calward.adapters.store.ledger import SqlLedger
from calward.adapters.system import SystemClock, SystemEntropy
from calward.app.licensing.change_server import activate_server, make_server
from calward.app.licensing.enroll_host import AddHost, add_host, enroll_host
from calward.app.licensing.install_key_pack import InstallKeyPack, install_key_pack
from calward.app.licensing.issue_license import IssueLicense
from calward.app.licensing.requests import Request
from calward.app.ports import Book, Clock
from calward.domain.cals import CalType, HolderKind
from calward.domain.key_packs import PackId
from calward.domain.licenses import NEVER
from calward.domain.parties import Host, Server
from calward.domain.settings import SECONDS_PER_DAY

__all__ = ["CLOCK", "ENTROPY", "HOST_VERSION", "Earlier", "open_ledger", "prepare", "requests", "user", "with_host"]

HOST_VERSION = "2019"
LADDER = load_ladder("windows-server")
ENTROPY = SystemEntropy()
CLOCK = SystemClock()
_BY = "bench"


def user(number: int) -> str:
    """A user's name as hosts of a domain send it, 19 characters."""
    return f"EXAMPLE\\user{number:07d}"


@dataclass(frozen=True, slots=True)
class Earlier:
    """A clock that is so many days behind, to give an estate a past."""

    days: int

    def now(self) -> int:
        """The time, then."""
        return CLOCK.now() - self.days * SECONDS_PER_DAY


def open_ledger(url: str, clock: Clock = CLOCK) -> SqlLedger:
    """The ledger as the license server opens it; PostgreSQL goes by its own clock."""
    return SqlLedger(url, entropy=ENTROPY, clock=clock if url.startswith("sqlite") else None)


def prepare(url: str, packs: Sequence[tuple[str, CalType, int]], clock: Clock = CLOCK) -> None:
    """Make an activated license server with packs in an empty database."""
    ledger = open_ledger(url, clock)
    now = clock.now()
    try:
        ledger.write(lambda book: _found_server(book, now))
        ledger.write(lambda book: activate_server(NEVER, book, now=now, by=_BY))
        for version, type_, total in packs:
            pack = InstallKeyPack(PackId(ENTROPY.token(16).hex()), version, type_, total, NEVER, _BY)
            ledger.write(lambda book, pack=pack: install_key_pack(pack, book, LADDER, now=now))
    finally:
        ledger.close()


def _found_server(book: Book, now: int) -> None:
    newest = LADDER.newest
    server = Server(ENTROPY.token(16).hex(), "LS1", newest, LADDER.family_of(newest), LADDER.name)
    make_server(server, book, now=now, by=_BY)


def with_host(url: str, name: str, version: str, mode: CalType, clock: Clock = CLOCK) -> tuple[Host, str]:
    """Enroll a session host; the host, and its token."""
    ledger, now = open_ledger(url, clock), clock.now()
    try:
        given = ledger.write(
            lambda book: add_host(AddHost(name, version, mode, _BY), book, LADDER, now=now, entropy=ENTROPY)
        )
        enrolled = ledger.write(lambda book: enroll_host(given.code.text(), book, now=now, entropy=ENTROPY))
    finally:
        ledger.close()
    known = enrolled.host
    return Host(known.id, known.name, known.version, known.family, known.mode), enrolled.token


def requests(host: Host, first: int, count: int) -> list[Request]:
    """Requests of so many users who have no license yet, numbered from ``first``."""
    users = ((number, user(number)) for number in range(first, first + count))
    return [Request(IssueLicense(host, f"{n:032x}", HolderKind.USER, name, name), ENTROPY) for n, name in users]
