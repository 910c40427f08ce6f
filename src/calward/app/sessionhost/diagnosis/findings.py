"""What does one check say: all is well, this is wrong, or it could not be looked at?"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from calward.app.sessionhost.diagnosis.facts import HostFacts

__all__ = ["Check", "Finding", "Fine", "Found", "NotLooked", "Said", "Severity", "found"]


class Severity(StrEnum):
    """How much it matters."""

    ERROR = "error"
    """Users are refused, or come in without what they need; or will be at the next chance."""
    WARNING = "warning"
    """It works now, and will not for ever or not for everybody."""
    NOTE = "note"
    """It works; somebody should know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: one sentence each for what, what was seen, the likely cause, and what helps.

    ``command`` is to be typed by the administrator, None where no single one helps.
    """

    severity: Severity
    what: str
    evidence: str
    cause: str
    fix: str
    command: str | None = None


@dataclass(frozen=True, slots=True)
class Fine:
    """Nothing is wrong; ``seen`` says what was there."""

    seen: str


@dataclass(frozen=True, slots=True)
class Found:
    """At least one thing is wrong."""

    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class NotLooked:
    """The check has no object here, or what it needs is missing."""

    why: str


Said: TypeAlias = Fine | Found | NotLooked


@dataclass(frozen=True, slots=True)
class Check:
    """One check: ``id`` is for good (scripts, the page); ``looks_at`` is a few words for a list."""

    id: str
    looks_at: str
    look: Callable[[HostFacts], Said]

    @property
    def page(self) -> str:
        """Where the documentation explains it."""
        return f"reference/agent-doctor.html#{self.id}"


def found(findings: list[Finding], otherwise: Fine | NotLooked) -> Said:
    """Give what was found, or else what is to be said where that is nothing."""
    return Found(tuple(findings)) if findings else otherwise
