"""How does the estate of a scenario stand at this moment?

Each license server has a ledger of its own. A host keeps what real hosts keep: its grace state and the license that it last
saw for each user. What a device holds travels with the device.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.change_server import make_server
from calward.app.licensing.install_key_pack import install_key_pack
from calward.app.licensing.signed_things import install_command
from calward.app.licensing.sweep import sweep
from calward.app.ports import Entropy, Ledger
from calward.app.scenarios.entropy import SeededEntropy
from calward.app.scenarios.office import Office
from calward.app.scenarios.story import HostPart, PackPart, Scenario, ServerPart
from calward.domain.answers import license_name
from calward.domain.cals import HolderKind
from calward.domain.grace import GraceState, observe
from calward.domain.heard import HeldLicense
from calward.domain.ladder import Ladder
from calward.domain.parties import Host, Server
from calward.domain.register import RIGHT_DAYS
from calward.domain.settings import SECONDS_PER_DAY, Settings
from calward.domain.statements import Channel

__all__ = ["BY", "RIGHT", "LedgerFactory", "PlayedHost", "PlayedServer", "World", "instant", "right_of"]

LedgerFactory: TypeAlias = Callable[[Entropy], Ledger]
"""Make an empty ledger that draws from this entropy."""

BY: Final = "scenario"
"""Who acts, as the ledgers write it down."""


RIGHT: Final = RIGHT_DAYS[Channel.ONLINE] * SECONDS_PER_DAY
"""Seconds of the right to issue that a license server of a scenario is given at a time; it renews itself (design 5)."""


def instant(seconds: int) -> datetime:
    """Seconds since 1970 as hosts reckon time."""
    return datetime.fromtimestamp(seconds, UTC)


def right_of(server: Server) -> datetime | None:
    """The end of a right to issue as the clearinghouse reckons time; None: it has none."""
    return None if server.issue_until is None else instant(server.issue_until)


@dataclass(slots=True)
class PlayedServer:
    """A license server: ``up`` says whether it answers hosts, ``reached`` whether it reaches the clearinghouse while it is up.

    ``era`` counts how often it was rebuilt; ``revoked`` names the licenses that were revoked, or given before it was rebuilt.
    """

    name: str
    ledger: Ledger
    entropy: Entropy
    in_touch_since: int
    up: bool = True
    reached: bool = True
    era: int = 0
    revoked: set[str] = field(default_factory=set)

    @property
    def in_touch(self) -> bool:
        """Whether it makes its regular contacts with the clearinghouse."""
        return self.up and self.reached

    def state(self) -> Server:
        """As its ledger has it."""
        return self.ledger.write(lambda book: book.server())

    def license_name(self, number: int) -> str:
        """A license's name; after a rebuild the numbers begin anew, so the era tells them apart."""
        return f"{license_name(number)}{f'@{self.era}' if self.era else ''}"


@dataclass(slots=True)
class PlayedHost:
    """A session host. ``last``: by user, the license that it last saw; ``refuses``: revoked licenses it has heard of."""

    number: int
    part: HostPart
    grace: GraceState = field(default_factory=GraceState)
    last: dict[str, HeldLicense] = field(default_factory=dict)
    refuses: set[tuple[str, str]] = field(default_factory=set)

    def enrolled(self, ladder: Ladder) -> Host:
        """The host as a license server has enrolled it."""
        part = self.part
        return Host(self.number, part.name, part.version, ladder.family_of(part.version), part.mode)


@dataclass(slots=True)
class World:
    """The whole estate. ``holders``: who has ever asked a server; ``held``: by device, the licenses that it was given."""

    ladder: Ladder
    servers: dict[str, PlayedServer]
    hosts: dict[str, PlayedHost]
    office: Office
    make_ledger: LedgerFactory
    held: dict[str, list[HeldLicense]] = field(default_factory=dict)
    holders: dict[str, set[tuple[HolderKind, str]]] = field(default_factory=dict)

    def sweep(self, now: int) -> None:
        """Write down what has ended, on every server."""
        for server in self.servers.values():
            while server.ledger.write(lambda book: sweep(book, now=now)):
                pass

    def observe(self, now: int) -> None:
        """Let every host note whether one of its servers answers: an outage begins when it begins."""
        for host in self.hosts.values():
            answering = any(self.servers[name].up for name in host.part.servers)
            days = self.grace_days(host)
            host.grace = observe(host.grace, instant(now), answering=answering, grace_days=days)

    def grace_days(self, host: PlayedHost) -> int:
        """The host's own, else its version's, else as its first license server says."""
        part = host.part
        if part.grace_days is not None:
            return part.grace_days
        settings = self.settings(part.servers[0]) if part.servers else Settings()
        return self.ladder.grace_days(part.version, settings.grace_days)

    def settings(self, server: str) -> Settings:
        """The settings of a license server."""
        return self.servers[server].state().settings

    @classmethod
    def of(cls, scenario: Scenario, make_ledger: LedgerFactory) -> "World":
        """Set the estate up, shortly before the first step and before any pack of it expires."""
        begins = min([scenario.steps[0].at, *(pack.expires_at for pack in scenario.packs)]) - 1
        servers = {part.name: _server(part, scenario.ladder, make_ledger, begins) for part in scenario.servers}
        hosts = {part.name: PlayedHost(number, part) for number, part in enumerate(scenario.hosts, 1)}
        world = cls(scenario.ladder, servers, hosts, Office(scenario.ladder), make_ledger)
        world.install(scenario.packs, begins)
        return world

    def install(self, packs: Iterable[PackPart], now: int) -> None:
        """Install the packs that the file begins with; the reader has made sure that their servers may hold them."""
        for pack in packs:
            self.install_one(pack, now)

    def install_one(self, pack: PackPart, now: int) -> Done | RefusedAct:
        """Install a pack as the clearinghouse signs it."""
        statement = self.office.sign(pack, now)
        command = install_command(statement, b"", BY)
        ledger = self.servers[pack.server].ledger
        done = ledger.write(lambda book: install_key_pack(command, book, self.ladder, now=now))
        if isinstance(done, Done):
            self.office.hold(statement, convertible=pack.convertible)
        return done

    def new_ledger(self, server: Server, era: int, now: int) -> tuple[Ledger, Entropy]:
        """An empty ledger for a license server."""
        return _new_ledger(server, era, self.make_ledger, now)


def _server(part: ServerPart, ladder: Ladder, make_ledger: LedgerFactory, now: int) -> PlayedServer:
    server = Server(
        id=part.name,
        name=part.name,
        version=part.version,
        family=ladder.family_of(part.version),
        ladder=ladder.name,
        issue_until=now + RIGHT if part.activated else None,
        settings=part.settings,
    )
    return PlayedServer(part.name, *_new_ledger(server, 0, make_ledger, now), now)


def _new_ledger(server: Server, era: int, make_ledger: LedgerFactory, now: int) -> tuple[Ledger, Entropy]:
    entropy = SeededEntropy(f"{server.name}{'+' * era}")
    ledger = make_ledger(entropy)
    ledger.write(lambda book: make_server(server, book, now=now, by=BY))
    return ledger, entropy
