"""Were there CALs for everybody on a certain day?

A CAL serves its own version and older ones, so that free newer CALs cover what older ones lack (rd-licensing 1.2); of the same type only.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from calward.domain.answers import rfc3339
from calward.insight.estate import Estate, Source
from calward.insight.reports.charts import pools_chart
from calward.insight.reports.pools import Pool, pools
from calward.insight.reports.report import Column, Holds, Report, Row, head

__all__ = ["compliance"]

_TITLE: Final = "licenses against CALs"
_COLUMNS: Final = (
    Column("version", "version"),
    Column("type", "type"),
    Column("held", "held", Holds.COUNT, "unlimited"),
    Column("in_use", "in use", Holds.COUNT),
    Column("over_used", "over-used", Holds.COUNT),
    Column("covered", "covered", Holds.COUNT),
    Column("missing", "missing", Holds.COUNT),
    Column("temporary", "temporary", Holds.COUNT, minor=True),
    Column("verdict", "verdict"),
)


def compliance(estate: Estate, filtered: str = "", at: int | None = None, then: Sequence[Pool] | None = None) -> Report:
    """CALs held and licenses running at a moment (None: when the snapshot was taken), per version and type.

    ``then``: the sums of that moment where the source knows its past; None: as far as the snapshot tells.
    """
    found = [one for one in (pools(estate, at) if then is None else then) if one.rank >= 0 or one.used or one.temporary]
    covered = _covered(found)
    missing = sum(pool.over - cover for pool, cover in zip(found, covered, strict=True))
    notes = _notes(estate, at, found) if then is None else ()
    facts = (
        *head("compliance", _TITLE, estate, filtered, notes),
        ("as of", rfc3339(estate.taken_at if at is None else at)),
        ("missing CALs", missing),
    )

    def rows() -> Iterator[Row]:
        return (_row(pool, cover) for pool, cover in zip(found, covered, strict=True))

    chart = pools_chart("CALs held and used", found)
    return Report("compliance", _TITLE, _COLUMNS, rows, facts, notes, (chart,), found=missing > 0)


def _covered(found: Sequence[Pool]) -> list[int]:
    """How much of each pool's over-use free newer CALs cover; pools stand newest first, by type.

    What is left over at a version is of use for all older ones alike, so that taking it in this order loses nothing.
    """
    spare: dict[str, int] = {}
    covered: list[int] = []
    for pool in found:
        cover = min(pool.over, spare.get(pool.type, 0)) if pool.rank >= 0 else 0
        covered.append(cover)
        # A pool without end lends as much as anybody can need.
        free = 1 << 62 if pool.free is None else pool.free
        spare[pool.type] = spare.get(pool.type, 0) - cover + (free if pool.rank >= 0 else 0)
    return covered


def _row(pool: Pool, cover: int) -> Row:
    missing = pool.over - cover
    counts = (pool.held, pool.used, pool.over, cover, missing, pool.temporary)
    return (pool.version, pool.type.value, *counts, _verdict(pool, missing))


def _verdict(pool: Pool, missing: int) -> str:
    if missing:
        return "over-used"
    if pool.over:
        return "covered by newer CALs"
    return "temporary licenses only" if pool.temporary and not pool.used and not pool.held else "compliant"


def _notes(estate: Estate, at: int | None, found: Sequence[Pool]) -> tuple[str, ...]:
    told: list[str] = []
    if at is not None and at < estate.taken_at:
        told.append(
            "licenses that had ended before the snapshot was taken are not in it: use then may have been higher"
        )
    if at is not None and at > estate.taken_at:
        told.append("for a later day than the snapshot's: licenses are taken to be renewed, packs end as they say")
    if at is not None and estate.source is Source.IMPORT:
        told.append("the source does not say when packs were installed: all of them count from the beginning")
    told += [
        f"{pool.name}: no licenses are listed; use is the packs' count when the snapshot was taken"
        for pool in found
        if pool.inferred
    ]
    return tuple(told)
