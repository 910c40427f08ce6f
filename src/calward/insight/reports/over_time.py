"""How many CALs of each version and type were used at many moments? One pass over the licenses, however many moments."""

from collections.abc import Iterator, Sequence

from calward.insight.counting import counts_at
from calward.insight.estate import Estate, LicenseStatus, PackType
from calward.insight.reports.pools import RUNNING, Pool, held_at, rank_of, totals

__all__ = ["pools_over_time"]

_Key = tuple[int, PackType]


def pools_over_time(estate: Estate, moments: Sequence[int]) -> list[tuple[int, list[Pool]]]:
    """The pools of which licenses are listed, at each of these moments: rising, none later than the snapshot."""
    counts = counts_at(_changes(estate), moments)
    nothing = [0] * len(moments)
    keys = sorted({key for key, _ in counts}, key=lambda key: (key[1], -key[0]))
    found: list[tuple[int, list[Pool]]] = []
    for place, at in enumerate(moments):
        held = totals(estate, [pack for pack in estate.packs if held_at(pack, at)])
        sums = (
            Pool(
                None if key[0] < 0 else estate.ladder.family_name(key[0]),
                *key,
                held.get(key, 0),
                counts.get((key, False), nothing)[place],
                counts.get((key, True), nothing)[place],
            )
            for key in keys
        )
        found.append((at, [pool for pool in sums if pool.used or pool.temporary]))
    return found


def _changes(estate: Estate) -> Iterator[tuple[tuple[_Key, bool], int, int]]:
    """(pool, whether temporary), when, and one more or one less."""
    ranks = {version: rank_of(estate, version) for version in (None, *estate.ladder.versions)}
    for one in estate.licenses:
        lent = one.status is LicenseStatus.TEMPORARY
        begin = 0 if one.issued_at is None else one.issued_at
        if (lent or one.status in RUNNING) and (one.expires_at is None or begin < one.expires_at):
            key = (ranks[one.version], one.type), lent
            yield key, begin, 1
            if one.expires_at is not None:
                yield key, one.expires_at, -1
