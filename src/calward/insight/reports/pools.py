"""How many CALs of each version and type are there, and how many are used? The sums under summary, compliance and history.

A pool is one family of versions and one type. Pools that another system makes by itself (temporary, over-used) hold no CALs that were bought:
what is issued from them is use without a CAL; its built-in pool has no end.
Source: rd-licensing 2.1 (KeyPackType), 7.4 (words for availability), 3.5 (per-user CALs are not in the list of issued licenses).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from calward.insight.estate import Estate, EstateLicense, EstatePack, LicenseStatus, PackType

__all__ = [
    "BUILT_IN",
    "OVER_USED",
    "OWN_POOLS",
    "RUNNING",
    "TEMPORARY",
    "Pool",
    "availability",
    "held_at",
    "pools",
    "rank_of",
    "totals",
]

TEMPORARY: Final = "temporary"
BUILT_IN: Final = "built-in"
OVER_USED: Final = "built-in over-used"
OWN_POOLS: Final = frozenset({TEMPORARY, BUILT_IN, OVER_USED})
"""Programs of packs that nobody has bought."""
RUNNING: Final = frozenset(
    {LicenseStatus.ACTIVE, LicenseStatus.OVER_USED, LicenseStatus.CONCURRENT, LicenseStatus.UNKNOWN}
)
"""Licenses that take a CAL; temporary ones count beside them."""
_SCARCE: Final = 10
"""Percent of free CALs below which there are only a few left: what administrators keep as headroom (rd-licensing 13)."""

_Key = tuple[int, PackType]
"""Rank of the family (-1: unknown), and the type."""


@dataclass(frozen=True, slots=True)
class Pool:
    """The sums of one pool. ``held`` None: unlimited; ``inferred``: the source lists no licenses of it, only how many there are today."""

    version: str | None
    rank: int
    type: PackType
    held: int | None
    used: int
    temporary: int
    inferred: bool = False

    @property
    def over(self) -> int:
        """Licenses beyond the CALs."""
        return 0 if self.held is None else max(0, self.used - self.held)

    @property
    def free(self) -> int | None:
        """CALs that are left; None: unlimited."""
        return None if self.held is None else max(0, self.held - self.used)

    @property
    def name(self) -> str:
        """Such as 2019/per-user."""
        return f"{self.version or 'unknown version'}/{self.type.value}"


def pools(estate: Estate, at: int | None = None) -> list[Pool]:
    """Sum up, newest version first; ``at``: only what was held and ran at that moment, as far as the snapshot knows.

    Today the license server's own counts decide, as a list of licenses may hold a part only; at another moment the licenses do.
    """
    packs = [pack for pack in estate.packs if at is None or held_at(pack, at)]
    taken, temporary, loose = _licenses(estate, at)
    counted, lent = _counted(estate, packs)
    held = totals(estate, [pack for pack in packs if held_at(pack, estate.taken_at if at is None else at)])
    found: list[Pool] = []
    for rank, type_ in {*held, *taken, *temporary, *counted, *lent}:
        key = rank, type_
        used, inferred = taken[key], False
        lent_out = max(temporary[key], lent[key]) if at is None or not _lists(estate, key) else temporary[key]
        if at is None and key in counted:
            used = counted[key] + loose[key]
        elif at is not None and key in counted and not used and not _lists(estate, key):
            used, inferred = counted[key], True
        name = None if rank < 0 else estate.ladder.family_name(rank)
        found.append(Pool(name, rank, type_, held.get(key, 0), used, lent_out, inferred))
    return sorted(filter(_matters, found), key=lambda one: (one.type, -one.rank))


def rank_of(estate: Estate, version: str | None) -> int:
    """The rank of a version's family; -1 where the version is not known."""
    return -1 if version is None else estate.ladder.family_of(version)


def _matters(pool: Pool) -> bool:
    bought = pool.held != 0 and not (pool.held is None and pool.type is PackType.BUILT_IN)
    return bought or pool.used + pool.temporary > 0


def _licenses(estate: Estate, at: int | None) -> tuple[Counter[_Key], Counter[_Key], Counter[_Key]]:
    """How many licenses take a CAL, how many are temporary, and how many are beyond what any pack counts."""
    taken: Counter[_Key] = Counter()
    temporary: Counter[_Key] = Counter()
    loose: Counter[_Key] = Counter()
    for one in _running(estate.licenses, at, estate.taken_at):
        key = rank_of(estate, one.version), one.type
        if one.status is LicenseStatus.TEMPORARY:
            temporary[key] += 1
        elif one.status in RUNNING:
            taken[key] += 1
            loose[key] += one.pack is None and one.status is LicenseStatus.OVER_USED
    return taken, temporary, loose


def _running(licenses: Iterable[EstateLicense], at: int | None, taken_at: int) -> Iterable[EstateLicense]:
    """Those that ran then. After the snapshot, those that ran at its time are taken to be renewed."""
    if at is None:
        return licenses
    until = min(at, taken_at)
    return (
        one
        for one in licenses
        if (one.issued_at is None or one.issued_at <= at) and (one.expires_at is None or until < one.expires_at)
    )


def _counted(estate: Estate, packs: Iterable[EstatePack]) -> tuple[Counter[_Key], Counter[_Key]]:
    """How many licenses the packs count: with a CAL or beyond, and temporary ones."""
    counted: Counter[_Key] = Counter()
    lent: Counter[_Key] = Counter()
    for pack in packs:
        (lent if pack.program == TEMPORARY else counted)[rank_of(estate, pack.version), pack.type] += pack.issued
    return counted, lent


def totals(estate: Estate, packs: Iterable[EstatePack]) -> dict[tuple[int, PackType], int | None]:
    """How many CALs these packs hold of each family and type; None: unlimited. Pools that nobody has bought hold none."""
    found: dict[_Key, int | None] = {}
    for pack in packs:
        key = rank_of(estate, pack.version), pack.type
        if pack.program == BUILT_IN:
            found[key] = None
        elif pack.program not in OWN_POOLS:
            before = found.get(key, 0)
            found[key] = None if before is None or pack.total is None else before + pack.total
    return found


def _lists(estate: Estate, key: _Key) -> bool:
    """Whether the source lists any license of a pool at all."""
    return any((rank_of(estate, one.version), one.type) == key for one in estate.licenses)


def held_at(pack: EstatePack, at: int) -> bool:
    """Whether a pack was there and had not ended."""
    begun = pack.installed_at is None or pack.installed_at <= at
    return begun and (pack.expires_at is None or at < pack.expires_at)


def availability(pool: Pool) -> str:
    """Available, Limited or None, as the summary report of other systems says it."""
    if pool.held is None:
        return "Available"
    if not pool.free:
        return "None"
    return "Limited" if pool.free * 100 < pool.held * _SCARCE else "Available"
