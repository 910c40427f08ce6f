"""What is an estate at one moment: servers, hosts, packs, issued licenses, refusals, wherever they were read?

From our own ledger or from files that administrators export from other systems; every question of ``calward.insight`` is a pure
function over this snapshot. What a source does not say is None and never guessed. Times are seconds since 1970 (UTC).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from calward.domain.cals import CalType
from calward.domain.ladder import Ladder

__all__ = [
    "Estate",
    "EstateFailure",
    "EstateHost",
    "EstateLicense",
    "EstatePack",
    "EstateServer",
    "ImportProblem",
    "LicenseStatus",
    "PackType",
    "Source",
]


class Source(StrEnum):
    """Where a snapshot comes from."""

    CALWARD = "calward"
    """Our own ledger: complete, with reasons."""
    IMPORT = "import"
    """Files of another system: as complete as they are; what is concluded from them is marked as inferred."""


class PackType(StrEnum):
    """What the CALs of a pack are for. ``BUILT_IN`` exists in imports only (rd-licensing 2.1, ProductType 3)."""

    PER_DEVICE = "per-device"
    PER_USER = "per-user"
    BUILT_IN = "built-in"


class LicenseStatus(StrEnum):
    """How an issued license stands (rd-licensing 2.1, LicenseStatus; ours have the first three)."""

    TEMPORARY = "temporary"
    ACTIVE = "active"
    OVER_USED = "over-used"
    UPGRADED = "upgraded"
    REVOKED = "revoked"
    PENDING = "pending"
    CONCURRENT = "concurrent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class EstateServer:
    """A license server. ``issue_until``: end of its right to issue; None where unknown or without end."""

    name: str
    version: str | None = None
    activated: bool | None = None
    issue_until: int | None = None
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class EstateHost:
    """A session host. ``servers``: its license servers in the order in which they are asked, as they were written.

    ``unset``: which of ``mode`` and ``servers`` its source says are not set, where others only do not say. ``reach``: the state of the
    connection to each of its servers, in their order, as numbers of another system (rd-licensing 7.7). ``events``: numbers of its licensing
    events lately, None where its source does not say.
    """

    name: str
    version: str | None
    mode: CalType | None
    servers: tuple[str, ...] = ()
    seen_at: int | None = None
    grace_until: int | None = None
    unset: tuple[str, ...] = ()
    reach: tuple[int, ...] = ()
    events: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class EstatePack:
    """A batch of CALs on one server. ``total`` None: unlimited. ``issued`` and ``over_used`` count running licenses.

    ``program``: how it was bought, or "temporary", "built-in", "built-in over-used" for another system's own pools.
    """

    id: str
    server: str
    version: str | None
    type: PackType
    program: str
    total: int | None
    issued: int
    over_used: int = 0
    expires_at: int | None = None
    installed_at: int | None = None
    moving: bool = False

    @property
    def available(self) -> int | None:
        """How many CALs are free; None: unlimited."""
        return None if self.total is None else max(0, self.total - self.issued)


@dataclass(frozen=True, slots=True)
class EstateLicense:
    """A license that was given to a device or a user. ``pack`` is None where it takes no CAL of one."""

    id: str
    server: str
    pack: str | None
    type: PackType
    status: LicenseStatus
    version: str | None
    device: str | None
    user: str | None
    hardware_id: str | None
    issued_at: int | None
    expires_at: int | None
    host: str | None = None
    why: tuple[str, ...] = ()
    """Reasons for which it is no full license; empty where it is one, or where the source does not say."""


@dataclass(frozen=True, slots=True)
class EstateFailure:
    """Somebody was refused, ``times`` times since ``at``."""

    at: int
    server: str
    host: str | None
    holder: str
    type: PackType
    version: str | None
    reasons: tuple[str, ...]
    times: int = 1


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """What of a file could not be read: nothing is left out silently. ``line`` 0: the file as a whole."""

    file: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Estate:
    """Everything known at ``taken_at``."""

    name: str
    source: Source
    taken_at: int
    ladder: Ladder
    servers: Sequence[EstateServer] = ()
    hosts: Sequence[EstateHost] = ()
    packs: Sequence[EstatePack] = ()
    licenses: Sequence[EstateLicense] = ()
    failures: Sequence[EstateFailure] = ()
    problems: Sequence[ImportProblem] = ()
    facts: dict[str, str] = field(default_factory=dict)
    """What else a source says of itself, such as the newest event's number."""
