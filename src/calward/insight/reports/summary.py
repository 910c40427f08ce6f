"""How many CALs of each version and type are installed, issued and available?"""

from typing import Final

from calward.insight.estate import Estate
from calward.insight.reports.charts import pools_chart
from calward.insight.reports.pools import Pool, availability, pools
from calward.insight.reports.report import Column, Holds, Report, Row, head

__all__ = ["summary"]

_TITLE: Final = "CALs by version and type"
_COLUMNS: Final = (
    Column("version", "version"),
    Column("type", "type"),
    Column("installed", "installed", Holds.COUNT, "unlimited"),
    Column("issued", "issued", Holds.COUNT),
    Column("available", "available", Holds.COUNT, "unlimited"),
    Column("over_used", "over-used", Holds.COUNT),
    Column("temporary", "temporary", Holds.COUNT, minor=True),
    Column("availability", "availability"),
)


def summary(estate: Estate, filtered: str = "") -> Report:
    """The sums over all license servers."""
    found = pools(estate)
    facts = (*head("summary", _TITLE, estate, filtered), ("license servers", len(estate.servers)))
    return Report("summary", _TITLE, _COLUMNS, lambda: map(_row, found), facts, (), (pools_chart(_TITLE, found),))


def _row(pool: Pool) -> Row:
    counts = (pool.held, pool.used, pool.free, pool.over, pool.temporary)
    return (pool.version, pool.type.value, *counts, availability(pool))
