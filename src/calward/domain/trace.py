"""How is a decision explained, step by step?

A trace is stored as rule numbers, verdict numbers and counts; the sentences are made when it is read, so that they can improve
while the stored bytes stay. The numbers are frozen: a new verdict gets a new number.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

from calward.domain.cals import CalType

__all__ = ["RULES", "Line", "Rule", "Subject", "Trace", "TraceLine", "Verdict", "read_trace"]

TraceLine = tuple[int, ...]
"""Rule number, verdict number, and where the verdict counts something, the count."""
Trace = tuple[TraceLine, ...]


class Rule(IntEnum):
    """The steps of design 3, "Which CAL a client gets"; 0 comes before them."""

    __hash__ = int.__hash__  # Traces are looked up by their numbers; an enumeration's own hash is slow.

    HOST = 0
    KEEP = 1
    SAME_VERSION = 2
    NEWER_VERSION = 3
    FALL_BACK = 4
    REFUSE = 5


RULES: Final = MappingProxyType(
    {
        Rule.HOST: ("host", "is the license server new enough for the host, and may the host ask"),
        Rule.KEEP: ("keep", "a running full license of the host's version or higher is kept"),
        Rule.SAME_VERSION: ("same-version", "else a free CAL of the host's own version family"),
        Rule.NEWER_VERSION: (
            "newer-version",
            "else, unless the policy forbids it, a free CAL of the lowest newer family",
        ),
        Rule.FALL_BACK: ("fall-back", "else a temporary license for a device, over-use for a user"),
        Rule.REFUSE: ("refuse", "else no license, with everything that stood in the way"),
    }
)
"""Name and one sentence for each rule."""


class Verdict(IntEnum):
    """What a rule came to. INVARIANT: the numbers never change their meaning (they stand in events)."""

    __hash__ = int.__hash__

    NONE_HELD = 0
    HELD_TOO_OLD = 1
    KEPT = 2
    RENEWED = 3
    EXTENDED = 4
    TAKEN = 5
    NONE_FREE = 6
    NOT_INSTALLED = 7
    PREVENTED = 8
    NOT_PROVEN = 9
    NOT_ACTIVATED = 10
    TEMPORARY_GIVEN = 11
    TEMPORARY_KEPT = 12
    TEMPORARY_USED_UP = 13
    OVER_USED = 14
    ENFORCED = 15
    REFUSED = 16
    SERVER_TOO_OLD = 17
    NOT_ENROLLED = 18
    NOT_EXTENDED = 19
    RIGHT_ENDED = 20
    OVER_USE_KEPT = 21
    PACK_MOVING = 22


_DETAILS: Final = MappingProxyType(
    {
        Verdict.NONE_HELD: "the {holder} holds no running full {type} license",
        Verdict.HELD_TOO_OLD: "the {holder}'s full license is of an older version than the {host} host",
        Verdict.KEPT: "the {holder} holds a full license of {version}, which opens a {host} host",
        Verdict.RENEWED: "the {holder}'s full license of {version} was near its end and got a new one, on the same CAL",
        Verdict.EXTENDED: "the {holder} holds a full license of {version}; its end moved with this logon",
        Verdict.NOT_EXTENDED: "the {holder} holds a full license of {version}; this server may not renew or extend it now",
        Verdict.PACK_MOVING: "the {holder} holds a full license of {version}; its pack is moving to another license server, so its end stays",
        Verdict.TAKEN: "a CAL of {version} was free and is now held by the {holder}",
        Verdict.NONE_FREE: "none of {count} {type} CALs is free",
        Verdict.NOT_INSTALLED: "no unexpired {type} pack is installed",
        Verdict.PREVENTED: "{count} newer {type} packs with a free CAL are kept for newer hosts by the policy",
        Verdict.NOT_PROVEN: "the device has not been proven: no CAL before a confirmed logon",
        Verdict.NOT_ACTIVATED: "the license server is not activated: no CAL is issued",
        Verdict.RIGHT_ENDED: "the license server's right to issue has ended: no CAL is issued",
        Verdict.TEMPORARY_GIVEN: "a temporary license of {host} was given",
        Verdict.TEMPORARY_KEPT: "the running temporary license of {version} serves",
        Verdict.TEMPORARY_USED_UP: "the temporary license of this version family has been used up",
        Verdict.OVER_USE_KEPT: "the running over-use of {version} serves; it is not extended",
        Verdict.OVER_USED: "the user is let in and recorded as over-use",
        Verdict.ENFORCED: "the license server enforces per-user CALs: no over-use",
        Verdict.REFUSED: "no license",
        Verdict.SERVER_TOO_OLD: "the license server is of an older version than the {host} host",
        Verdict.NOT_ENROLLED: "the session host may not ask here",
    }
)

_FAMILY_STEPS: Final = MappingProxyType(
    {Rule.SAME_VERSION: "of the host's version: ", Rule.NEWER_VERSION: "of newer versions: "}
)


class Subject(NamedTuple):
    """What the sentences talk about: the host's version, the CAL type, and the license's version where there is one."""

    host_version: str
    type: CalType
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a trace as people and scripts read it."""

    rule: str
    verdict: str
    detail: str


@lru_cache(maxsize=4096)
def read_trace(trace: Trace, subject: Subject) -> tuple[Line, ...]:
    """The sentences of a stored trace; an unknown number (of a newer release) is said as such."""
    return tuple(_line(numbers, subject) for numbers in trace)


def _line(numbers: TraceLine, subject: Subject) -> Line:
    try:
        rule, verdict = Rule(numbers[0]), Verdict(numbers[1])
    except (ValueError, IndexError):
        return Line("unknown", "unknown", f"numbers of a newer release: {list(numbers)}")
    words = {
        "holder": subject.type.holder_kind.value,
        "type": subject.type.value,
        "host": subject.host_version,
        "version": subject.version or subject.host_version,
        "count": numbers[2] if len(numbers) > 2 else 0,  # noqa: PLR2004 - the third number is the count
    }
    detail = _FAMILY_STEPS.get(rule, "") + _DETAILS[verdict].format_map(words)
    return Line(RULES[rule][0], verdict.name.lower().replace("_", "-"), detail)
