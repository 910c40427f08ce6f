"""Who needs a CAL in an estate, of which type, and for hosts of which family?

A holder counts once per type, with the newest hosts it uses. Where a source does not say which host that is, the need is inferred: a
temporary or over-used license bears the host's version; a full one is taken to be for the newest hosts of its type that it opens.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.domain.ladder import Ladder
from calward.insight.estate import (
    Estate,
    EstateFailure,
    EstateHost,
    EstateLicense,
    EstatePack,
    LicenseStatus,
    PackType,
    Source,
)
from calward.insight.planner.names import ServerNames

__all__ = ["OWN_POOLS", "NeedsRead", "PackKey", "Use", "family_or_none", "read_uses"]

PackKey = tuple[str, str]
"""License server and id: the same id may stand on two servers of an import."""

_RUNNING: Final = frozenset({
    LicenseStatus.TEMPORARY, LicenseStatus.ACTIVE, LicenseStatus.OVER_USED, LicenseStatus.CONCURRENT, LicenseStatus.UNKNOWN,
})  # fmt: skip
_OF_THE_HOST: Final = frozenset({LicenseStatus.TEMPORARY, LicenseStatus.OVER_USED})
"""Licenses that bear the host's version and take no CAL (design of issuing)."""
_DAY: Final = 86_400
OWN_POOLS: Final = frozenset({"temporary", "built-in over-used"})
"""Programs of another system's pools that hold no CAL anybody bought."""


class Use(NamedTuple):
    """So many holders use hosts of one family by CALs of one type.

    ``host`` is None where it is not known which; ``servers``: where these hosts ask; ``pack``: whose CAL they hold now.
    """

    host: str | None
    type: CalType
    family: int
    servers: frozenset[str]
    pack: PackKey | None
    number: int


@dataclass(frozen=True, slots=True)
class NeedsRead:
    """What was found. ``inferred``: holders whose host is not known; ``left_out``: licenses whose version is not known."""

    uses: tuple[Use, ...]
    inferred: int
    left_out: int
    unlisted: int
    """Holders that only the number of a pack tells of: a source may list no holders (per user, it often does not)."""
    unused_hosts: tuple[str, ...]
    """Hosts that nobody is known to use, where the source says who uses which."""
    temporary_ends: Mapping[tuple[int, int], int]
    """(family, when a device's temporary license ends, or has ended for one that was refused) → devices that hold no CAL."""


class _Group(NamedTuple):
    host: str | None
    type: CalType
    family: int
    servers: frozenset[str]
    pack: PackKey | None


def read_uses(estate: Estate) -> NeedsRead:
    """Read the needs of an estate; one pass over its licenses, then one over its refusals."""
    reader = _Reader(estate)
    reader.read(estate.licenses, estate.taken_at)
    reader.read_failures(estate.failures, estate.taken_at)
    counted = Counter(reader.found.values())
    unlisted = dict(reader.unlisted(estate))
    counted.update(unlisted)
    uses = tuple(Use(*group, number) for group, number in sorted(counted.items(), key=_order))
    inferred = sum(use.number for use in uses if use.host is None)
    return NeedsRead(
        uses, inferred, reader.left_out, sum(unlisted.values()), _unused(estate.hosts, uses), reader.temporary_ends()
    )


def _order(item: tuple[_Group, int]) -> tuple[object, ...]:
    group = item[0]
    return (group.type, -group.family, group.host or "", sorted(group.servers), group.pack or ("", ""))


def _unused(hosts: Sequence[EstateHost], uses: Sequence[Use]) -> tuple[str, ...]:
    used = {use.host for use in uses} - {None}
    return tuple(host.name for host in hosts if host.name not in used) if used else ()


