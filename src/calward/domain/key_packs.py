"""What is a key pack, and which packs may serve a host, in which order?"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NewType

from calward.domain.cals import CalType

__all__ = ["KeyPack", "PackId", "Shelf"]

PackId = NewType("PackId", str)


@dataclass(frozen=True, slots=True)
class KeyPack:
    """An installed batch of CALs of one type and version. Times are seconds since 1970 (UTC)."""

    id: PackId
    row: int
    """The ledger's own small number for it."""
    version: str
    family: int
    """Rank of the version's family in the ladder: equal for versions that share a CAL."""
    type: CalType
    total: int
    installed_at: int
    expires_at: int
    """From this second it issues and renews nothing; ``NEVER`` if it has no end."""
    generation: int = 1
    """Counts the times it was signed anew (moved, changed)."""
    bought_as: str = ""
    """The version that was paid for, up to which it can be raised; empty: its own version."""
    transfer: str | None = None
    """The transfer for which it is frozen: it issues, renews and extends nothing, its licenses run on. None: usable."""
    frozen_at: int | None = None
    aside: int = 0
    """How many of its CALs nobody may take because a change of them was asked for."""


@dataclass(slots=True)
class Shelf:
    """All packs of a license server in the order in which they are used.

    Among packs of one family: the one that expires first, then the oldest (design 3). A frozen pack counts as an expired one.
    """

    packs: tuple[KeyPack, ...]
    by_id: dict[PackId, KeyPack] = field(default_factory=dict)
    _cache: dict[tuple[CalType, int], tuple[tuple[KeyPack, ...], tuple[KeyPack, ...]]] = field(default_factory=dict)
    _cached_from: int = 0
    _cached_until: int = 0

    @classmethod
    def of(cls, packs: Iterable[KeyPack]) -> "Shelf":
        """A shelf of these packs, sorted once."""
        in_order = tuple(sorted(packs, key=lambda p: (p.family, p.expires_at, p.installed_at, p.row)))
        return cls(in_order, {pack.id: pack for pack in in_order})

    def installed(self, type_: CalType, family: int, now: int) -> int:
        """How many unexpired CALs of exactly this family are installed."""
        return sum(pack.total for pack in self.same_family(type_, family, now))

    def same_family(self, type_: CalType, family: int, now: int) -> tuple[KeyPack, ...]:
        """Unexpired packs of exactly this family, in order of use."""
        return self.usable(type_, family, now)[0]

    def higher_families(self, type_: CalType, family: int, now: int) -> tuple[KeyPack, ...]:
        """Unexpired packs of all newer families, lowest family first."""
        return self.usable(type_, family, now)[1]

    def older_families(self, type_: CalType, family: int, now: int) -> tuple[KeyPack, ...]:
        """Unexpired packs that are too old to open a host of this family."""
        return tuple(p for p in self.packs if p.type is type_ and p.family < family and _issues(p, now))

    def usable(self, type_: CalType, family: int, now: int) -> tuple[tuple[KeyPack, ...], tuple[KeyPack, ...]]:
        """Unexpired packs of exactly this family, and of all newer ones; looked up once, until a pack expires."""
        if not self._cached_from <= now < self._cached_until:  # Other packs are expired then: forget what was derived.
            self._cache.clear()
            self._cached_from = max((p.expires_at for p in self.packs if p.expires_at <= now), default=0)
            self._cached_until = min((p.expires_at for p in self.packs if p.expires_at > now), default=now + 1)
        found = self._cache.get((type_, family))
        if found is None:
            fitting = [p for p in self.packs if p.type is type_ and p.family >= family and _issues(p, now)]
            same = tuple(p for p in fitting if p.family == family)
            found = self._cache[type_, family] = (same, tuple(p for p in fitting if p.family > family))
        return found


def _issues(pack: KeyPack, now: int) -> bool:
    """Whether it may issue, renew and extend."""
    return pack.transfer is None and now < pack.expires_at
