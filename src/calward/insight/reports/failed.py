"""Who was refused, where and why?"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from calward.insight.estate import Estate, EstateFailure
from calward.insight.reports.charts import counts_chart
from calward.insight.reports.report import Chart, Column, Holds, Report, Shade, head

__all__ = ["failed"]

_TITLE: Final = "failed issuances by host, holder and reason"
_COLUMNS: Final = (
    Column("host", "host"),
    Column("holder", "device or user"),
    Column("reasons", "reasons"),
    Column("type", "type"),
    Column("version", "version"),
    Column("server", "license server", minor=True),
    Column("times", "times", Holds.COUNT),
    Column("first_at", "first", Holds.MOMENT),
)
_Key = tuple[str | None, str, str, str, str | None, str]


@dataclass(slots=True)
class _Group:
    """Refusals that are alike."""

    times: int
    first: int


def failed(estate: Estate, filtered: str = "") -> Report:
    """Refusals, those that happened most first; the pictures show hosts and reasons."""
    groups: dict[_Key, _Group] = {}
    for one in estate.failures:
        group = groups.setdefault(_key(one), _Group(0, one.at))
        group.times += one.times
        group.first = min(group.first, one.at)
    ordered = sorted(groups.items(), key=lambda item: (-item[1].times, tuple(map(str, item[0]))))
    silent = sum(not one.reasons for one in estate.failures)
    notes = (f"the source gives no reason for {silent} of {len(estate.failures)} refusals",) if silent else ()
    total = sum(one.times for one in estate.failures)
    return Report(
        "failed",
        _TITLE,
        _COLUMNS,
        lambda: ((*key, group.times, group.first) for key, group in ordered),
        (*head("failed", _TITLE, estate, filtered, notes), ("refusals", total), *_told(estate)),
        notes,
        (_chart("refusals by reason", estate, _reasons), _chart("refusals by host", estate, _host)),
    )


def _told(estate: Estate) -> tuple[tuple[str, str], ...]:
    """What another system's summary counts by domain: refusals without a name."""
    return tuple((key, value) for key, value in estate.facts.items() if key.startswith("failed issuances"))


def _key(one: EstateFailure) -> _Key:
    return one.host, one.holder, ", ".join(one.reasons), one.type.value, one.version, one.server


def _reasons(one: EstateFailure) -> str:
    return ", ".join(one.reasons) or "no reason given"


def _host(one: EstateFailure) -> str:
    return one.host or "unknown host"


def _chart(title: str, estate: Estate, label: Callable[[EstateFailure], str]) -> Chart:
    counts: Counter[str] = Counter()
    for one in estate.failures:
        counts[label(one)] += one.times
    return counts_chart(title, list(counts.items()), Shade.OVER)
