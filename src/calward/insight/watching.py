"""What has changed between what somebody was told of an estate and what is found now?

What is new or worse is told at once. What is over or milder is told once it has lasted: a number that goes to and fro around a line would
otherwise send a notice at each look. Where that begins is remembered with what was told, as each receiver has a history of its own.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from calward.insight.findings import Finding, Severity

__all__ = ["Change", "ChangeKind", "Compared", "Known", "Seen", "compare", "severe_enough"]

_ORDER: Final = tuple(Severity)
"""The worst first."""


class ChangeKind(StrEnum):
    """What has become of a finding since it was told."""

    NEW = "new"
    WORSE = "worse"
    BETTER = "better"
    GONE = "gone"
    """It is found no longer, is snoozed, or matters less than is told of."""


class Known(NamedTuple):
    """What was told of one finding. ``easing_since``: the second from which on every look has found it milder or not at all."""

    severity: Severity
    what: str
    easing_since: int | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a second (``at``) has found that counts.

    ``unseen``: ids of checks and keys of findings that could not be looked for; what was known of them is taken to be there still.
    ``snoozed``: keys of findings that somebody has accepted.
    """

    findings: Iterable[Finding]
    at: int
    unseen: AbstractSet[str] = field(default_factory=frozenset)
    snoozed: AbstractSet[str] = field(default_factory=frozenset)


@dataclass(frozen=True, slots=True)
class Change:
    """One finding that has changed; ``finding`` is None where it is gone."""

    kind: ChangeKind
    key: str
    known: Known
    finding: Finding | None


class Compared(NamedTuple):
    """Changes that are to be told, the worst first and what is gone last; and what is known until they are told."""

    changes: tuple[Change, ...]
    known: Mapping[str, Known]


def severe_enough(findings: Iterable[Finding], least: Severity) -> tuple[Finding, ...]:
    """Those that matter at least so much."""
    return tuple(one for one in findings if _ORDER.index(one.severity) <= _ORDER.index(least))


def compare(before: Mapping[str, Known], seen: Seen, settle: int) -> Compared:
    """Compare what was told with what is there; what eases is a change after so many seconds (``settle``), in a later look."""
    found = {one.key: one for one in seen.findings}
    known = {key: _eased(one, found.get(key), key, seen) for key, one in before.items()}
    severe = [
        Change(kind, key, Known(one.severity, one.what), one)
        for key, one in found.items()
        if (kind := _kind(known.get(key), one.severity, seen.at - settle)) is not None
    ]
    gone = [
        Change(ChangeKind.GONE, key, one, None)
        for key, one in known.items()
        if key not in found
        and one.easing_since is not None
        and (one.easing_since <= seen.at - settle or key in seen.snoozed)
    ]
    return Compared((*sorted(severe, key=lambda one: _ORDER.index(one.known.severity)), *gone), known)


def _eased(known: Known, found: Finding | None, key: str, seen: Seen) -> Known:
    """What is known of a finding, with the second since which it eases."""
    looked = not {key, key.partition("@")[0]} & seen.unseen
    eases = looked if found is None else _ORDER.index(found.severity) > _ORDER.index(known.severity)
    if not eases:
        return known._replace(easing_since=None)
    return known if known.easing_since is not None else known._replace(easing_since=seen.at)


def _kind(known: Known | None, severity: Severity, settled: int) -> ChangeKind | None:
    if known is None:
        return ChangeKind.NEW
    if _ORDER.index(severity) < _ORDER.index(known.severity):
        return ChangeKind.WORSE
    return ChangeKind.BETTER if known.easing_since is not None and known.easing_since <= settled else None
