"""What must be read of a ledger to audit it? Everything, as one moment saw it, row by row.

Times are seconds since 1970 (UTC). Words are the domain's ("per-device", "temporary"), whatever the tables call them.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from calward.domain.replay_state import Share

__all__ = ["HolderRow", "LicenseRow", "LogKey", "PackRow", "Records", "SeatRow", "StoredEvent"]


class StoredEvent(NamedTuple):
    """An event as it is stored: ``body`` is its canonical text, ``position`` its place in the tree (None: not yet given)."""

    id: int
    position: int | None
    body: str


class PackRow(NamedTuple):
    """A pack; ``seats``, ``first`` and ``last`` are the number of its CALs' rows, the lowest and the highest of them.

    ``waiting``: how many of them are marked as set aside.
    """

    number: int
    id: str
    version: str
    type: str
    family: int
    total: int
    installed_at: int
    expires_at: int
    removed_at: int | None
    generation: int
    bought_as: str
    transfer: str | None
    frozen_at: int | None
    aside: int
    seats: int
    first: int | None
    last: int | None
    waiting: int


class LicenseRow(NamedTuple):
    """A license; ``holder`` is what events call its holder (None: there is no such holder), ``pack`` its pack's id."""

    id: int
    holder: str | None
    type: str
    status: str
    version: str
    family: int
    pack: str | None
    seat: int | None
    issued_at: int
    expires_at: int
    decision: int
    ended_at: int | None
    ending: str | None


class SeatRow(NamedTuple):
    """A CAL beside the license that it names, or a running license beside the CAL that it names; none that is set aside.

    ``holds``: the CAL (pack row, n) that the license says it holds, None for an ended license or none at all.
    """

    pack: int
    n: int
    license: int | None
    held_until: int
    holds: tuple[int, int] | None
    expires_at: int | None


class HolderRow(NamedTuple):
    """A holder; ``key`` and ``salt`` are None once erased, ``token`` is what events call it."""

    id: int
    kind: str
    key: str | None
    salt: bytes | None
    token: str
    proven_at: int | None


class LogKey(NamedTuple):
    """Whose checkpoints are believed: the log's name in them, its Ed25519 keys (raw, the present one first), how to verify."""

    origin: str
    public_keys: tuple[bytes, ...]
    verify: Callable[[bytes, bytes, bytes], bool]


class Records(Protocol):
    """One snapshot of a ledger: everything read through it belongs together. Streams take little memory, whatever their length."""

    @property
    def placed_at_once(self) -> bool:
        """Whether an event gets its place in the tree as it is written (SQLite), not within a second (PostgreSQL)."""

    def count(self) -> int:
        """How many events there are."""

    def events(self) -> Iterator[StoredEvent]:
        """All events by id."""

    def placed(self, after: int = 0, up_to: int | None = None) -> Iterator[StoredEvent]:
        """The events with a position, by position."""

    def frontier(self) -> bytes | None:
        """The stored frontier of the tree; None before the first fold."""

    def checkpoints(self) -> list[tuple[int, str]]:
        """The stored checkpoints by size, with their notes."""

    def server(self) -> dict[str, Any] | None:
        """The license server's state by name, its settings as text under ``settings``."""

    def packs(self) -> list[PackRow]:
        """All packs, removed ones too."""

    def licenses(self, share: Share = ...) -> Iterator[LicenseRow]:
        """A share of all licenses, by id; all of them unless told."""

    def seats(self) -> Iterator[SeatRow]:
        """All CALs by pack and number."""

    def unseated(self) -> Iterator[tuple[int, int | None, int | None]]:
        """Running full licenses (id, pack row, n) whose CAL does not name them."""

    def holders(self) -> Iterator[HolderRow]:
        """All holders by id."""

    def hosts(self) -> dict[str, dict[str, Any]]:
        """All hosts by name: version, family, mode, group, enrolled_at, removed_at."""

    def policies(self) -> dict[str, dict[str, Any]]:
        """The central policies by group: mode and servers."""

    def tokens(self) -> dict[int, dict[str, Any]]:
        """All tokens of administrators by number: name, role, made_at, expires_at, ended_at."""

    def strays(self) -> list[tuple[str, int]]:
        """What refers to an event that does not exist: the kind of record and the number of the event."""
