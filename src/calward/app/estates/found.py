"""What does one file of another system say, before it is joined with others?

Where a file does not name its license server, ``server`` is "". What it does not say is None, never guessed.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

from calward.insight.estate import EstateFailure, EstateHost, EstateServer, ImportProblem, LicenseStatus, PackType

__all__ = ["MOST_PROBLEMS", "DateOrder", "Found", "FoundLicense", "FoundPack", "FoundSummary", "Progress"]

MOST_PROBLEMS = 1000
"""Problems of one file that are listed line by line; the last one tells how many more there are, and up to which line."""

Progress = Callable[[str, int], None]
"""Is told now and then: a file, and how many rows of it have been read."""


class DateOrder(Enum):
    """What a file's own dates say of the order in which it writes day and month with a slash between."""

    NOTHING = auto()
    """It has no such dates, or none that could be both."""
    OPEN = auto()
    """Each of them could be both."""
    DAY_FIRST = auto()
    MONTH_FIRST = auto()
    BOTH = auto()
    """Some can only be day first, others only month first."""


@dataclass(frozen=True, slots=True)
class FoundPack:
    """A row about a key pack. ``total`` None: unlimited; ``issued`` None: the row does not say."""

    line: int
    server: str
    id: str
    version: str | None
    type: PackType
    program: str
    total: int | None
    issued: int | None
    expires_at: int | None


@dataclass(slots=True)
class FoundLicense:
    """A row about an issued license; there may be a million: not frozen, as making frozen ones takes three times as long.

    ``reported``: from a report, which names holders but neither pack nor license.
    """

    line: int
    server: str
    id: str
    pack: str | None
    type: PackType | None
    status: LicenseStatus
    version: str | None
    device: str | None
    user: str | None
    hardware_id: str | None
    issued_at: int | None
    expires_at: int | None
    reported: bool = False


@dataclass(frozen=True, slots=True)
class FoundSummary:
    """A row that sums up one version and type; ``installed`` None: unlimited."""

    line: int
    server: str
    version: str | None
    type: PackType
    installed: int | None
    issued: int


@dataclass(slots=True)
class Found:
    """Everything one file says; ``kinds`` counts its rows by what they are about."""

    file: str
    servers: list[EstateServer] = field(default_factory=list)
    hosts: list[EstateHost] = field(default_factory=list)
    packs: list[FoundPack] = field(default_factory=list)
    licenses: list[FoundLicense] = field(default_factory=list)
    summaries: list[FoundSummary] = field(default_factory=list)
    failures: list[EstateFailure] = field(default_factory=list)
    problems: list[ImportProblem] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, int] = field(default_factory=dict)
    dates: DateOrder = DateOrder.NOTHING
    open_date: str = ""
    """A date that could be both."""
    unlisted: int = 0
    last_unlisted: int = 0

    def count(self, kind: str) -> int:
        """Count a row; gives how many of this kind there are now."""
        self.kinds[kind] = number = self.kinds.get(kind, 0) + 1
        return number

    def complain(self, line: int, reason: str) -> None:
        """Note what could not be read."""
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(ImportProblem(self.file, line, reason))
        else:
            self.unlisted += 1
            self.last_unlisted = max(self.last_unlisted, line)

    def close(self) -> None:
        """End the list of problems with a line about those that are not in it."""
        if self.unlisted:
            reason = f"{self.unlisted} more problems are not listed, the last of them in line {self.last_unlisted}"
            self.problems.append(ImportProblem(self.file, 0, reason))
            self.unlisted = 0
