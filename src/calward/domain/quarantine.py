"""Has a license server's ledger gone back in time, and what is kept of it while nobody has decided what to do?

Others keep the newest checkpoint of a server's ledger that they heard: its session hosts and its clearinghouse. One that is larger
than the ledger, or that says something else of the same events, shows that this ledger is not the newest: full licenses may
have been issued of which it knows nothing. Source: reliability-security I10; design, section 4.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from calward.domain.notes import Checkpoint

__all__ = ["Cause", "Quarantine", "Standing", "judge"]


class Cause(StrEnum):
    """Why a ledger is in quarantine."""

    RESTORED = "restored"
    """It was restored from a backup; nobody has shown yet whether anything is missing."""
    ANEW = "anew"
    """It begins anew under the id of a license server that had another one."""
    OLDER = "older"
    """Somebody has seen a larger one."""
    OTHER = "other"
    """Somebody has seen another history: two copies of this license server went on apart."""


@dataclass(frozen=True, slots=True)
class Quarantine:
    """Since when and why; sizes are numbers of events, times seconds since 1970 (UTC).

    ``own``: the ledger's size when this was noticed. ``seen`` and ``seen_at``: the largest that somebody has seen, and when that
    was signed; ``by``: who showed it. For a restored ledger 0, None and nobody until somebody shows more.
    """

    cause: Cause
    since: int
    own: int
    seen: int = 0
    seen_at: int | None = None
    by: str = ""

    def worse(self, other: "Quarantine") -> "Quarantine":
        """This one with what else was found out: the larger ledger counts, and a cause that is proven."""
        if other.cause is Cause.RESTORED or (other.seen <= self.seen and self.cause is not Cause.RESTORED):
            return self
        return replace(other, since=self.since)

    def encode(self) -> bytes:
        """As a document of the ledger."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, body: bytes) -> "Quarantine":
        """Read what ``encode`` wrote."""
        found = json.loads(body)
        return cls(**found | {"cause": Cause(found["cause"])})


@dataclass(frozen=True, slots=True)
class Standing:
    """How a ledger stands: its tree, and since when a history before is given up (None: none ever was)."""

    size: int
    root: bytes
    recovered_at: int | None = None


def judge(seen: Checkpoint, standing: Standing, root_of: Callable[[int], bytes | None]) -> Cause | None:
    """What a checkpoint that this server's own key signed says of its ledger; None: it fits, or belongs to a history that was given up.

    ``root_of``: what the ledger's root was at a smaller size; None where that is not known yet, which counts as fitting.
    """
    if standing.recovered_at is not None and (seen.at is None or seen.at.timestamp() <= standing.recovered_at):
        return None
    if seen.size > standing.size:
        return Cause.OLDER
    root = standing.root if seen.size == standing.size else root_of(seen.size)
    return Cause.OTHER if root is not None and root != seen.root else None
