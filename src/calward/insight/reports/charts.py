"""Which pictures go with the sums of pools?"""

from collections.abc import Sequence

from calward.insight.reports.pools import Pool
from calward.insight.reports.report import Bar, Chart, Part, Shade

__all__ = ["counts_chart", "pools_chart"]

MOST_BARS = 20
"""Bars that a page's width and patience hold; the rest is in the table."""


def pools_chart(title: str, found: Sequence[Pool]) -> Chart:
    """A bar a pool: used, beyond what is held, temporary, free."""
    bars = [Bar(pool.name, _parts(pool)) for pool in found[:MOST_BARS]]
    return Chart(title, bars=tuple(bar for bar in bars if bar.parts))


def _parts(pool: Pool) -> tuple[Part, ...]:
    sizes = (
        (Shade.USED, pool.used - pool.over),
        (Shade.OVER, pool.over),
        (Shade.TEMPORARY, pool.temporary),
        (Shade.FREE, pool.free or 0),
    )
    return tuple(Part(shade, size) for shade, size in sizes if size)


def counts_chart(title: str, counts: Sequence[tuple[str, int]], shade: Shade = Shade.USED) -> Chart:
    """A bar for each of the largest counts."""
    largest = sorted(counts, key=lambda one: (-one[1], one[0]))[:MOST_BARS]
    return Chart(title, bars=tuple(Bar(label, (Part(shade, number),)) for label, number in largest if number))
