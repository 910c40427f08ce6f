"""What does a host or an administrator read about a decision?

Made from the stored event alone (plus what the host itself asked), so that a repeated request gets the same bytes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from calward.domain.cals import CalType
from calward.domain.events import Event, Kind
from calward.domain.trace import Line, Subject, Trace, read_trace

__all__ = ["Answer", "LicenseView", "answer_from", "as_json", "decision_name", "license_name", "numbered", "rfc3339"]


_LICENSE = Kind.LICENSE
"""Named once: Python 3.11 calls a function at each look-up of an enumeration's member."""


@dataclass(slots=True)  # Not frozen: one is made for each request, and freezing costs more than filling it.
class LicenseView:
    """A license as answers show it."""

    id: str
    version: str
    type: str
    status: str
    expires_at: str
    pack: str | None
    change: str


@dataclass(slots=True)
class Answer:
    """The answer to a request for a license: ``reason`` lists everything that stood in the way of a full license."""

    outcome: str
    license: LicenseView | None
    decision: str | None
    trace: tuple[Line, ...]
    reason: tuple[str, ...]


def answer_from(event: Event) -> Answer:
    """The answer that an event of kind license or refusal stands for; ``id`` 0 means that nothing was recorded."""
    granted, number = event["kind"] == _LICENSE, event["id"]
    return Answer(
        "granted" if granted else "refused",
        _license(event) if granted else None,
        decision_name(number) if number else None,
        _lines(_trace(event["trace"]), event["for"], event["type"], event.get("version")),
        tuple(event.get("reasons", ())),
    )


@lru_cache(maxsize=4096)
def _lines(trace: Trace, host_version: str, type_: str, version: str | None) -> tuple[Line, ...]:
    """The sentences of a stored trace. Kept here beside ``read_trace``'s own, so that nothing is made only to be looked up."""
    return read_trace(trace, Subject(host_version, CalType(type_), version))


def _trace(stored: Sequence[Sequence[int]]) -> Trace:
    """A trace as it was made, or as lists when it comes from its text."""
    return stored if isinstance(stored, tuple) else tuple([tuple(line) for line in stored])


def _license(event: Event) -> LicenseView:
    return LicenseView(
        license_name(event["license"]),
        event["version"],
        event["type"],
        event["status"],
        rfc3339(event["expires"]),
        event.get("pack"),
        event["change"],
    )


def license_name(number: int) -> str:
    """A license's public name, from the ledger's number."""
    return f"L{number}"


def decision_name(number: int) -> str:
    """A decision's public name: the number of its event."""
    return f"D{number}"


def numbered(name: str, letter: str) -> int | None:
    """The number behind a public name such as L12 (or 12); None if it is none."""
    digits = name.strip()
    if digits[:1] in {letter, letter.lower()}:
        digits = digits[1:]
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 18 else None  # noqa: PLR2004 - 64 bit


@lru_cache(maxsize=4096)
def rfc3339(seconds: int) -> str:
    """Seconds since 1970 as "2026-11-24T06:22:46Z"."""
    return datetime.fromtimestamp(seconds, UTC).isoformat()[:19] + "Z"


def as_json(answer: Answer) -> dict[str, Any]:
    """The answer as plain JSON values, keys as the host contract names them."""
    view = answer.license
    return {
        "outcome": answer.outcome,
        "license": None if view is None else {name: getattr(view, name) for name in LicenseView.__slots__},
        "decision": answer.decision,
        "trace": [{"rule": x.rule, "verdict": x.verdict, "detail": x.detail} for x in answer.trace],
        "reason": list(answer.reason),
    }
