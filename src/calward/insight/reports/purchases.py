"""What was bought, and how much of it is used: a row a pack, and a row a host for what the CALs are for."""

from collections import Counter
from collections.abc import Iterator
from typing import Final

from calward.insight.estate import Estate, EstatePack
from calward.insight.reports.charts import MOST_BARS
from calward.insight.reports.pools import BUILT_IN, OWN_POOLS, TEMPORARY
from calward.insight.reports.report import Bar, Chart, Column, Holds, Part, Report, Row, Shade, head

__all__ = ["hosts", "packs"]

_UNLIMITED: Final = "unlimited"
_PACKS: Final = (
    Column("program", "program"),
    Column("pack", "pack"),
    Column("server", "license server", minor=True),
    Column("version", "version"),
    Column("type", "type"),
    Column("total", "bought", Holds.COUNT, _UNLIMITED),
    Column("issued", "in use", Holds.COUNT),
    Column("available", "free", Holds.COUNT, _UNLIMITED),
    Column("over_used", "over-used", Holds.COUNT, minor=True),
    Column("used_percent", "used, percent", Holds.COUNT, minor=True),
    Column("installed_at", "installed", Holds.MOMENT, minor=True),
    Column("expires_at", "expires", Holds.MOMENT, "never"),
)


def packs(estate: Estate, filtered: str = "") -> Report:
    """Purchases against use, by program, newest version first."""
    ordered = sorted(estate.packs, key=lambda one: (one.program, -_order(estate, one), one.server, one.id))
    title = "purchases against use"
    facts = (
        *head("packs", title, estate, filtered),
        ("bought", sum(one.total or 0 for one in ordered if one.program not in OWN_POOLS)),
        ("in use", sum(one.issued for one in ordered if one.program not in (TEMPORARY, BUILT_IN))),
    )
    chart = Chart("bought and used, by program", bars=_bars(ordered))
    return Report("packs", title, _PACKS, lambda: map(_row, ordered), facts, (), (chart,))


def _order(estate: Estate, pack: EstatePack) -> int:
    return -1 if pack.version is None else estate.ladder.rung(pack.version).order


def _row(pack: EstatePack) -> Row:
    share = 100 * pack.issued // pack.total if pack.total else None
    what = (pack.program, pack.id, pack.server, pack.version, pack.type.value)
    counts = (pack.total, pack.issued, pack.available, pack.over_used, share)
    return (*what, *counts, pack.installed_at, pack.expires_at)


def _bars(ordered: list[EstatePack]) -> tuple[Bar, ...]:
    names = list(dict.fromkeys(one.program for one in ordered))[:MOST_BARS]
    return tuple(bar for name in names if (bar := _bar(name, ordered)).parts)


def _bar(program: str, ordered: list[EstatePack]) -> Bar:
    mine = [one for one in ordered if one.program == program]
    over = sum(one.over_used for one in mine)
    sizes = (
        (Shade.TEMPORARY if program == TEMPORARY else Shade.USED, sum(one.issued for one in mine) - over),
        (Shade.OVER, over),
        (Shade.FREE, sum(one.available or 0 for one in mine)),
    )
    return Bar(program, tuple(Part(shade, size) for shade, size in sizes if size > 0))


_HOSTS: Final = (
    Column("host", "host"),
    Column("version", "version"),
    Column("mode", "mode"),
    Column("servers", "license servers"),
    Column("licenses", "licenses", Holds.COUNT),
    Column("refusals", "refusals", Holds.COUNT),
    Column("seen_at", "seen", Holds.MOMENT),
    Column("grace_until", "grace until", Holds.MOMENT, minor=True),
)


def hosts(estate: Estate, filtered: str = "") -> Report:
    """The session hosts, what they are set to, and how many licenses came through each where the source says."""
    issued = Counter((one.host or "").casefold() for one in estate.licenses)
    refused: Counter[str] = Counter()
    for failure in estate.failures:
        refused[(failure.host or "").casefold()] += failure.times

    def rows() -> Iterator[Row]:
        for host in estate.hosts:
            key, mode = host.name.casefold(), host.mode.value if host.mode else None
            servers = ", ".join(host.servers)
            yield host.name, host.version, mode, servers, issued[key], refused[key], host.seen_at, host.grace_until

    facts = (*head("hosts", "session hosts", estate, filtered), ("hosts", len(estate.hosts)))
    return Report("hosts", "session hosts", _HOSTS, rows, facts)
