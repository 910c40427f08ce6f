"""What does the agent's desk need from outside, and how is it set? ``bootstrap.agent`` gives both."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Protocol

from calward.app.sessionhost.heartbeats import AgentServer, HeartbeatAnswer
from calward.app.sessionhost.joins import Callers
from calward.app.sessionhost.ports import BoundSession, HolderShelf, HostMemory, Journal, TimeLeft
from calward.domain.issued_license import KnownServer
from calward.domain.ladder import Ladder
from calward.domain.trust import Verify

__all__ = ["DeskSettings", "Holders", "HostState", "Outside"]


class Holders(StrEnum):
    """The two kinds of holders; each has a memory of its own beside the host's."""

    USERS = "users"
    DEVICES = "devices"


_MOST: Final = MappingProxyType({Holders.USERS: 50_000, Holders.DEVICES: 10_000})
"""A file takes a block of the disk: some 40 MB of devices that nobody needs to prove, 200 MB of users who had to log on."""


class HostState(HostMemory, HolderShelf, Protocol):
    """The memory of the host and all holders of one kind."""


@dataclass(frozen=True, slots=True)
class Outside:
    """Ports; all may be called by several threads at once.

    ``memory``: what is remembered, for work with that much time. ``renew_chain`` (server, seconds) may raise
    LicensingError. ``callers``: where the user of a helper process may come from.
    """

    servers: Sequence[AgentServer]
    memory: Callable[[Holders, TimeLeft], HostState]
    known: Callable[[], Sequence[KnownServer]]
    heard: Callable[[str, HeartbeatAnswer], None]
    renew_chain: Callable[[AgentServer, float], None]
    ladder: Ladder
    verify: Verify
    callers: Callable[[int], Callers]
    exempt: Callable[[str], bool]
    is_gone: Callable[[BoundSession], bool]
    journal: Journal
    now: Callable[[], datetime]
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True)
class DeskSettings:
    """What the host's settings say of it; see ``docs/reference/host-settings.md``. ``most``: holders remembered of each kind."""

    release: str
    grace_days: int | None = None
    deadline_seconds: float = 2.0
    device_seconds: float = 3.0
    store_licenses: bool = True
    admit_without_device: bool = False
    admit_on_trouble: bool = False
    has_relay: bool = False
    most: Mapping[Holders, int] = field(default_factory=lambda: _MOST)
