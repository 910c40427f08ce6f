"""Which findings are known and accepted, why, and until when?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from calward.insight.findings import Finding

__all__ = ["Snooze", "Snoozed", "in_force", "snoozed", "with_snooze"]


@dataclass(frozen=True, slots=True)
class Snooze:
    """``id``: of a check, or the key of one finding. ``until``: a second since 1970 (UTC), from which on it counts again."""

    id: str
    reason: str
    until: int


class Snoozed(NamedTuple):
    """Findings that count, and those that are accepted, each with what accepts it."""

    open: tuple[Finding, ...]
    accepted: tuple[tuple[Finding, Snooze], ...]


def in_force(snoozes: Iterable[Snooze], now: int) -> tuple[Snooze, ...]:
    """Those whose time is not over."""
    return tuple(one for one in snoozes if now < one.until)


def snoozed(findings: Iterable[Finding], snoozes: Sequence[Snooze], now: int) -> Snoozed:
    """Sort findings by whether they are accepted now; a snooze of one finding counts before one of its check."""
    by_id = {one.id: one for one in in_force(snoozes, now)}
    open_: list[Finding] = []
    accepted: list[tuple[Finding, Snooze]] = []
    for finding in findings:
        found = by_id.get(finding.key) or by_id.get(finding.id)
        if found is None:
            open_.append(finding)
        else:
            accepted.append((finding, found))
    return Snoozed(tuple(open_), tuple(accepted))


def with_snooze(snoozes: Iterable[Snooze], added: Snooze, now: int) -> tuple[Snooze, ...]:
    """Add one in place of an older one of the same id; those that are over are dropped."""
    return (*(one for one in in_force(snoozes, now) if one.id != added.id), added)
