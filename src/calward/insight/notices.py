"""How is a change of an estate's findings told, to people and to programs?"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from calward.insight.findings import Severity
from calward.insight.watching import Change, ChangeKind, Known

__all__ = ["Notice", "Told", "notice", "trial_notice"]

_HEADINGS: Final = MappingProxyType(
    {
        ChangeKind.NEW: "new",
        ChangeKind.WORSE: "worse than before",
        ChangeKind.BETTER: "less severe than before",
        ChangeKind.GONE: "no longer found, or snoozed",
    }
)


@dataclass(frozen=True, slots=True)
class Told:
    """What one receiver knows: findings by key. ``number``: of notices it was sent, so that no two have the same id."""

    findings: Mapping[str, Known]
    number: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """What a receiver is told, once. ``id`` is the same where the same notice is sent again, and no other notice's."""

    id: str
    subject: str
    text: str
    document: Mapping[str, Any]
    told: Told
    """What the receiver knows from then on."""


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


def trial_notice(as_of: str) -> Notice:
    """One that tells nothing but that notices arrive; ``as_of``: the time, which makes its id."""
    id_ = hashlib.sha256(f"test {as_of}".encode()).hexdigest()[:32]
    document: dict[str, Any] = {
        "id": id_,
        "estate": None,
        "as_of": as_of,
        "test": True,
        "changes": [],
        "open": _counts({}),
    }
    text = f"This is a test of {as_of}: notices of calward watch arrive here.\n"
    return Notice(id_, "Calward: test", text, document, Told({}))


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
