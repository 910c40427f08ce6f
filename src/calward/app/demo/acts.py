"""What do administrators of the demo do, and when? The words in which ``history`` is told."""

from dataclasses import dataclass, field

from calward.domain.cals import CalType
from calward.domain.roles import Role

__all__ = [
    "Act",
    "Activate",
    "AddHost",
    "ChangeHost",
    "Deactivate",
    "GivePolicy",
    "GiveToken",
    "InstallPack",
    "Release",
    "RemoveHost",
    "RemovePack",
    "Revoke",
    "Set",
]


@dataclass(frozen=True, slots=True)
class Act:
    """Something done on a day of the history (0 is the first) at a minute of that day (UTC)."""

    day: int
    minute: int = field(default=9 * 60, kw_only=True)


@dataclass(frozen=True, slots=True)
class Activate(Act):
    """Ask the clearinghouse for the right to issue, or to renew it: 30 days from then on."""


@dataclass(frozen=True, slots=True)
class Deactivate(Act):
    """Give the right to issue up."""


@dataclass(frozen=True, slots=True)
class InstallPack(Act):
    """Buy a pack and install it. ``order`` names it here; ``ends`` is a day of the history, None: never."""

    order: str
    version: str
    type: CalType
    total: int
    ends: int | None = None


@dataclass(frozen=True, slots=True)
class RemovePack(Act):
    """Remove the pack of an order."""

    order: str


@dataclass(frozen=True, slots=True)
class AddHost(Act):
    """Add a session host and let it enroll."""

    name: str
    version: str
    mode: CalType
    group: str


@dataclass(frozen=True, slots=True)
class ChangeHost(Act):
    """Let a host run another version, after it was set up anew."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class RemoveHost(Act):
    """Retire a host."""

    name: str


@dataclass(frozen=True, slots=True)
class GivePolicy(Act):
    """Set what holds for a group of hosts."""

    group: str
    mode: CalType | None = None


@dataclass(frozen=True, slots=True)
class GiveToken(Act):
    """Make an administrator's token; nobody keeps it."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Set(Act):
    """Change one setting."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Revoke(Act):
    """Revoke the license of a device, by its name."""

    device: str


@dataclass(frozen=True, slots=True)
class Release(Act):
    """Release the license of a user who has left."""

    user: str
