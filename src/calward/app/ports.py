"""What do the use cases need from outside?

Ports are protocols: ``adapters`` makes them real, ``bootstrap`` plugs them in, tests and scenarios plug in the in-memory ledger.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeVar

from calward.domain.cals import CalType, HolderKind
from calward.domain.events import Event
from calward.domain.issuing import Claim
from calward.domain.key_packs import KeyPack, PackId, Shelf
from calward.domain.licenses import Ending, Holder, License, Seat
from calward.domain.parties import Server

__all__ = ["Book", "Clock", "Entropy", "Holding", "Ledger"]

T = TypeVar("T")


class Clock(Protocol):
    """The time."""

    def now(self) -> int:
        """Seconds since 1970 (UTC), whole."""


class Entropy(Protocol):
    """Randomness."""

    def between(self, low: int, high: int) -> int:
        """A whole number between both, inclusive."""

    def token(self, size: int) -> bytes:
        """So many unpredictable bytes."""


class Holding(NamedTuple):
    """A running full license of a pack with who holds it. Times are seconds since 1970 (UTC)."""

    license: int
    seat: int
    kind: HolderKind
    key: str
    label: str
    issued_at: int
    expires_at: int
    proven_at: int | None


class Book(Protocol):
    """The ledger within one transaction. Nothing is durable before the transaction commits.

    INVARIANT: a CAL (pack, n) is held by at most one running license; ``claim`` is the only way to get one.
    """

    def now(self) -> int:
        """The transaction's time: one for all that happens in it, from the one clock of the ledger."""

    def server(self) -> Server:
        """The license server as it stands."""

    def set_server(self, server: Server) -> None:
        """Store the license server's new state."""

    def document(self, name: str) -> bytes | None:
        """A signed thing that is kept whole, by name."""

    def keep_document(self, name: str, body: bytes) -> None:
        """Keep a document in place of the earlier one of that name."""

    def documents(self, prefix: str) -> Mapping[str, bytes]:
        """All documents whose names begin so, by name."""

    def drop_document(self, name: str) -> None:
        """Forget a document, if it is there."""

    def alone(self) -> None:
        """From now on nobody else changes the ledger until this transaction ends; asked before anything that changes a pack."""

    def shelf(self) -> Shelf:
        """All installed packs."""

    def add_pack(self, pack: KeyPack, statement: bytes) -> None:
        """Install a pack with all its CALs; ``statement`` is the signed envelope it came in (empty in scenarios)."""

    def remove_pack(self, pack: KeyPack) -> None:
        """Take a pack and its CALs away; none of them is held, and what ended on them is written down."""

    def lowest_generation(self, pack: PackId) -> int:
        """From which generation on a pack of this id could be installed: one that is here or left with a transfer is spent."""

    def change_pack(self, pack: KeyPack, statement: bytes | None = None) -> None:
        """Store what a pack is from now on. Its running licenses bear its version; CALs beyond its total, which must be free,
        go, and missing ones come; those set aside are free again unless ``aside`` says that they stay. ``statement`` None: as before.
        """

    def set_aside(self, pack: KeyPack, count: int, now: int) -> None:
        """Let nobody take so many of a pack's free CALs; they are free, and what ended on them is written down."""

    def holdings(self, pack: KeyPack, now: int) -> Sequence[Holding]:
        """The running licenses of a pack by their CAL's number."""

    def reseat(self, moves: Sequence[tuple[int, Seat]]) -> None:
        """Give running licenses other CALs, which no license holds that is not itself among these moves."""

    def end_all(self, pack: KeyPack, at: int, ending: Ending) -> None:
        """End all licenses of a pack that run; what ended by itself is written down."""

    def held(self, pack: KeyPack, now: int) -> int:
        """How many of the pack's CALs are held by running licenses."""

    def free(self, packs: Sequence[KeyPack], now: int, at_most: int) -> int:
        """How many CALs of these packs are free, counted no further than ``at_most``."""

    def few_left(self, type_: CalType, packs: Sequence[KeyPack], now: int, low: int) -> int | None:
        """How many CALs of these packs are free, if that is at most ``low``; else None."""

    def plenty(self, type_: CalType, family: int) -> bool:
        """Whether ``few_left`` need not be asked yet; said after each claim of a CAL of that family, so it must be cheap."""

    def claim(self, pack: KeyPack, now: int) -> Claim | None:
        """Set one free CAL aside for a license added in this transaction; None when none is free."""

    def find_holder(self, kind: HolderKind, key: str) -> Holder | None:
        """A device or user by its exact key."""

    def holder(self, kind: HolderKind, key: str, label: str) -> Holder:
        """The same, made when it is new. ``label`` is what people call it."""

    def meet(self, kind: HolderKind, labels: Mapping[str, str]) -> None:
        """Hear of many holders that ``holder`` will be asked for, so that they are read at once: labels by key."""

    def holder_of(self, license_: License) -> Holder:
        """Who holds a license."""

    def prove(self, holder: Holder, at: int) -> None:
        """Write down that a device is proven."""

    def erase(self, holder: Holder) -> None:
        """Forget name and salt of a holder; what events call it stays."""

    def licenses_of(self, holder: Holder) -> Sequence[License]:
        """All licenses of a holder, running and ended."""

    def license(self, number: int) -> License | None:
        """A license by its number."""

    def add_license(self, license_: License) -> None:
        """Store a new license; one with a CAL holds it until its end."""

    def extend(self, license_: License, expires_at: int, decision: int) -> None:
        """Give a license another end, and its CAL with it."""

    def end(self, license_: License, at: int, ending: Ending) -> None:
        """End a license; its CAL is free from now on."""

    def expired(self, now: int, limit: int) -> Sequence[License]:
        """Licenses that have ended by themselves without that being written down."""

    def revoked_until(self, family: int, now: int) -> Sequence[int]:
        """When each revoked full per-device license of a family, still in its old term, would have expired."""

    def new_id(self) -> int:
        """The number of the next event (and of the license that it issues)."""

    def append(self, event: Event) -> None:
        """Store an event; its id came from ``new_id``."""

    def event(self, number: int) -> Event | None:
        """An event by its number."""

    def remembered(self, host: int, request_id: str) -> Event | None:
        """The event with which this host was answered under this request id, within the time that ids are kept."""

    def remember(self, host: int, request_id: str, event: int, at: int) -> None:
        """Keep the answer for a repetition of the request."""

    def same_refusal(self, holder: int, host: int, reasons: str, since: int) -> int | None:
        """The event of an equal refusal not older than ``since``, with its count raised by one."""

    def note_refusal(self, holder: int, host: int, reasons: str, event: int, at: int) -> None:
        """Start counting equal refusals from this event."""

    def due(self, warning: str, now: int, every: int) -> bool:
        """Whether a warning of this name was not given within ``every`` seconds; it counts as given now."""

    def forget(self, before_requests: int, before_refusals: int) -> None:
        """Drop request ids and refusal counts older than these seconds."""


class Ledger(Protocol):
    """Where books are kept. ``write`` returns only when what was written is durable."""

    def write(self, act: Callable[[Book], T]) -> T:
        """Run one act in a transaction of its own and commit it; raises LicensingError(UNAVAILABLE) when that is unknown."""

    def write_all(self, acts: Iterable[Callable[[Book], Any]]) -> list[Any]:
        """Run acts in order, in as few transactions as is good; each stands or falls alone."""
