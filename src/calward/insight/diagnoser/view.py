"""What do checks need of an estate again and again, made in one pass over each of its lists?"""

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, TypeAlias

from calward.domain.errors import LicensingError
from calward.insight.diagnoser.names import ServerNames
from calward.insight.estate import (
    Estate,
    EstateHost,
    EstateLicense,
    EstatePack,
    EstateServer,
    LicenseStatus,
    PackType,
    Source,
)

__all__ = ["NO_FAMILY", "Demand", "Pool", "PoolKey", "Tally", "View", "holder_of", "is_bought"]

NO_FAMILY: Final = -1
"""In place of a family where the version is not known."""
_POOLS: Final = frozenset({"temporary", "built-in", "built-in over-used"})
"""Programs that nobody buys: another system's own pools."""
_KEPT: Final = 1000
"""Names of holders that a tally keeps."""

PoolKey: TypeAlias = tuple[str, PackType, int]
"""License server, type, family."""


@dataclass(slots=True)
class Pool:
    """All CALs that were bought of one type and family on one server and have not expired; ``total`` None: unlimited."""

    total: int | None = 0
    free: int | None = 0
    issued: int = 0
    packs: list[EstatePack] = field(default_factory=list)


@dataclass(slots=True)
class Tally:
    """How many licenses of a kind there are, the first holders' names, and for which reasons they are no full ones."""

    number: int = 0
    names: list[str] = field(default_factory=list)
    why: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def add(self, license_: EstateLicense) -> None:
        """Count one more."""
        self.number += 1
        if len(self.names) < _KEPT:
            self.names.append(holder_of(license_))
        if license_.why:
            self.why[license_.why] += 1


@dataclass(frozen=True, slots=True)
class Demand:
    """Hosts that need the same: ``type`` and ``family`` of CALs, from the same license servers."""

    servers: tuple[EstateServer, ...]
    type: PackType
    family: int
    version: str
    hosts: tuple[EstateHost, ...]


def holder_of(license_: EstateLicense) -> str:
    """What people call the holder of a license."""
    return license_.device or license_.user or license_.hardware_id or license_.id


