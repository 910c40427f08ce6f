"""What does the clearinghouse of a scenario know? Its register, and what it has to say to each license server, in memory.

The rules are the clearinghouse's own (``calward.domain.register``). Nothing is signed, because nobody is in between; a license
server's id is its name and a pack's id its handle.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from calward.app.licensing.signed_things import moment_of
from calward.app.scenarios.story import PackPart
from calward.domain.acceptance import NotAccepted
from calward.domain.errors import LicensingError, Problem
from calward.domain.handover import HandedLicense
from calward.domain.key_packs import PackId
from calward.domain.ladder import Ladder
from calward.domain.pack_requests import SourceState
from calward.domain.register import PackRecord, Post, Step, claim_pack, latest_right, press_move
from calward.domain.statements import KeyPackStatement, Program

__all__ = ["Office"]

_PURCHASE = "purchase"
"""All packs of a scenario belong to one buyer: whose they are is never the question."""


@dataclass(slots=True)
class Office:
    """The register by handle; ``gone``: packs that were removed, as they were last; ``handed``: by transfer, licenses on their way.

    ``adopted``: by pack, how many went on with it where it came last. ``fixed``: packs whose agreement does not let CALs change their type.
    """

    ladder: Ladder
    register: dict[PackId, PackRecord] = field(default_factory=dict)
    gone: dict[PackId, KeyPackStatement] = field(default_factory=dict)
    outbox: dict[str, list[Post]] = field(default_factory=dict)
    handed: dict[str, tuple[HandedLicense, ...]] = field(default_factory=dict)
    adopted: dict[str, int] = field(default_factory=dict)
    fixed: set[PackId] = field(default_factory=set)
    _last_id: int = 0

    def new_id(self) -> str:
        """A new id of an order."""
        self._last_id += 1
        return f"order-{self._last_id}"

    def sign(self, pack: PackPart, now: int) -> KeyPackStatement:
        """The pack as it is signed for the server that installs it; one that another server had needs a new generation."""
        known = self.register.get(pack.id)
        last = known.statement if known else self.gone.get(pack.id)
        generation = 1 if last is None else last.generation + (last.server_id != pack.server)
        return KeyPackStatement(
            pack_id=pack.id,
            generation=generation,
            server_id=pack.server,
            ladder=self.ladder.name,
            version=pack.version,
            cal_type=pack.type,
            total=pack.total,
            program=Program.VOLUME,
            issued_at=moment_of(now),
            expires_at=moment_of(pack.expires_at),
            bought_as=pack.bought_as,
        )

    def hold(self, statement: KeyPackStatement, *, convertible: bool) -> None:
        """Note a pack that was installed."""
        name = PackId(statement.pack_id)
        known = self.register.get(name)
        self.register[name] = PackRecord(statement, _PURCHASE, known.transfer if known else None)
        if not convertible:
            self.fixed.add(name)

    def let_go(self, name: PackId, server: str) -> None:
        """Note that its holder removed a pack, and that its handle is free; one that is moving stays what it is."""
        record = self.register.get(name)
        if record is not None and record.transfer is None and record.statement.server_id == server:
            self.gone[name] = self.register.pop(name).statement

    def record(self, name: PackId) -> PackRecord:
        """The pack; raises LicensingError(NOT_FOUND) where none of this handle is installed."""
        found = self.register.get(name)
        if found is None:
            known = ", ".join(sorted(self.register)) or "none"
            raise LicensingError(Problem.NOT_FOUND, f"no pack {name} is installed (installed: {known})", field="pack")
        return found

    def known(self, name: PackId) -> bool:
        """Whether the handle has ever stood for a pack."""
        return name in self.register or name in self.gone

    def store(self, step: Step) -> None:
        """Keep what an act made, and what is to be sent; a part is bound to the agreement of its pack."""
        names = {PackId(record.statement.pack_id) for record in step.packs}
        if not names.isdisjoint(self.fixed):
            self.fixed |= names
        for record in step.packs:
            self.register[PackId(record.statement.pack_id)] = record
        for post in step.posts:
            self.outbox.setdefault(post.server_id, []).append(post)

    def packs_of(self, server: str) -> Sequence[PackRecord]:
        """The packs that a server holds."""
        return [record for record in self.register.values() if record.statement.server_id == server]

    def end_due(self, now: int) -> None:
        """Let every move take effect whose day has come without a release."""
        for record in list(self.register.values()):
            transfer = record.transfer
            if transfer is None or not transfer.due(moment_of(now)):
                continue
            step = claim_pack(record, end_id=self.new_id(), now=moment_of(now))
            if not isinstance(step, NotAccepted):
                self.withdraw(transfer.source_id, transfer.pack.pack_id)
                self.store(step)

    def press_all(self, source: str, now: int) -> None:
        """A source gave up its right to issue: moves that did not count on its release take effect now."""
        for record in self.packs_of(source):
            transfer = record.transfer
            if transfer is None or transfer.source is SourceState.CONNECTED:
                continue
            step = press_move(record, transfer.target_id, transfer.source, moment_of(now))
            if not isinstance(step, NotAccepted):
                self.store(step)
        self.end_due(now)

    def withdraw(self, server: str, pack: str | None = None) -> None:
        """Say nothing more of a pack, or of anything, that waits for a server."""
        waiting = self.outbox.get(server, [])
        self.outbox[server] = [post for post in waiting if pack is not None and not _about(post, pack)]

    def latest_right(self, server: str) -> datetime | None:
        """The latest end of a right to issue that may be given to a server now; None: any."""
        leaving = [record.transfer for record in self.packs_of(server) if record.transfer is not None]
        return latest_right(tuple(leaving))


def _about(post: Post, pack: str) -> bool:
    statement = post.statement
    return (statement.pack_id if isinstance(statement, KeyPackStatement) else statement.pack.pack_id) == pack
