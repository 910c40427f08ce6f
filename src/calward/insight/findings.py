"""What is found wrong in an estate, and how is it told?"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

__all__ = ["MOST_NAMES", "Finding", "Kind", "Severity", "Subject"]

MOST_NAMES: Final = 1000
"""Names that one finding carries: scripts that need more ask for a report."""


class Severity(StrEnum):
    """How much it matters."""

    ERROR = "error"
    """Somebody is refused, or will be at the next chance."""
    WARNING = "warning"
    """It works now, and will not for ever, not for everybody, or not as was agreed."""
    INFO = "info"
    """It works; somebody should know."""


class Kind(StrEnum):
    """What a finding is about."""

    ESTATE = "estate"
    SERVER = "server"
    HOST = "host"
    PACK = "pack"
    DEVICE = "device"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing of the estate; ``name`` stays the same from look to look, so that a finding can be recognized."""

    kind: Kind
    name: str


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: one sentence each for what, what was seen, the likely cause, and what helps.

    ``id``: of the check. ``command``: to be typed by the administrator, None where no single one helps. ``page``: of the documentation.
    ``names``: the hosts, devices or users it is about, at most ``MOST_NAMES``. ``inferred``: concluded from what the snapshot
    says, which does not say this itself.
    """

    id: str
    severity: Severity
    what: str
    evidence: str
    cause: str
    fix: str
    command: str | None
    page: str
    subject: Subject
    names: tuple[str, ...] = ()
    inferred: bool = False

    @property
    def key(self) -> str:
        """What tells this finding from all others of one snapshot, and is the same in the next: ``headroom@LS1 2022/per-user``."""
        return f"{self.id}@{self.subject.name}"

    def document(self) -> dict[str, Any]:
        """Give it as scripts read it."""
        return {
            "id": self.id,
            "key": self.key,
            "severity": self.severity.value,
            "what": self.what,
            "evidence": self.evidence,
            "inferred": self.inferred,
            "cause": self.cause,
            "fix": self.fix,
            "command": self.command,
            "page": self.page,
            "subject": {"kind": self.subject.kind.value, "name": self.subject.name},
            "names": list(self.names),
        }
