"""How many CALs of each version and type were used at many moments? One pass over the licenses, however many moments."""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate

from calward.insight.estate import Estate, EstateLicense, LicenseStatus, PackType
from calward.insight.reports.pools import RUNNING, Pool, held_at, rank_of, totals

__all__ = ["pools_over_time"]

_Key = tuple[int, PackType]


def pools_over_time(estate: Estate, moments: Sequence[int]) -> list[tuple[int, list[Pool]]]:
    """The pools of which licenses are listed, at each of these moments: rising, none later than the snapshot."""
    used, temporary = _steps(estate, moments)
    keys = sorted({*used, *temporary}, key=lambda key: (key[1], -key[0]))
    running = {key: list(accumulate(of)) for key, of in used.items()}
    lent = {key: list(accumulate(of)) for key, of in temporary.items()}
    found: list[tuple[int, list[Pool]]] = []
    for place, at in enumerate(moments):
        held = totals(estate, [pack for pack in estate.packs if held_at(pack, at)])
        sums = (
            Pool(
                None if key[0] < 0 else estate.ladder.family_name(key[0]),
                *key,
                held.get(key, 0),
                running[key][place] if key in running else 0,
                lent[key][place] if key in lent else 0,
            )
            for key in keys
        )
        found.append((at, [pool for pool in sums if pool.used or pool.temporary]))
    return found


def _steps(estate: Estate, moments: Sequence[int]) -> tuple[dict[_Key, list[int]], dict[_Key, list[int]]]:
    """By how much each count changes from one moment to the next."""
    used: dict[_Key, list[int]] = {}
    temporary: dict[_Key, list[int]] = {}
    ranks = {version: rank_of(estate, version) for version in (None, *estate.ladder.versions)}
    for one in estate.licenses:
        counts = temporary if one.status is LicenseStatus.TEMPORARY else used if one.status in RUNNING else None
        if counts is not None:
            _step(counts.setdefault((ranks[one.version], one.type), [0] * (len(moments) + 1)), one, moments)
    return used, temporary


def _step(changes: list[int], one: EstateLicense, moments: Sequence[int]) -> None:
    begins = 0 if one.issued_at is None else bisect_left(moments, one.issued_at)
    ends = len(moments) if one.expires_at is None else bisect_left(moments, one.expires_at)
    if begins < ends:
        changes[begins] += 1
        changes[ends] -= 1
