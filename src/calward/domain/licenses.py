"""What is an issued license, and until when does it run?"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from calward.domain.cals import CalType, HolderKind
from calward.domain.key_packs import PackId

__all__ = ["NEVER", "Change", "Ending", "Holder", "License", "Seat", "Status"]

NEVER: Final = 253_402_300_799
"""The last second of the year 9999: "no end" as a number that sorts."""


class Status(StrEnum):
    """What an issued license is worth."""

    TEMPORARY = "temporary"
    """Issued where a full one is not available; takes no CAL; bears the host's version."""
    ACTIVE = "active"
    """A full license: holds one CAL of a pack and bears the pack's version."""
    OVER_USED = "over-used"
    """Per user, beyond what is installed; takes no CAL; bears the host's version."""


class Change(StrEnum):
    """What an answer changed for its holder."""

    NEW = "new"
    KEPT = "kept"
    RENEWED = "renewed"
    UPGRADED = "upgraded"


class Ending(StrEnum):
    """How a license ended. ``EXPIRED`` needs no act: the sweep only writes it down."""

    EXPIRED = "expired"
    UPGRADED = "upgraded"
    REVOKED = "revoked"
    RELEASED = "released"
    MOVED = "moved"
    """Its pack is another license server's now, and the license goes on there."""


class Seat(NamedTuple):
    """One CAL of a pack: INVARIANT at most one running license holds it (primary key (pack, n) of the ledger)."""

    pack: PackId
    n: int


@dataclass(slots=True)
class License:
    """One license given to one holder. Times are seconds since 1970 (UTC).

    ``decision`` is the event on which it stands now. A license runs while it has not ended and ``now < expires_at``.
    """

    id: int
    holder: int
    type: CalType
    status: Status
    version: str
    family: int
    seat: Seat | None
    issued_at: int
    expires_at: int
    decision: int
    ended_at: int | None = None
    ending: Ending | None = None

    def runs(self, now: int) -> bool:
        """Whether it opens hosts at this second."""
        return self.ended_at is None and now < self.expires_at

    def stopped_at(self, now: int) -> int | None:
        """When it stopped, or None while it runs."""
        if self.ended_at is not None:
            return self.ended_at
        return self.expires_at if self.expires_at <= now else None


@dataclass(slots=True)
class Holder:
    """A device or a user as the ledger knows it.

    ``token``: what events call it, a salted hash ("d:" or "u:" and 22 characters) that says nothing once name and salt are erased.
    ``proven_at``: when a host first confirmed a logon from the device while it held a license; None before, and for users.
    """

    id: int
    kind: HolderKind
    key: str
    label: str
    token: str
    proven_at: int | None = None
