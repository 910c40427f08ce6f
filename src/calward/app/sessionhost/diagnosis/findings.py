"""What is a check of a session host, and what is found by one?"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from calward.app.sessionhost.diagnosis.facts import HostFacts
from calward.insight.said import Fine, Found, NotLooked

__all__ = ["Check", "Finding", "Said", "Severity"]


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


Said: TypeAlias = Fine | Found[Finding] | NotLooked


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
