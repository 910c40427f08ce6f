"""How many licenses may be revoked now, and when does the next slot open?"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

__all__ = ["Allowance", "allowance"]


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to revoke in one family: counts of licenses, and a second since 1970 (None: nothing to wait for)."""

    limit: int
    used: int
    next_at: int | None

    @property
    def remaining(self) -> int:
        """How many may be revoked at once."""
        return max(0, self.limit - self.used)


def allowance(installed: int, share: Decimal, revoked_until: Iterable[int], now: int) -> Allowance:
    """The revocations left among ``installed`` per-device CALs of a family.

    Args: share: between 0 and 1. revoked_until: when each revoked license would have expired, in seconds since 1970.
    A slot comes back at that moment; rounded down, at least 1 (design 3, "Per-device life").
    """
    waiting = sorted(end for end in revoked_until if end > now)
    limit = max(1, int((installed * share).to_integral_value(ROUND_FLOOR)))
    too_many = max(0, len(waiting) - limit)  # Packs may have gone since: so many slots come back before one opens.
    return Allowance(limit=limit, used=len(waiting), next_at=waiting[too_many] if waiting else None)
