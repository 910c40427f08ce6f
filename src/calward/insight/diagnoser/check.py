"""What is a check of an estate, and what is a trouble before its check has signed it?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from calward.insight.diagnoser.view import View
from calward.insight.findings import MOST_NAMES, Finding, Severity, Subject
from calward.insight.said import Fine, Found, NotLooked

__all__ = ["About", "Check", "Said", "Trouble"]


class About(StrEnum):
    """What a check is about: a question about one host or holder leaves checks about other things out."""

    ESTATE = "estate"
    PLACE = "place"
    """License servers, session hosts and packs."""
    HOLDER = "holder"
    """Devices and users with their licenses."""
    BOTH = "both"
    """What happened to a holder at a place."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """A finding before its check has signed it."""

    severity: Severity
    subject: Subject
    what: str
    evidence: str
    cause: str
    fix: str
    command: str | None = None
    names: Iterable[str] = ()
    inferred: bool = False


Said: TypeAlias = Fine | Found[Trouble] | NotLooked


@dataclass(frozen=True, slots=True)
class Check:
    """One check: ``id`` is for good (scripts, snoozes, the page); ``looks_at`` is a few words for a list."""

    id: str
    looks_at: str
    about: About
    look: Callable[[View], Said]

    @property
    def page(self) -> str:
        """Where the documentation explains it."""
        return f"reference/diagnosis.html#{self.id}"

    def sign(self, trouble: Trouble) -> Finding:
        """Make a finding of what this check has found."""
        return Finding(
            self.id,
            trouble.severity,
            trouble.what,
            trouble.evidence,
            trouble.cause,
            trouble.fix,
            trouble.command,
            self.page,
            trouble.subject,
            tuple(name for name, _ in zip(trouble.names, range(MOST_NAMES), strict=False)),
            trouble.inferred,
        )
