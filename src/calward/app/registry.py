"""What is known about session hosts, their policies, one-time codes and administrators' tokens?

The ledger keeps it beside packs and licenses, so that each change and its event are one transaction.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol, TypeVar

from calward.app.heartbeats import Heartbeat
from calward.app.ports import Book, Ledger
from calward.domain.cals import CalType
from calward.domain.parties import Host
from calward.domain.roles import Role

__all__ = [
    "AdminToken",
    "Code",
    "HostRecord",
    "HostTokens",
    "Policy",
    "Purpose",
    "Registry",
    "RegistryBook",
    "RegistryLedger",
]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HostRecord:
    """A session host as it was added. Times are seconds since 1970 (UTC); ``mode`` is its own, a policy may set another."""

    id: int
    name: str
    version: str
    family: int
    mode: CalType
    group: str | None = None
    enrolled_at: int | None = None
    """When it last got a token; None: it has none and may not ask."""
    removed_at: int | None = None
    seen_at: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """What holds for all hosts of a group: the license servers in order (none: the hosts' own), and the mode, where it is set."""

    group: str
    mode: CalType | None = None
    servers: tuple[str, ...] = ()


class Purpose(StrEnum):
    """What a one-time code is for."""

    ENROLL = "enroll"
    SET_UP = "set-up"


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code without its secret; ``host`` is the host's number where the code is for one."""

    purpose: Purpose
    expires_at: int
    host: int | None = None


@dataclass(frozen=True, slots=True)
class AdminToken:
    """An administrator's token without its secret."""

    id: int
    name: str
    role: Role
    made_at: int
    expires_at: int
    ended_at: int | None = None


class Registry(Protocol):
    """Hosts, policies, codes and tokens within one transaction; nothing here writes an event."""

    def host(self, name: str) -> HostRecord | None:
        """A host that is not removed, by name without regard to case."""

    def removed_host(self, name: str) -> HostRecord | None:
        """The same among those removed; its number is used again when it comes back."""

    def host_by_id(self, number: int) -> HostRecord | None:
        """A host that is not removed, by number."""

    def put_host(self, host: HostRecord) -> None:
        """Store a new host, or a known one's new values; its token stays."""

    def set_host_token(self, number: int, token_hash: bytes | None) -> None:
        """Give a host its token in place of the one it had; None: it has none any more."""

    def note_seen(self, number: int, at: int) -> None:
        """Take note that a host has asked at a time, unless it has asked later already."""

    def put_heartbeat(self, host: int, heartbeat: Heartbeat) -> None:
        """Keep what a host told in place of what it told before, unless that is newer."""

    def forget_heartbeat(self, host: int) -> None:
        """Forget what a host told: it is removed, and names of users stand in it."""

    def policy(self, group: str) -> Policy | None:
        """The policy of a group."""

    def put_policy(self, policy: Policy) -> None:
        """Store a policy in place of the group's earlier one."""

    def remove_policy(self, group: str) -> None:
        """Forget a group's policy."""

    def add_code(self, code_hash: bytes, code: Code) -> None:
        """Store a code; earlier ones of the same purpose and host do not work any more."""

    def use_code(self, code_hash: bytes, purpose: Purpose, at: int) -> Code | None:
        """Use a code up; None where it is unknown, of another purpose, used, or too old. One of two racers gets it."""

    def end_codes(self, host: int) -> None:
        """Make a host's codes useless."""

    def token(self, number: int) -> AdminToken | None:
        """An administrator's token by number."""

    def token_named(self, name: str, now: int) -> AdminToken | None:
        """The running token of a name."""

    def has_administrator(self, now: int) -> bool:
        """Whether a license administrator's token runs."""

    def add_token(self, token: AdminToken, token_hash: bytes) -> None:
        """Store a token."""

    def end_token(self, number: int, at: int) -> None:
        """End a token now."""


class RegistryBook(Book, Protocol):
    """A book with its registry."""

    @property
    def registry(self) -> Registry:
        """Hosts, policies, codes and tokens, in the book's transaction."""


class RegistryLedger(Ledger, Protocol):
    """A ledger of such books."""

    def write(self, act: Callable[[RegistryBook], T]) -> T:
        """Run one act in a transaction of its own and commit it; raises LicensingError(UNAVAILABLE) when that is unknown."""

    def write_all(self, acts: Iterable[Callable[[RegistryBook], Any]]) -> list[Any]:
        """Run acts in order, in as few transactions as is good; each stands or falls alone."""


class HostTokens(Protocol):
    """Who carries a host's token? Asked at every request of a host."""

    def host_of(self, token: str) -> Host | None:
        """The host with the mode in force, or None for a token that is unknown or has ended."""

    def forget(self) -> None:
        """Look again: a host or a policy has changed."""

    def last_seen(self, number: int) -> int | None:
        """When this process last heard of a host, by its number."""
