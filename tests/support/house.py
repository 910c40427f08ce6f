"""A license server on some ledger with the clearinghouse's keys around it: what tests of packs that move and change say in short."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Engine

from calward.adapters.signing import verify
from calward.adapters.store.engines import open_reader
from calward.adapters.store.ledger import SqlLedger
from calward.adapters.store.records import open_records
from calward.adapters.store.tree import AuditLog, log_origin
from calward.app.licensing.change_pack import change_pack
from calward.app.licensing.change_server import make_server
from calward.app.licensing.confirm_license import ConfirmLicense, confirm_license
from calward.app.licensing.end_transfer import end_transfer
from calward.app.licensing.receive_pack import receive_signed_pack
from calward.app.licensing.records import LogKey
from calward.app.licensing.release_pack import release_pack
from calward.app.licensing.requests import Request
from calward.app.licensing.verify_ledger import verify_ledger
from calward.app.ports import Ledger
from calward.domain.events import Event
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.pack_orders import TransferOutcome
from calward.domain.replay_state import Finding
from tests.support.builders import a_host, a_question, a_server, ladder
from tests.support.clocks import CountedEntropy, SetClock
from tests.support.moving import (
    PACK_ID,
    Released,
    a_change,
    an_end,
    an_order,
    know_clearinghouse,
    signatures_of,
    signed_pack,
)
from tests.support.signed import SERVER

HOST = a_host("2016")


class House:
    """A license server; ``act`` runs a use case in a transaction of its own."""

    def __init__(self, ledger: Ledger, server: str, clock: SetClock, version: str = "2025") -> None:
        self.ledger, self.server, self.clock = ledger, server, clock
        self.entropy, self.signatures, self.asked = CountedEntropy(), signatures_of(server), 0
        made = replace(a_server(version), id=server)
        ledger.write(lambda book: make_server(made, book, now=book.now(), by="set-up"))
        know_clearinghouse(ledger)

    def act(self, do: Any, *args: Any, **options: Any) -> Any:
        return self.ledger.write(lambda book: do(*args, book, now=book.now(), **options))

    def look(self, what: Any) -> Any:
        return self.ledger.write(what)

    def receive(self, generation: int = 1, handover: bytes | None = None, **changes: Any) -> Any:
        """Take a pack that is signed for this server."""
        text = signed_pack(self.server, generation, **changes)
        rest = (self.signatures, ladder())
        return self.look(
            lambda book: receive_signed_pack(text, handover, book, *rest, now=book.now(), by="clearinghouse")
        )

    def take_over(self, released: Released, generation: int = 2, **changes: Any) -> Any:
        """Take a pack with the licenses that another server has released with it."""
        return self.receive(generation, released.handover, handover_digest=released.release.handover, **changes)

    def release(self, **changes: Any) -> Any:
        order, rest = an_order(self.server, **changes), (self.signatures, self.entropy)
        return self.look(lambda book: release_pack(order, book, *rest, now=book.now(), by="clearinghouse"))

    def end(self, outcome: TransferOutcome = TransferOutcome.COMPLETED, **changes: Any) -> Any:
        return self.act(end_transfer, an_end(outcome, self.server, **changes), by="clearinghouse")

    def change(self, *packs: Any, **changes: Any) -> Any:
        order = a_change(self.server, *packs, **changes)
        return self.look(lambda book: change_pack(order, book, ladder(), now=book.now(), by="clearinghouse"))

    def ask(self, who: str, host: Any = HOST) -> Event:
        self.asked += 1
        return self.ledger.write(Request(a_question(host, who, f"r{self.asked}"), self.entropy))

    def full(self, who: str, host: Any = HOST) -> Event:
        """A device logs on, and asks once more."""
        self.act(confirm_license, ConfirmLicense(host, self.ask(who, host)["license"]))
        return self.ask(who, host)

    def license(self, number: int) -> Any:
        return self.look(lambda book: book.license(number))

    def pack(self, pack: str = PACK_ID) -> KeyPack | None:
        return self.look(lambda book: book.shelf().by_id.get(PackId(pack)))

    def free(self, pack: str = PACK_ID) -> int:
        return self.look(lambda book: book.free((book.shelf().by_id[PackId(pack)],), book.now(), 1000))

    def seats(self, pack: str = PACK_ID) -> dict[str, int]:
        """Who holds which CAL of a pack."""
        return self.look(
            lambda book: {x.key: x.seat for x in book.holdings(book.shelf().by_id[PackId(pack)], book.now())}
        )

    def audit(self) -> Any:
        """Whether a real ledger's tables are still what its events say; the one in memory has no such question."""
        return audit(self.ledger, self.clock) if isinstance(self.ledger, SqlLedger) else None


def audit(ledger: SqlLedger, clock: SetClock) -> list[Finding]:
    """What a real ledger's tables hold that its events do not say."""
    reader: Engine = open_reader(ledger.url)
    origin = log_origin(ledger.write(lambda book: book.server()))
    AuditLog(ledger, reader, origin, SERVER, clock).fold()
    try:
        with open_records(reader) as records:
            return verify_ledger(records, LogKey(origin, (SERVER.public_key,), verify), ladder()).findings
    finally:
        reader.dispose()
