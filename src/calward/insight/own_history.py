"""How were the CALs of our own ledger used at any moment of its past? Nothing is missing: it knows what has ended, too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from calward.domain.ladder import Ladder
from calward.insight.counting import counts_at
from calward.insight.estate import LicenseStatus, PackType
from calward.insight.reports.pools import Pool

__all__ = ["DAY", "Holding", "OwnHistory", "Step", "pools_then"]

DAY = 86_400


class Holding(NamedTuple):
    """A pack was such from ``begin`` to ``end`` (None: it still is). ``split_from``: the pack of which it was a part before.

    Packs are known by the number of the event of their installation: one that left and came back is two.
    """

    pack: int
    begin: int
    end: int | None
    version: str
    type: PackType
    total: int
    expires_at: int
    split_from: int | None = None


class Step(NamedTuple):
    """``number`` more licenses (or fewer) ran from a day on: the one that ended ``days`` days before the moment of the history.

    ``version``: of a full license's pack today, of the host for any other.
    """

    pack: int | None
    type: PackType
    status: LicenseStatus
    version: str
    days: int
    number: int


@dataclass(frozen=True, slots=True)
class OwnHistory:
    """All packs that ever were, and all licenses day by day, days counted back from ``until``."""

    until: int
    holdings: Sequence[Holding]
    steps: Sequence[Step]

    @property
    def begins(self) -> int:
        """When anything was there first."""
        days = max((step.days for step in self.steps), default=0)
        return min((one.begin for one in self.holdings), default=self.until - days * DAY)


def pools_then(history: OwnHistory, ladder: Ladder, moments: Sequence[int]) -> list[tuple[int, list[Pool]]]:
    """The sums at each of these moments, newest version first; moments rise and are whole days before ``until``."""
    packs = _by_pack(history.holdings)
    changes = (
        ((one.pack, one.type, one.status, one.version), history.until - one.days * DAY, one.number)
        for one in history.steps
    )
    counts = counts_at(changes, moments)
    return [(at, _pools(history, packs, counts, ladder, place, at)) for place, at in enumerate(moments)]


def _by_pack(holdings: Sequence[Holding]) -> Mapping[int, Sequence[Holding]]:
    found: dict[int, list[Holding]] = {}
    for one in holdings:
        found.setdefault(one.pack, []).append(one)
    return found


_Key = tuple[int | None, PackType, LicenseStatus, str]


def _pools(
    history: OwnHistory,
    packs: Mapping[int, Sequence[Holding]],
    counts: Mapping[_Key, Sequence[int]],
    ladder: Ladder,
    place: int,
    at: int,
) -> list[Pool]:
    held: dict[tuple[int, PackType], int] = {}
    used: dict[tuple[int, PackType], int] = {}
    lent: dict[tuple[int, PackType], int] = {}
    for one in history.holdings:
        if one.begin <= at < one.expires_at and (one.end is None or at < one.end):
            key = ladder.family_of(one.version), one.type
            held[key] = held.get(key, 0) + one.total
    for (pack, type_, status, version), numbers in counts.items():
        then = version if pack is None else _version(packs, pack, at)
        # A license that moved here with its pack was another license server's before.
        if numbers[place] and then is not None:
            sums = lent if status is LicenseStatus.TEMPORARY else used
            key = ladder.family_of(then), type_
            sums[key] = sums.get(key, 0) + numbers[place]
    keys = sorted({*held, *used, *lent}, key=lambda key: (key[1], -key[0]))
    return [
        Pool(ladder.family_name(key[0]), *key, held.get(key, 0), used.get(key, 0), lent.get(key, 0)) for key in keys
    ]


def _version(packs: Mapping[int, Sequence[Holding]], pack: int, at: int) -> str | None:
    """What the CALs of a pack opened then; None where it was not here."""
    found = None
    known = packs.get(pack, ())
    for one in known:
        if one.begin <= at:
            found = one.version
    parent = known[0].split_from if known else None
    return _version(packs, parent, at) if found is None and parent is not None else found
