"""What does a session host need from outside?

The time and the request id come with each command; what is here talks to license servers and keeps the host's memory.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from calward.domain.grace import GraceState
from calward.domain.heard import Heard, HeldLicense

__all__ = [
    "BoundSession",
    "Complain",
    "HolderShelf",
    "HostMemory",
    "HostPolicy",
    "Journal",
    "LicenseServer",
    "Memory",
    "TimeLeft",
]

T = TypeVar("T")

TimeLeft = Callable[[], float]
"""Seconds until the user has waited long enough; may be negative."""
Complain = Callable[[str], None]
"""Tell the host's administrator one sentence; the user never sees it."""


class Journal(Protocol):
    """The host's log. Who a stranger can make us speak of is never a warning."""

    def debug(self, sentence: str) -> None:
        """What is done a thousand times a day."""

    def info(self, sentence: str) -> None:
        """What has happened and is as it should be."""

    def warning(self, sentence: str) -> None:
        """What somebody should look at."""


@dataclass(frozen=True, slots=True)
class BoundSession:
    """An open session of a user: ``line`` is what PAM calls the terminal (an X display, a tty).

    ``device``: the host's id for the device that the user came with, None where that is not known. It stands here, since
    sessions outlive the agent.
    """

    line: str
    opened_at: datetime
    license: str | None
    device: str | None = None


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """What a license server says about this host, and when it said so; it decides where the host's own file is silent."""

    version: str
    mode: str
    grace_days: int
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class Memory:
    """What a host remembers: of itself, and of one holder.

    ``last``: the license it last saw for that holder. ``proven``: a user has logged on here with this device.
    """

    grace: GraceState = field(default_factory=GraceState)
    policy: HostPolicy | None = None
    last: HeldLicense | None = None
    sessions: tuple[BoundSession, ...] = ()
    proven: bool = False


class LicenseServer(Protocol):
    """One license server of the host's list; each question raises LicensingError when no answer comes in time."""

    @property
    def name(self) -> str:
        """How people call it: its address."""

    def request_for_user(self, user: str, request_id: str, *, full_only: bool, seconds: float) -> Heard:
        """Ask for a user's license. The same id with the same question gets the same answer."""

    def request_for_device(
        self, name: str, hardware_id: str, request_id: str, *, full_only: bool, seconds: float
    ) -> Heard:
        """Ask for a device's license; ``hardware_id`` is the host's id for the device, ``name`` a label."""

    def confirm(self, license_id: str, *, seconds: float) -> None:
        """Say that the holder of a license has logged on."""

    def policy(self, *, seconds: float, now: datetime) -> HostPolicy:
        """Ask what the server knows of this host."""


class HostMemory(Protocol):
    """The host's memory; it never raises: what it cannot read or keep it complains of, and goes on with what it has."""

    def change(self, holder: str, revise: Callable[[Memory], tuple[Memory, T]]) -> T:
        """Revise what is remembered of the host and one holder, alone; the second value of ``revise`` is handed on.

        A holder is a user or a device; each kind has a memory of its own beside the host's, which is one.
        ``revise`` is called once, and waits for nothing: others stand in line meanwhile.
        """


class HolderShelf(Protocol):
    """All holders of one kind that a host remembers; like ``HostMemory`` it never raises."""

    def count(self) -> int:
        """How many there are."""

    def holders(self) -> Iterator[tuple[str, Memory]]:
        """Each by name, with the holder's own part of the memory."""

    def forget(self, judged: list[tuple[str, Memory]]) -> int:
        """Forget those that still are what they were when they were judged; gives how many."""
