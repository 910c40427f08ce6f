"""What has changed between what was told of an estate and what is found now, and how is that told?"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from calward.insight.findings import Finding, Severity

__all__ = ["Change", "ChangeKind", "Known", "Notice", "Told", "compare", "notice", "severe_enough"]

_ORDER: Final = tuple(Severity)
"""The worst first."""


class ChangeKind(StrEnum):
    """What has become of a finding since it was told."""

    NEW = "new"
    WORSE = "worse"
    BETTER = "better"
    GONE = "gone"
    """It is found no longer, is snoozed, or matters less than is told of."""


_HEADINGS: Final = MappingProxyType(
    {
        ChangeKind.NEW: "new",
        ChangeKind.WORSE: "worse than before",
        ChangeKind.BETTER: "less severe than before",
        ChangeKind.GONE: "no longer found, or snoozed",
    }
)


class Known(NamedTuple):
    """What was told of one finding."""

    severity: Severity
    what: str


@dataclass(frozen=True, slots=True)
class Told:
    """What one receiver knows: findings by key. ``number``: of notices it was sent, so that no two have the same id."""

    findings: Mapping[str, Known]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One finding that has changed; ``finding`` is None where it is gone."""

    kind: ChangeKind
    key: str
    known: Known
    finding: Finding | None


@dataclass(frozen=True, slots=True)
class Notice:
    """What a receiver is told, once. ``id`` is the same where the same notice is sent again, and no other notice's."""

    id: str
    subject: str
    text: str
    document: Mapping[str, Any]
    told: Told
    """What the receiver knows from then on."""


def severe_enough(findings: Iterable[Finding], least: Severity) -> tuple[Finding, ...]:
    """Those that matter at least so much."""
    return tuple(one for one in findings if _ORDER.index(one.severity) <= _ORDER.index(least))


def compare(before: Mapping[str, Known], now: Iterable[Finding], unseen: AbstractSet[str]) -> tuple[Change, ...]:
    """Give what has changed, the worst first and what is gone last.

    ``unseen``: ids of checks that could not be made now. What they had found is taken to be there still.
    """
    found = {one.key: one for one in now}
    changes = [
        Change(kind, key, Known(one.severity, one.what), one)
        for key, one in found.items()
        if (kind := _kind(before.get(key), one.severity)) is not None
    ]
    gone = [
        Change(ChangeKind.GONE, key, known, None)
        for key, known in before.items()
        if key not in found and key.partition("@")[0] not in unseen
    ]
    return tuple(sorted(changes, key=lambda one: _ORDER.index(one.known.severity)) + gone)


def notice(estate: str, as_of: str, before: Told, changes: Sequence[Change]) -> Notice | None:
    """Say the changes to people and programs; None where nothing has changed. ``as_of``: when the snapshot was taken."""
    if not changes:
        return None
    rows = [_row(one) for one in changes]
    told = Told(_after(before.findings, changes), before.number + 1)
    # Without the sentences: days that are counted in them make no other notice of it when it is sent again.
    content = json.dumps([estate, told.number, [[one.kind, one.key, one.known.severity] for one in changes]]).encode()
    id_ = hashlib.sha256(content).hexdigest()[:32]
    document = {"id": id_, "estate": estate, "as_of": as_of, "changes": rows, "open": _counts(told.findings)}
    return Notice(id_, _subject(estate, changes), _text(estate, as_of, changes), document, told)


def _kind(known: Known | None, severity: Severity) -> ChangeKind | None:
    if known is None:
        return ChangeKind.NEW
    step = _ORDER.index(severity) - _ORDER.index(known.severity)
    if step == 0:
        return None
    return ChangeKind.WORSE if step < 0 else ChangeKind.BETTER


def _after(before: Mapping[str, Known], changes: Iterable[Change]) -> dict[str, Known]:
    after = dict(before)
    for one in changes:
        if one.kind is ChangeKind.GONE:
            del after[one.key]
        else:
            after[one.key] = one.known
    return after


def _row(change: Change) -> dict[str, Any]:
    head = {
        "change": change.kind.value,
        "key": change.key,
        "severity": change.known.severity.value,
        "what": change.known.what,
    }
    return head | {"finding": None if change.finding is None else change.finding.document()}


def _counts(findings: Mapping[str, Known]) -> dict[str, int]:
    severities = [one.severity for one in findings.values()]
    return {one.value: severities.count(one) for one in Severity}


def _subject(estate: str, changes: Sequence[Change]) -> str:
    kinds = [one.kind for one in changes]
    sums = ", ".join(f"{kinds.count(kind)} {kind.value}" for kind in ChangeKind if kind in kinds)
    return f"Calward: {_plain(estate)}: {sums}"


def _text(estate: str, as_of: str, changes: Sequence[Change]) -> str:
    lines = [f"{_plain(estate)}, as of {as_of}"]
    for kind, heading in _HEADINGS.items():
        some = [one for one in changes if one.kind is kind]
        if some:
            lines += ["", f"{heading}:"]
        for one in some:
            lines += _lines(one)
    return "\n".join(lines) + "\n"


def _lines(change: Change) -> list[str]:
    lines = [f"- [{change.known.severity.value}] {_plain(change.known.what)} ({_plain(change.key)})"]
    if change.finding is not None:
        lines.append(f"  what helps: {_plain(change.finding.fix)}")
        if change.finding.command is not None:
            lines.append(f"  {_plain(change.finding.command)}")
    return lines


def _plain(text: str) -> str:
    """A text from outside in one line, without what would do something to a terminal or a mail's header."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
