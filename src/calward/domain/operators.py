"""Who may do what at a clearinghouse?"""

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from calward.domain.errors import LicensingError, Problem

__all__ = ["OPERATOR_MAY", "ROLE_MEANINGS", "Operator", "OperatorRight", "OperatorRole"]


class OperatorRole(StrEnum):
    """What an operator is; each token has one role."""

    VIEWER = "viewer"
    SELLER = "seller"
    SUPPORT = "support"


class OperatorRight(StrEnum):
    """One thing that can be allowed."""

    READ = "read"
    """Organizations, purchases without their numbers, license servers, packs, moves."""
    READ_NUMBERS = "read-numbers"
    """The numbers of purchases: who knows them may claim the CALs."""
    SELL = "sell"
    """Add organizations and purchases, sign key packs."""
    SUPPORT = "support"
    """Give up moves, confirm new keys of license servers."""
    AUDIT = "audit"
    """Verify the ledger, and sign a checkpoint of it."""


OPERATOR_MAY: Final = MappingProxyType(
    {
        OperatorRole.VIEWER: frozenset({OperatorRight.READ, OperatorRight.AUDIT}),
        OperatorRole.SELLER: frozenset({OperatorRight.READ, OperatorRight.READ_NUMBERS, OperatorRight.SELL}),
        OperatorRole.SUPPORT: frozenset({OperatorRight.READ, OperatorRight.SUPPORT, OperatorRight.AUDIT}),
    }
)
"""The table of roles; what is not in it is denied. Nobody may do all: who sells does not confirm keys."""

ROLE_MEANINGS: Final = MappingProxyType(
    {
        OperatorRole.VIEWER: "sees who bought what and which pack is where, but no numbers; verifies the ledger",
        OperatorRole.SELLER: "adds organizations and purchases, sees the numbers, signs key packs",
        OperatorRole.SUPPORT: "gives up moves and confirms new keys of license servers; sees what a viewer sees",
    }
)
"""One line for each role."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Somebody who works at the clearinghouse."""

    name: str
    role: OperatorRole

    def require(self, right: OperatorRight) -> None:
        """Raise LicensingError(FORBIDDEN) unless the role has this right."""
        if right not in OPERATOR_MAY[self.role]:
            able = " or ".join(role for role, rights in OPERATOR_MAY.items() if right in rights)
            detail = f"the role {self.role} of operator {self.name} does not include {right}: it needs {able}"
            raise LicensingError(Problem.FORBIDDEN, detail)
