"""What does a session host know of licenses: what a server said to it, and what a client holds?

A host knows no key packs and no ledger. Reasons, status and change are strings here, because a host may be older than the
server that it asks and has to pass on a word that it does not know. (What a server says, it makes in ``answers``.)
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from calward.domain.cals import CalType
from calward.domain.ladder import Ladder
from calward.domain.licenses import Change, Status

__all__ = ["Heard", "HeldLicense", "newest_in_hand"]


_ISSUED = (Change.NEW, Change.UPGRADED)


@dataclass(frozen=True, slots=True)
class HeldLicense:
    """A license as its holder shows it, or as a host remembers it.

    ``version`` is the host's for a temporary or over-used one, the pack's for a full one; ``server`` names who gave it.
    """

    id: str
    version: str
    type: CalType
    status: str
    expires_at: datetime
    pack: str | None = None
    change: str | None = None
    server: str | None = None

    def runs(self, now: datetime) -> bool:
        """Say whether it has not ended: from the second ``expires_at`` on it opens nothing."""
        return now < self.expires_at


@dataclass(frozen=True, slots=True)
class Heard:
    """What a host heard from one license server: a license, or none and why.

    ``reasons`` may also stand beside a license: why it is not a full one. ``decision`` is the server's name for it.
    ``signed``: the license in its signed envelope, byte for byte as the server sent it; what a client may keep and show again.
    """

    license: HeldLicense | None
    reasons: tuple[str, ...] = ()
    decision: str | None = None
    signed: bytes | None = None

    @property
    def full(self) -> bool:
        """Whether it gives a full license."""
        return self.license is not None and self.license.status == Status.ACTIVE

    @property
    def issues_full(self) -> bool:
        """Whether the full license was issued with this answer, which ends a new host's grace period; one that was issued
        at another host and is only kept or renewed here does not.
        """
        return self.full and self.license is not None and self.license.change in _ISSUED


def newest_in_hand(
    licenses: Iterable[HeldLicense], ladder: Ladder, host_version: str, mode: CalType, now: datetime
) -> HeldLicense | None:
    """Choose the license that decides while no server answers: one that opens the host, fits its mode and still runs.

    The newest version wins, then the one that ends last. A version that the ladder does not know opens nothing: what a
    client presents may come from anywhere.

    Raises: LicensingError: ``host_version`` is no version of the ladder.
    """
    opening = {version: ladder.family_of(version) for version in ladder.at_least(host_version)}
    usable = [held for held in licenses if held.version in opening and held.type is mode and held.runs(now)]
    return max(usable, key=lambda held: (opening[held.version], held.expires_at), default=None)
