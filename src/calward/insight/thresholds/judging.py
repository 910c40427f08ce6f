"""Which thresholds does a snapshot reach?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from calward.insight.diagnoser.view import NO_FAMILY, View
from calward.insight.diagnoser.words import listing
from calward.insight.estate import Estate
from calward.insight.findings import Finding, Kind, Severity, Subject
from calward.insight.thresholds.measures import MEASURES
from calward.insight.thresholds.threshold import Measure, Reading, Threshold

__all__ = ["THRESHOLD_IDS", "Judged", "judge"]

_PAGE: Final = "howto/watch.html#thresholds-of-your-own"
_PREFIX: Final = "threshold-"
_IDLE: Final = f"{_PREFIX}idle"
THRESHOLD_IDS: Final = frozenset({_IDLE, *(_PREFIX + name for name in MEASURES)})
"""Of the findings."""


@dataclass(frozen=True, slots=True)
class Judged:
    """Findings, the worst of each thing; ``unseen``: their ids where the snapshot does not say enough."""

    findings: tuple[Finding, ...]
    unseen: frozenset[str]


def judge(estate: Estate, thresholds: Sequence[Threshold]) -> Judged:
    """Judge a snapshot. Where several thresholds measure the same of one thing the first counts: an exception stands before the rule."""
    view = View(estate)
    found: dict[str, Finding | None] = {}
    unseen: set[str] = set()
    for one in thresholds:
        measure = MEASURES[one.measure]
        readings = [] if _unknown(view, one) else measure.read(view, one)
        if isinstance(readings, str):
            unseen.add(_PREFIX + one.measure)
        elif not readings and one.narrowed:
            idle = _idle(view, one)
            found.setdefault(idle.key, idle)
        else:
            for reading in _apart(readings):
                found.setdefault(f"{one.measure}@{reading.subject.name}", _judged(view, one, measure, reading))
    return Judged(tuple(one for one in found.values() if one is not None), frozenset(unseen))


def _judged(view: View, threshold: Threshold, measure: Measure, reading: Reading) -> Finding | None:
    for severity in Severity:  # The worst first.
        limit = threshold.limits.get(severity)
        if limit is not None and reading.value is not None and measure.reaches(reading.value, limit):
            return _finding(view, threshold, measure, reading, severity)
    return None


def _finding(view: View, threshold: Threshold, measure: Measure, reading: Reading, severity: Severity) -> Finding:
    way = "and below" if measure.low else "and above"
    limits = ", ".join(f"{one.value} at {limit:g}" for one, limit in threshold.limits.items())
    return Finding(
        f"{_PREFIX}{threshold.measure}",
        severity,
        reading.what,
        f"the threshold {threshold.measure} of watch.toml: {limits} {measure.unit} {way}",
        measure.cause,
        measure.fix,
        view.command(measure.command),
        _PAGE,
        reading.subject,
    )


def _unknown(view: View, threshold: Threshold) -> bool:
    """Whether it names a version or a server that there is not."""
    if threshold.version is not None and view.family(threshold.version) == NO_FAMILY:
        return True
    return threshold.server is not None and threshold.server not in _servers(view)


def _servers(view: View) -> list[str]:
    """The license servers that a snapshot names, as such or as a pack's."""
    return list(dict.fromkeys((*view.server, *(pack.server for pack in view.estate.packs))))


def _idle(view: View, threshold: Threshold) -> Finding:
    servers = listing(_servers(view)) or "none"
    packs = listing([pack.id for pack in view.bought()]) or "none"
    return Finding(
        _IDLE,
        Severity.WARNING,
        f"the threshold {threshold.measure} for {threshold.narrowed} finds nothing to measure in this estate",
        f"license servers: {servers}; packs: {packs}; versions: {listing([rung.id for rung in view.ladder.rungs][::-1])}",
        "a name is misspelled in watch.toml, or what it names is no longer there",
        "correct the threshold or remove it from watch.toml",
        None,
        _PAGE,
        Subject(Kind.ESTATE, f"{threshold.measure} {threshold.narrowed}"),
    )


def _apart(readings: Sequence[Reading]) -> list[Reading]:
    """Number things that would have one name: another system may have one pack id twice."""
    seen: dict[str, int] = {}
    made = []
    for one in readings:
        seen[one.subject.name] = number = seen.get(one.subject.name, 0) + 1
        name = one.subject.name if number == 1 else f"{one.subject.name} #{number}"
        made.append(one._replace(subject=Subject(one.subject.kind, name)))
    return made