class View:
    """An estate with look-ups; each is made once, when first asked for, by one pass over its list."""

    def __init__(self, estate: Estate, whole: Estate | None = None, host: EstateHost | None = None) -> None:
        self.estate = estate
        self.whole = whole or estate
        """The snapshot of which ``estate`` is a part: tells what it does not say at all from what it does not say of this part."""
        self.host = host
        """The one host that is asked about; None: all."""
        self.now = estate.taken_at
        self.ladder = estate.ladder
        self.imported = estate.source is Source.IMPORT

    def either(self, ours: str, theirs: str) -> str:
        """A text for our own license server, or for another system's."""
        return theirs if self.imported else ours

    def command(self, ours: str, *words: str) -> str | None:
        """A command of ours with names from outside, quoted for a shell; another system's server does not know it."""
        return None if self.imported else " ".join((ours, *map(shlex.quote, words)))

    def family(self, version: str | None) -> int:
        """The family of a version, NO_FAMILY where it is not known."""
        if version is None:
            return NO_FAMILY
        try:
            return self.ladder.family_of(version)
        except LicensingError:
            return NO_FAMILY

    def concerns(self, type_: PackType, family: int) -> bool:
        """Whether CALs of a kind concern what is asked about: of one host's mode and its version or newer, where one is."""
        if self.host is None or self.host.mode is None:
            return True
        return type_ is PackType(self.host.mode) and family >= self.family(self.host.version)

    def cal(self, type_: PackType, family: int) -> str:
        """What CALs of a family are called: ``2012/2012R2/per-user``."""
        name = "unknown version" if family == NO_FAMILY else self.ladder.family_name(family)
        return f"{name}/{type_.value}"

    @cached_property
    def names(self) -> ServerNames:
        """Which server a written name means."""
        return ServerNames(self.whole.servers)

    @cached_property
    def lists_known(self) -> bool:
        """Whether the snapshot says which servers hosts ask."""
        return any(host.servers for host in self.whole.hosts)

    def servers_of(self, host: EstateHost) -> tuple[EstateServer, ...]:
        """The servers of the snapshot that a host asks, in its order.

        A license server's own snapshot has the hosts that are enrolled at it, whatever they call it. Where no host has a list all are meant.
        """
        if not self.imported or not self.lists_known:
            return tuple(self.estate.servers)
        seen = (self.names.find(name) for name in host.servers)
        return tuple(dict.fromkeys(one for one in seen if one is not None))

    @cached_property
    def demands(self) -> tuple[Demand, ...]:
        """Hosts by what they need; hosts whose version or mode is not known are left out."""
        groups: dict[tuple[tuple[EstateServer, ...], PackType, int], list[EstateHost]] = {}
        for host in self.estate.hosts:
            family = self.family(host.version)
            if host.mode is not None and family != NO_FAMILY:
                groups.setdefault((self.servers_of(host), PackType(host.mode), family), []).append(host)
        return tuple(
            Demand(servers, type_, family, self.ladder.family_name(family), tuple(hosts))
            for (servers, type_, family), hosts in groups.items()
        )

    def bought(self) -> Iterator[EstatePack]:
        """Packs that somebody bought, expired ones too."""
        return (pack for pack in self.estate.packs if is_bought(pack))

    def alive(self, pack: EstatePack) -> bool:
        """Whether a pack has not expired."""
        return pack.expires_at is None or pack.expires_at > self.now

    @cached_property
    def pools(self) -> dict[PoolKey, Pool]:
        """Bought CALs by server, type and family."""
        pools: dict[PoolKey, Pool] = {}
        for pack in self.bought():
            family = self.family(pack.version)
            if self.alive(pack) and family != NO_FAMILY:
                _pour(pools.setdefault((pack.server, pack.type, family), Pool()), pack)
        return pools

    @cached_property
    def by_place(self) -> dict[tuple[str, PackType], list[tuple[int, Pool]]]:
        """The pools of a server and type, oldest family first."""
        found: dict[tuple[str, PackType], list[tuple[int, Pool]]] = {}
        for (server, type_, family), pool in sorted(self.pools.items(), key=lambda item: item[0][2]):
            found.setdefault((server, type_), []).append((family, pool))
        return found

    def suiting(self, server: str, type_: PackType, family: int) -> list[tuple[int, Pool]]:
        """The pools of a server whose CALs open hosts of a family."""
        return [(own, pool) for own, pool in self.by_place.get((server, type_), ()) if own >= family]

    def runs(self, license_: EstateLicense) -> bool:
        """Whether a license has not ended."""
        return license_.expires_at is None or license_.expires_at > self.now

    @cached_property
    def tallies(self) -> dict[tuple[LicenseStatus, PoolKey], Tally]:
        """Running licenses by status, server, type and family."""
        found: dict[tuple[LicenseStatus, PoolKey], Tally] = {}
        for one in self.estate.licenses:
            if self.runs(one):
                key = one.status, (one.server, one.type, self.family(one.version))
                found.setdefault(key, Tally()).add(one)
        return found

    @cached_property
    def over_used(self) -> dict[PoolKey, Tally]:
        """Over-use by server, type and family: as licenses say it, or, where no license does, as packs do."""
        found = {key: tally for (status, key), tally in self.tallies.items() if status is LicenseStatus.OVER_USED}
        by_packs: Counter[PoolKey] = Counter()
        for pack in self.estate.packs:
            by_packs[pack.server, pack.type, self.family(pack.version)] += pack.over_used
        for key, number in by_packs.items():
            if number and key not in found:
                found[key] = Tally(number)
        return found

    @cached_property
    def pack_ends(self) -> dict[tuple[str, str], set[int | None]]:
        """When packs end, by server and id: another system counts ids anew on every server, and may have one twice."""
        found: dict[tuple[str, str], set[int | None]] = {}
        for pack in self.estate.packs:
            if pack.expires_at is not None:
                found.setdefault((pack.server, pack.id), set()).add(pack.expires_at)
        return found

    def setting(self, server: str, name: str) -> str | None:
        """A setting of a server, None where the snapshot does not say."""
        return self._settings.get((server, name))

    @cached_property
    def _settings(self) -> dict[tuple[str, str], str]:
        return {(one.name, key): value for one in self.estate.servers for key, value in one.settings}

    @cached_property
    def server(self) -> dict[str, EstateServer]:
        """Servers by their names, exactly."""
        return {one.name: one for one in self.estate.servers}


def is_bought(pack: EstatePack) -> bool:
    """Whether somebody bought a pack; another system's own pools come with it."""
    return pack.type is not PackType.BUILT_IN and pack.program not in _POOLS


def _pour(pool: Pool, pack: EstatePack) -> None:
    pool.packs.append(pack)
    pool.issued += pack.issued
    pool.total = None if pool.total is None or pack.total is None else pool.total + pack.total
    available = pack.available
    pool.free = None if pool.free is None or available is None else pool.free + (0 if pack.moving else available)
