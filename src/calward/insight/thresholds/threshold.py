"""What is a threshold, and what is a number that it judges?"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from calward.insight.diagnoser.view import View
from calward.insight.estate import PackType
from calward.insight.findings import Severity, Subject

__all__ = ["Each", "Key", "Measure", "Reading", "Threshold"]


class Each(StrEnum):
    """What a measure is taken of: one number for each of these."""

    VERSION = "version"
    """All CALs of one version and type, on all license servers together."""
    PACK = "pack"
    SERVER = "server"
    ALL = "all"
    """Everything that the threshold names, together."""


class Key(StrEnum):
    """What narrows a threshold down."""

    VERSION = "version"
    TYPE = "type"
    SERVER = "server"
    PACK = "pack"
    EACH = "each"
    WITHIN_DAYS = "within_days"


@dataclass(frozen=True, slots=True)
class Threshold:
    """A measure and its limits by severity: reached is a limit that the number equals, or lies beyond. None: not narrowed down."""

    measure: str
    limits: Mapping[Severity, float]
    each: Each
    version: str | None = None
    type: PackType | None = None
    server: str | None = None
    pack: str | None = None
    within_days: int = 1

    @property
    def narrowed(self) -> str:
        """What it is narrowed down to, in words; empty where it is not."""
        found = (("version", self.version), ("type", self.type), ("server", self.server), ("pack", self.pack))
        return ", ".join(f"{key} {value}" for key, value in found if value is not None)


class Reading(NamedTuple):
    """A number of one thing; ``value`` None: it has no end, and reaches no limit. ``what``: one sentence that says it."""

    subject: Subject
    value: float | None
    what: str


@dataclass(frozen=True, slots=True)
class Measure:
    """What can be measured. ``low``: a limit is reached from above (few are left), else from below.

    ``read`` gives the numbers of a snapshot, or says why it has none. ``each``: what it can be taken of, the usual one first.
    """

    unit: str
    largest: float
    """Of a limit; the smallest is 0, or 1 where a limit is reached from below."""
    keys: frozenset[Key]
    each: tuple[Each, ...]
    read: Callable[[View, Threshold], Sequence[Reading] | str]
    cause: str
    fix: str
    command: str
    low: bool = field(kw_only=True)

    def reaches(self, value: float, limit: float) -> bool:
        """Whether a number is at a limit or beyond."""
        return value <= limit if self.low else value >= limit
