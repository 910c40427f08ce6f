"""How does the estate of a scenario stand at this moment?

Each license server has a ledger of its own. A host keeps what real hosts keep: its grace state and the license that it last
saw for each user. What a device holds travels with the device.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, TypeAlias

from calward.app.licensing.change_server import make_server
from calward.app.licensing.install_key_pack import InstallKeyPack, install_key_pack
from calward.app.licensing.sweep import sweep
from calward.app.ports import Entropy, Ledger
from calward.app.scenarios.entropy import SeededEntropy
from calward.app.scenarios.story import HostPart, PackPart, Scenario, ServerPart
from calward.domain.cals import HolderKind
from calward.domain.grace import GraceState, observe
from calward.domain.heard import HeldLicense
from calward.domain.ladder import Ladder
from calward.domain.licenses import NEVER
from calward.domain.parties import Host, Server
from calward.domain.settings import Settings

__all__ = ["BY", "LedgerFactory", "PlayedHost", "PlayedServer", "World", "instant"]

LedgerFactory: TypeAlias = Callable[[Entropy], Ledger]
"""Make an empty ledger that draws from this entropy."""

BY: Final = "scenario"
"""Who acts, as the ledgers write it down."""


def instant(seconds: int) -> datetime:
    """Seconds since 1970 as hosts reckon time."""
    return datetime.fromtimestamp(seconds, UTC)


@dataclass(slots=True)
class PlayedServer:
    """A license server: ``up`` says whether it answers hosts; ``revoked`` names the licenses that were revoked."""

    name: str
    ledger: Ledger
    entropy: Entropy
    up: bool = True
    revoked: set[str] = field(default_factory=set)


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
    held: dict[str, list[HeldLicense]] = field(default_factory=dict)
    holders: dict[str, set[tuple[HolderKind, str]]] = field(default_factory=dict)
    packs_at: dict[str, str] = field(default_factory=dict)

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
        return self.servers[server].ledger.write(lambda book: book.server()).settings

    @classmethod
    def of(cls, scenario: Scenario, make_ledger: LedgerFactory) -> "World":
        """Set the estate up, shortly before the first step and before any pack of it expires."""
        begins = min([scenario.steps[0].at, *(pack.expires_at for pack in scenario.packs)]) - 1
        servers = {part.name: _server(part, scenario.ladder, make_ledger, begins) for part in scenario.servers}
        hosts = {part.name: PlayedHost(number, part) for number, part in enumerate(scenario.hosts, 1)}
        world = cls(scenario.ladder, servers, hosts)
        world.install(scenario.packs, begins)
        return world

    def install(self, packs: Iterable[PackPart], now: int) -> None:
        """Install the packs that the file begins with; the reader has made sure that their servers may hold them."""
        for pack in packs:
            command = install_command(pack)
            ledger = self.servers[pack.server].ledger
            ledger.write(lambda book, x=command: install_key_pack(x, book, self.ladder, now=now))  # type: ignore[misc]
            self.packs_at[pack.id] = pack.server


def install_command(pack: PackPart) -> InstallKeyPack:
    """The command that installs a pack of the file."""
    return InstallKeyPack(pack.id, pack.version, pack.type, pack.total, pack.expires_at, BY)


def _server(part: ServerPart, ladder: Ladder, make_ledger: LedgerFactory, now: int) -> PlayedServer:
    entropy = SeededEntropy(part.name)
    ledger = make_ledger(entropy)
    server = Server(
        id=part.name,
        name=part.name,
        version=part.version,
        family=ladder.family_of(part.version),
        ladder=ladder.name,
        issue_until=NEVER if part.activated else None,
        settings=part.settings,
    )
    ledger.write(lambda book: make_server(server, book, now=now, by=BY))
    return PlayedServer(part.name, ledger, entropy)
