"""Who was refused, where and why?"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType
from typing import Final

from calward.insight.estate import Estate, EstateFailure
from calward.insight.reports.charts import counts_chart
from calward.insight.reports.report import Chart, Column, Holds, Report, Shade, head

__all__ = ["BY", "domain_of", "failed"]

_NO_REASON: Final = "no reason given"
_COUNTS: Final = (
    Column("times", "times", Holds.COUNT),
    Column("holders", "devices or users", Holds.COUNT, minor=True),
    Column("first_at", "first", Holds.MOMENT),
)


@dataclass(frozen=True, slots=True)
class _By:
    """A way to group: its column, and the groups in which a refusal counts."""

    column: Column
    groups: Callable[[EstateFailure], Sequence[str | None]]


def domain_of(holder: str) -> str:
    """The domain of a user's name: what stands before a backslash or after an @; "" where there is neither."""
    before, slash, _ = holder.partition("\\")
    return before if slash else holder.partition("@")[2]


def _one(column: Column, name: Callable[[EstateFailure], str | None]) -> _By:
    return _By(column, lambda one: (name(one),))


BY: Final[Mapping[str, _By]] = MappingProxyType(
    {
        "host": _one(Column("host", "host"), lambda one: one.host),
        "holder": _one(Column("holder", "device or user"), lambda one: one.holder),
        "domain": _one(Column("domain", "domain"), lambda one: domain_of(one.holder)),
        "reason": _By(Column("reason", "reason"), lambda one: one.reasons or (None,)),
        "reasons": _one(Column("reasons", "reasons"), lambda one: ", ".join(one.reasons)),
        "type": _one(Column("type", "type"), lambda one: one.type.value),
        "version": _one(Column("version", "version"), lambda one: one.version),
        "server": _one(Column("server", "license server", minor=True), lambda one: one.server),
    }
)
"""What refusals may be counted by. Under "reason" one with several counts for each; "reasons" takes them together."""
_ALL: Final = ("host", "holder", "reasons", "type", "version", "server")


@dataclass(slots=True)
class _Group:
    """Refusals that are alike."""

    times: int
    holders: set[str]
    first: int


def failed(estate: Estate, filtered: str = "", by: Sequence[str] = ()) -> Report:
    """Refusals, those that happened most first; the pictures show what they are grouped by, else reasons and hosts.

    Args: by: keys of ``BY``; none: a row for each host, holder and set of reasons.
    """
    chosen = tuple(dict.fromkeys(by)) or _ALL
    title = f"failed issuances by {_words(by or ('host', 'holder', 'reason'))}"
    ordered = sorted(_groups(estate, chosen).items(), key=lambda item: (-item[1].times, tuple(map(str, item[0]))))
    notes = tuple(_notes(estate, chosen))
    total = sum(one.times for one in estate.failures)
    return Report(
        "failed",
        title,
        (*(BY[name].column for name in chosen), *_COUNTS),
        lambda: ((*key, group.times, len(group.holders), group.first) for key, group in ordered),
        (*head("failed", title, estate, filtered, notes), ("refusals", total), *_told(estate)),
        notes,
        tuple(_charts(estate, tuple(by) or ("reason", "host"))),
    )


def _words(by: Sequence[str]) -> str:
    names = [BY[name].column.title for name in dict.fromkeys(by)]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def _groups(estate: Estate, chosen: Sequence[str]) -> dict[tuple[str | None, ...], _Group]:
    found: dict[tuple[str | None, ...], _Group] = {}
    for one in estate.failures:
        for key in product(*(BY[name].groups(one) for name in chosen)):
            group = found.setdefault(key, _Group(0, set(), one.at))
            group.times += one.times
            group.holders.add(one.holder)
            group.first = min(group.first, one.at)
    return found


def _notes(estate: Estate, chosen: Sequence[str]) -> Iterator[str]:
    silent = sum(not one.reasons for one in estate.failures)
    if silent:
        yield f"the source gives no reason for {silent} of {len(estate.failures)} refusals"
    several = sum(one.times for one in estate.failures if len(one.reasons) > 1)
    if several and "reason" in chosen:
        yield f"{several} refusals had several reasons and count under each of them"


def _told(estate: Estate) -> tuple[tuple[str, str], ...]:
    """What another system's summary counts by domain: refusals without a name."""
    return tuple((key, value) for key, value in estate.facts.items() if key.startswith("failed issuances"))


def _charts(estate: Estate, names: Sequence[str]) -> Iterator[Chart]:
    for name in names:
        counts: Counter[str] = Counter()
        for one in estate.failures:
            for group in BY[name].groups(one):
                counts[group or (_NO_REASON if name == "reason" else f"unknown {name}")] += one.times
        yield counts_chart(f"refusals by {BY[name].column.title}", list(counts.items()), Shade.OVER)
