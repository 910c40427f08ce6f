"""What did a session host last tell of itself? The license server keeps the newest of it, and shows it."""

from dataclasses import dataclass
from typing import Final

__all__ = ["MAX_SESSIONS", "Heartbeat", "Session"]

MAX_SESSIONS: Final = 10_000
"""Sessions in one heartbeat."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session that was open: ``line`` is its terminal, ``since`` in seconds since 1970 (UTC).

    ``license`` and ``hardware_id`` (what the device is known by) are None where the host knows none.
    """

    line: str
    user: str
    license: str | None
    hardware_id: str | None
    since: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a host told at a second since 1970: its agent's release and how many sessions were ``live``.

    ``sessions`` is empty where only the summary was read.
    """

    at: int
    agent: str
    live: int
    sessions: tuple[Session, ...] = ()
