"""What did an audit find?"""

from dataclasses import dataclass, field
from typing import Final

from calward.domain.replay_state import Check, Finding

__all__ = ["MOST_FINDINGS", "Audit"]

MOST_FINDINGS: Final = 1_000
"""More are counted and not kept: what is that wrong is told by the first of them."""


@dataclass
class Audit:
    """``events`` were read; ``size`` of them have a place in the tree, whose root is ``root`` (32 bytes)."""

    events: int = 0
    size: int = 0
    root: bytes = b""
    findings: list[Finding] = field(default_factory=list)
    left_out: int = 0
    """Findings beyond ``MOST_FINDINGS``."""

    @property
    def holds(self) -> bool:
        """Whether everything agrees."""
        return not self.findings

    def add(self, finding: Finding | None) -> None:
        """Take note of a finding, if it is one."""
        if finding is None:
            return
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(finding)
        else:
            self.left_out += 1

    def note(self, what: Check, where: str, expected: object, found: object) -> None:
        """Take note of a disagreement."""
        self.add(Finding(what, where, str(expected), str(found)))