class _Reader:
    """Holders by what they need; the same group is one object, so that a million of them stay small."""

    def __init__(self, estate: Estate) -> None:
        self.ladder, self.names = estate.ladder, ServerNames(estate)
        self.hosts = {host.name.casefold(): host for host in estate.hosts}
        self.ranks = _host_ranks(estate, self.names)
        self.found: dict[tuple[CalType, str], _Group] = {}
        self.by_name: dict[str, tuple[CalType, str]] = {}
        self.refused = frozenset(one.holder for one in estate.failures)
        self.left_out = 0
        self.temporary: dict[tuple[CalType, str], int] = {}
        self._groups: dict[tuple[object, ...], _Group | None] = {}

    def read(self, licenses: Iterable[EstateLicense], now: int) -> None:
        """Take in what runs at ``now``."""
        found, groups = self.found, self._groups
        for one in licenses:
            if one.status not in _RUNNING or (one.expires_at is not None and one.expires_at <= now):
                continue
            key = (one.host, one.type, one.status, one.version, one.server, one.pack, one.user is None)
            group = groups[key] if key in groups else self._group(key, one)
            if group is None:
                self.left_out += 1
                continue
            holder = (
                group.type,
                (one.user if group.type is CalType.PER_USER else one.hardware_id or one.device) or one.id,
            )
            before = found.get(holder)
            found[holder] = group if before is None else self._both(before, group)
            if one.status is LicenseStatus.TEMPORARY and one.expires_at is not None:
                self.temporary[holder] = max(one.expires_at, self.temporary.get(holder, 0))
            for name in (one.device, one.user, one.hardware_id) if self.refused else ():
                if name in self.refused:
                    self.by_name[name] = holder

    def read_failures(self, failures: Iterable[EstateFailure], now: int) -> None:
        """Who was refused needs a CAL too."""
        for one in failures:
            family = family_or_none(self.ladder, one.version)
            type_ = _type(one.type, is_user=False)
            host = self._host(one.host, type_)
            if family is None and host is None:
                continue
            asked = family if host is None or family is not None else family_or_none(self.ladder, host.version)
            servers = self.names.of_host(host) if host else self.names.beside(one.server, type_)
            group = _Group(host.name if host else None, type_, asked or 0, servers, None)
            holder = self.by_name.get(one.holder, (type_, one.holder))
            before = self.found.get(holder)
            if holder[0] is type_:
                self.found[holder] = group if before is None else self._both(before, group)
                self.temporary.setdefault(holder, now)

    def temporary_ends(self) -> Mapping[tuple[int, int], int]:
        """When the temporary licenses end of devices that hold no CAL, by the day, so that there are few."""
        found: Counter[tuple[int, int]] = Counter()
        for holder, end in self.temporary.items():
            group = self.found[holder]
            if group.type is CalType.PER_DEVICE and group.pack is None:
                found[group.family, end - end % _DAY] += 1
        return found

    def unlisted(self, estate: Estate) -> Iterator[tuple[_Group, int]]:
        """Licenses that a pack counts and that no row is about, running or not; only imports can have such."""
        if estate.source is not Source.IMPORT:
            return
        rows = Counter((self.names.canonical(one.server), one.pack or one.type) for one in estate.licenses)
        found: Counter[_Group] = Counter()
        for pack in estate.packs:
            server, left = self.names.canonical(pack.server), pack.issued
            for key in ((server, pack.id), (server, pack.type)):
                told = min(left, rows[key])
                rows[key] -= told
                left -= told
            ended = pack.expires_at is not None and pack.expires_at <= estate.taken_at
            group = None if ended or not left else self._of_pack(pack)
            if group is not None:
                found[group] += left
        yield from found.items()

    def _of_pack(self, pack: EstatePack) -> _Group | None:
        """What the holders of a pack need, as its version tells; its own pools bear the host's."""
        type_ = _type(pack.type, is_user=False)
        own, servers = family_or_none(self.ladder, pack.version), self.names.beside(pack.server, type_)
        if own is None:
            return None
        if pack.program in OWN_POOLS:
            return _Group(None, type_, own, servers, None)
        return _Group(
            None, type_, self._opened(own, type_, servers), servers, (self.names.canonical(pack.server), pack.id)
        )

    def _group(self, key: tuple[object, ...], one: EstateLicense) -> _Group | None:
        type_ = _type(one.type, is_user=one.user is not None)
        host = self._host(one.host, type_)
        servers = self.names.of_host(host) if host else self.names.beside(one.server, type_)
        family = family_or_none(self.ladder, host.version) if host else self._inferred(one, type_, servers)
        pack = (self.names.canonical(one.server), one.pack) if one.pack and one.status not in _OF_THE_HOST else None
        made = None if family is None else _Group(host.name if host else None, type_, family, servers, pack)
        self._groups[key] = made
        return made

    def _host(self, name: str | None, type_: CalType) -> EstateHost | None:
        host = self.hosts.get(name.casefold()) if name else None
        fits = host is not None and host.mode in {type_, None} and family_or_none(self.ladder, host.version) is not None
        return host if fits else None

    def _inferred(self, one: EstateLicense, type_: CalType, servers: frozenset[str]) -> int | None:
        own = family_or_none(self.ladder, one.version)
        if own is None or one.status in _OF_THE_HOST:
            return own
        return self._opened(own, type_, servers)

    def _opened(self, own: int, type_: CalType, servers: frozenset[str]) -> int:
        """The newest hosts of a type that a CAL opens; its own family where no such host is known."""
        opened = [rank for server in servers for rank in self.ranks.get((server, type_), ()) if rank <= own]
        return max(opened, default=own)

    @staticmethod
    def _both(one: _Group, other: _Group) -> _Group:
        """Two licenses of one holder: the newer need decides; each may hold the CAL."""
        newer, older = (one, other) if one.family >= other.family else (other, one)
        return newer if newer.pack or not older.pack else newer._replace(pack=older.pack)


def _host_ranks(estate: Estate, names: ServerNames) -> Mapping[tuple[str, CalType], frozenset[int]]:
    """Families of the hosts that ask each license server, by type."""
    return {key: frozenset(ranks) for key, ranks in _collected(_each_host_rank(estate, names)).items()}


def _each_host_rank(estate: Estate, names: ServerNames) -> Iterator[tuple[tuple[str, CalType], int]]:
    for host in estate.hosts:
        rank = family_or_none(estate.ladder, host.version)
        if host.mode is not None and rank is not None:
            yield from (((server, host.mode), rank) for server in names.of_host(host))


def _collected(pairs: Iterable[tuple[tuple[str, CalType], int]]) -> dict[tuple[str, CalType], set[int]]:
    found: dict[tuple[str, CalType], set[int]] = {}
    for key, rank in pairs:
        found.setdefault(key, set()).add(rank)
    return found


def _type(type_: PackType, *, is_user: bool) -> CalType:
    """The built-in pool serves devices, unless the license names a user."""
    if type_ is PackType.BUILT_IN:
        return CalType.PER_USER if is_user else CalType.PER_DEVICE
    return CalType(type_)


def family_or_none(ladder: Ladder, version: str | None) -> int | None:
    """The rank of a version's family; None where it is not known."""
    if version is None:
        return None
    try:
        return ladder.family_of(version)
    except LicensingError:
        return None
