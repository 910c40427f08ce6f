"""What do lists, look-ups and the status read, outside of any act?

Values as they stood at one moment; a reader never waits for the writer and never makes it wait.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from calward.app.heartbeats import Heartbeat
from calward.app.registry import AdminToken, HostRecord, Policy
from calward.domain.cals import CalType, HolderKind
from calward.domain.events import Event
from calward.domain.key_packs import KeyPack, PackId
from calward.domain.licenses import License
from calward.domain.parties import Server

__all__ = [
    "Counts",
    "Ended",
    "EventPage",
    "HostInForce",
    "LicenseFilter",
    "LicenseRow",
    "PackRow",
    "Page",
    "Reader",
    "RefusalRow",
    "UseStep",
]


@dataclass(frozen=True, slots=True)
class Page:
    """How many rows, and after which one (its number; None: from the start)."""

    limit: int = 100
    after: int | None = None


class Ended:
    """Which licenses a list shows: those that run, those that have ended, or both."""

    NO, YES, ALL = "no", "yes", "all"


@dataclass(frozen=True, slots=True)
class LicenseFilter:
    """What a list of licenses is restricted to; None: not at all. ``holder`` is a name or a hardware id, exactly."""

    type: CalType | None = None
    status: str | None = None
    version: str | None = None
    pack: str | None = None
    holder: str | None = None
    host: str | None = None
    ended: str = Ended.NO


@dataclass(frozen=True, slots=True)
class PackRow:
    """An installed pack and how many of its CALs running licenses hold."""

    pack: KeyPack
    issued: int


@dataclass(frozen=True, slots=True)
class LicenseRow:
    """A license, who holds it (empty once erased), and the event of the decision on which it stands now."""

    license: License
    holder: str
    holder_kind: HolderKind
    hardware_id: str | None
    decision: Event


@dataclass(frozen=True, slots=True)
class HostInForce:
    """A host and the policy of its group, where there is one."""

    host: HostRecord
    policy: Policy | None

    @property
    def mode(self) -> CalType:
        """The licensing mode in force: the policy wins."""
        return (self.policy and self.policy.mode) or self.host.mode

    @property
    def mode_from(self) -> str:
        """Whether "policy" or "host" sets it."""
        return "policy" if self.policy and self.policy.mode else "host"


@dataclass(frozen=True, slots=True)
class Counts:
    """Running licenses of one type, version and status: how many, and when the first of them ends."""

    type: CalType
    status: str
    version: str
    family: int
    number: int
    first_end: int


@dataclass(frozen=True, slots=True)
class RefusalRow:
    """A refusal of which equal ones are counted; ``holder`` is a name, empty once erased; ``at``: when it was first."""

    event: Event
    holder: str
    at: int
    times: int


@dataclass(frozen=True, slots=True)
class UseStep:
    """So many more licenses of a kind ran (fewer, where ``number`` is negative) from the day that ended ``days`` days before a moment.

    ``pack``: the number of the pack whose CALs they hold; None: they hold none.
    """

    pack: int | None
    type: CalType
    status: str
    version: str
    days: int
    number: int


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events with their positions in the tree, in that order; one that has none yet comes later, and after all others."""

    items: Sequence[tuple[int, Event]]


class Reader(Protocol):
    """Look-ups. Times are seconds since 1970 (UTC)."""

    def server(self) -> Server | None:
        """The license server; None on an empty ledger."""

    def packs(self, now: int) -> Sequence[PackRow]:
        """Installed packs in order of use."""

    def pack(self, name: str, now: int) -> PackRow | None:
        """One installed pack."""

    def pack_statements(self) -> Mapping[PackId, bytes]:
        """What the clearinghouse signed for each installed pack, as it was installed; empty where a pack came without."""

    def licenses(self, wanted: LicenseFilter, page: Page, now: int) -> Sequence[LicenseRow]:
        """Licenses, newest first; ``page.after`` is a license's number."""

    def license(self, number: int) -> LicenseRow | None:
        """One license, running or ended."""

    def counts(self, now: int) -> Sequence[Counts]:
        """Running licenses, counted."""

    def over_used(self, now: int) -> Mapping[str, int]:
        """How many users run over-used, by the version of their hosts."""

    def use_steps(self, until: int) -> Sequence[UseStep]:
        """All licenses that ever ran until a moment, those that have ended too, counted by the days on which they began and ended."""

    def pack_events(self) -> Sequence[Event]:
        """Every event about a pack as a whole, in order."""

    def hosts(self) -> Sequence[HostInForce]:
        """Hosts by name."""

    def host(self, name: str) -> HostInForce | None:
        """A host by name without regard to case."""

    def heartbeats(self) -> Mapping[int, Heartbeat]:
        """What each host told last, by its number, without the sessions themselves."""

    def heartbeat(self, number: int) -> Heartbeat | None:
        """What a host told last, with its sessions."""

    def policies(self) -> Sequence[Policy]:
        """Policies by group."""

    def tokens(self, now: int) -> Sequence[AdminToken]:
        """Running tokens."""

    def token_by_hash(self, token_hash: bytes, now: int) -> AdminToken | None:
        """The running token with this hash."""

    def code_works(self, code_hash: bytes, purpose: str, now: int) -> bool:
        """Whether a one-time code could be used now."""

    def has_administrator(self, now: int) -> bool:
        """Whether a running token belongs to a license administrator."""

    def event(self, number: int) -> Event | None:
        """An event by its number."""

    def repeated(self, event: int) -> int:
        """How many equal refusals an event stands for."""

    def refusals(self, page: Page) -> Sequence[RefusalRow]:
        """Refusals that are still counted, oldest first; ``page.after`` is an event's number."""

    def events(self, page: Page) -> EventPage:
        """Events in order; ``page.after`` is a position."""

    def revoked_until(self, now: int) -> Sequence[tuple[int, int]]:
        """(family, when it would have expired) of each revoked license still in its old term."""

    def revoked(self, now: int, limit: int) -> Sequence[int]:
        """Numbers of revoked licenses that would still run, those with the longest left first, at most ``limit``."""

    def last_events(self, limit: int) -> EventPage:
        """The last events, in order."""

    def device_key(self, text: str) -> str:
        """The hardware id of the one device that is known by it or called so; else the text itself."""

    def warnings(self, since: int) -> Sequence[tuple[str, int]]:
        """Warnings given after a second: "NUMBER WHAT", and when."""
