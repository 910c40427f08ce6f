"""What do the events leave behind, and where do the tables disagree?

The values into which ``replay`` folds events, license by license and pack by pack. Which license holds a CAL follows from the
licenses alone, so that it does not matter in which order two *holders* were served.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from zlib import crc32

from calward.domain.events import Event
from calward.domain.licenses import Ending

__all__ = ["Check", "Finding", "LicenseState", "PackState", "Share", "State", "difference"]


class Check(StrEnum):
    """What a finding is about."""

    EVENT = "event"
    """An event cannot be read, is not canonical, or says what cannot have happened."""
    ORDER = "order"
    """Events are missing, doubled or out of place."""
    TREE = "tree"
    CHECKPOINT = "checkpoint"
    SERVER = "server"
    PACK = "pack"
    SEAT = "seat"
    """A CAL is not held by exactly its running license, or is none of its pack."""
    LICENSE = "license"
    HOLDER = "holder"
    HOST = "host"
    POLICY = "policy"
    TOKEN = "token"  # noqa: S105 - what a finding is about
    REQUEST = "request"


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement: what it is about, where it is, what the events say and what is there instead."""

    what: Check
    where: str
    expected: str
    found: str


@dataclass(frozen=True, slots=True)
class Share:
    """Which part of all licenses and holders is folded, so that a big ledger can be gone through in several passes."""

    part: int = 0
    parts: int = 1

    def has(self, license_: int) -> bool:
        """Whether this license belongs to the share."""
        return license_ % self.parts == self.part

    def has_holder(self, token: str) -> bool:
        """Whether the holder that events call so belongs to the share."""
        return self.parts == 1 or crc32(token.encode()) % self.parts == self.part


@dataclass(slots=True)
class LicenseState:
    """A license as the events leave it; keys and values as events and tables name them, times in seconds since 1970."""

    holder: str
    type: str
    status: str
    version: str
    family: int
    pack: str | None
    seat: int | None
    issued_at: int
    expires_at: int
    decision: int
    ended_at: int | None = None
    ending: str | None = None


@dataclass(slots=True)
class PackState:
    """A pack as the events leave it."""

    id: str
    version: str
    type: str
    family: int
    total: int
    installed_at: int
    expires_at: int
    removed_at: int | None = None
    generation: int = 1
    bought_as: str = ""
    transfer: str | None = None
    """For which it is frozen, or with which it left."""
    frozen_at: int | None = None
    aside: int = 0


@dataclass
class State:
    """The state after some events. ``findings``: what the events themselves say that cannot have happened.

    ``family_of``: the rank of a version's family in the ladder; events name versions only.
    """

    family_of: Callable[[str], int]
    share: Share = Share()
    server: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    packs: dict[int, PackState] = field(default_factory=dict)
    """By the number of the event that installed them, removed ones too."""
    licenses: dict[int, LicenseState] = field(default_factory=dict)
    holders: dict[str, int | None] = field(default_factory=dict)
    """All holders that events name, with the time since which they are proven."""
    erased: set[str] = field(default_factory=set)
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By name: ``version``, ``family``, ``mode``, ``group``, ``enrolled_at``, ``removed_at``."""
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By group: ``mode`` and ``servers``."""
    tokens: dict[int, dict[str, Any]] = field(default_factory=dict)
    """Administrators' tokens by number: ``name``, ``role``, ``made_at``, ``expires_at``, ``ended_at``."""
    findings: list[Finding] = field(default_factory=list)
    installed: dict[str, int] = field(default_factory=dict)
    """The packs that are installed now, by id: the number of the event that installed each."""

    def end(self, number: int, ending: Ending, at: int | None, event: Event) -> None:
        """End a license; ``at`` None: at its ``expires_at``."""
        if not self.share.has(number):
            return
        license_ = self.licenses.get(number)
        if license_ is None or license_.ended_at is not None:
            found = "no such license was issued" if license_ is None else f"it had ended already ({license_.ending})"
            self.impossible(event, f"a running license L{number} to be {ending.value}", found)
            return
        license_.ended_at = license_.expires_at if at is None else at
        license_.ending = ending.value

    def impossible(self, event: Event, expected: str, found: str) -> None:
        """Take note of an event that contradicts those before it."""
        self.findings.append(Finding(Check.EVENT, f"event {event['id']} ({event['kind']})", expected, found))


def difference(what: Check, where: str, expected: Mapping[str, Any], found: Mapping[str, Any]) -> Finding | None:
    """What differs between two records of the same keys, or None."""
    keys = [key for key, value in expected.items() if found.get(key) != value]
    if not keys:
        return None
    said, there = (", ".join(f"{key} {side.get(key)}" for key in keys) for side in (expected, found))
    return Finding(what, where, said, there)
