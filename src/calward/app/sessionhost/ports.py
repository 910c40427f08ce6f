"""What does a session host need from outside?

The time and the request id come with each command; what is here talks to license servers and keeps the host's memory.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeVar

from calward.domain.grace import GraceState
from calward.domain.heard import Heard, HeldLicense

__all__ = ["BoundSession", "Complain", "HostMemory", "HostPolicy", "LicenseServer", "Memory", "TimeLeft"]

T = TypeVar("T")

TimeLeft = Callable[[], float]
"""Seconds until the user has waited long enough; may be negative."""
Complain = Callable[[str], None]
"""Tell the host's administrator one sentence; the user never sees it."""


@dataclass(frozen=True, slots=True)
class BoundSession:
    """An open session of a user: ``line`` is what PAM calls the terminal (an X display, a tty)."""

    line: str
    opened_at: datetime
    license: str | None


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """What a license server says about this host, and when it said so; it decides where the host's own file is silent."""

    version: str
    mode: str
    grace_days: int
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class Memory:
    """What a host remembers: of itself, and of one user (``last``: the license it last saw for that user)."""

    grace: GraceState = field(default_factory=GraceState)
    policy: HostPolicy | None = None
    last: HeldLicense | None = None
    sessions: tuple[BoundSession, ...] = ()


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
