"""Who takes part: the license server as it stands, and the session host that asks."""

from dataclasses import dataclass, field

from calward.domain.cals import CalType
from calward.domain.reasons import Reason
from calward.domain.settings import Settings

__all__ = ["Host", "Server"]


@dataclass(frozen=True, slots=True)
class Server:
    """A license server: what it runs as, and what it may do. Times are seconds since 1970 (UTC)."""

    id: str
    name: str
    version: str
    family: int
    ladder: str
    issue_until: int | None = None
    """End of its right to issue; None: not activated."""
    settings: Settings = field(default_factory=Settings)
    quarantined_at: int | None = None
    """Since when its ledger may be older than what others have seen of it; None: it is not."""
    recovered_at: int | None = None
    """When a history that others have seen was given up for the last time; None: never."""

    def blocked(self, now: int) -> Reason | None:
        """Why only temporary licenses may be issued now, if so (design 3, "Unactivated or deactivated server")."""
        if self.quarantined_at is not None:
            return Reason.LEDGER_ROLLED_BACK
        if self.issue_until is None:
            return Reason.SERVER_NOT_ACTIVATED
        return Reason.ISSUING_RIGHT_ENDED if now >= self.issue_until else None


@dataclass(frozen=True, slots=True)
class Host:
    """A session host as it was enrolled: its version, mode and name never come from a request (design 6)."""

    id: int
    name: str
    version: str
    family: int
    mode: CalType
    enrolled: bool = True
