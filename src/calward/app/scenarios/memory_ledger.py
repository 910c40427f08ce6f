# ruff: noqa: D102 - the port says what each method does
"""How does a ledger behave, in the plainest form? Dictionaries instead of tables; lost when the process ends.

For scenarios and what-if questions, and as the model against which the real ledgers are tested (one contract suite for all).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from calward.app.ports import Book, Clock, Entropy, Holding
from calward.domain.cals import CalType, HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Event, encode_event, read_event
from calward.domain.holders import holder_token
from calward.domain.issuing import Claim
from calward.domain.key_packs import KeyPack, PackId, Shelf
from calward.domain.licenses import NEVER, Ending, Holder, License, Seat, Status
from calward.domain.parties import Server

__all__ = ["MemoryLedger"]

T = TypeVar("T")


_ASIDE = -1
"""Stands for a license on a CAL that is set aside."""


@dataclass
class _Seat:
    license: int | None = None
    held_until: int = 0


@dataclass
class MemoryLedger:
    """A ledger in memory, which is also its only book. Acts check before they write, so nothing is ever undone."""

    entropy: Entropy
    clock: Clock | None = None
    _server: Server | None = None
    _packs: dict[PackId, KeyPack] = field(default_factory=dict)
    _shelf: Shelf = field(default_factory=lambda: Shelf.of(()))
    _seats: dict[PackId, dict[int, _Seat]] = field(default_factory=dict)
    _holders: dict[tuple[HolderKind, str], Holder] = field(default_factory=dict)
    _by_id: dict[int, Holder] = field(default_factory=dict)
    _licenses: dict[int, License] = field(default_factory=dict)
    _of_holder: dict[int, list[License]] = field(default_factory=dict)
    _events: dict[int, str] = field(default_factory=dict)
    _last_id: int = 0
    _requests: dict[tuple[int, str], tuple[int, int]] = field(default_factory=dict)
    _refusals: dict[tuple[int, int, str], tuple[int, int, int]] = field(default_factory=dict)
    _warned: dict[str, int] = field(default_factory=dict)
    _documents: dict[str, bytes] = field(default_factory=dict)
    _spent: dict[PackId, int] = field(default_factory=dict)
    """The lowest generation in which a pack that is gone may come back."""

    def write(self, act: Callable[[Book], T]) -> T:
        """Run one act."""
        return act(self)

    def write_all(self, acts: Iterable[Callable[[Book], Any]]) -> list[Any]:
        """Run acts in order. An act's error stands in its place in the list."""
        return [self._carry_out(act) for act in acts]

    def _carry_out(self, act: Callable[[Book], Any]) -> Any:  # noqa: ANN401 - whatever the act gives
        try:
            return act(self)
        except LicensingError as error:
            return error

    def events(self) -> list[dict[str, Any]]:
        """All events in order."""
        return [read_event(body) for body in self._events.values()]

    def now(self) -> int:
        if self.clock is None:
            raise LicensingError(Problem.UNAVAILABLE, "this ledger was made without a clock")
        return self.clock.now()

    def server(self) -> Server:
        if self._server is None:
            raise LicensingError(Problem.NOT_FOUND, "the ledger is empty: make a license server first")
        return self._server

    def set_server(self, server: Server) -> None:
        self._server = server

    def document(self, name: str) -> bytes | None:
        return self._documents.get(name)

    def keep_document(self, name: str, body: bytes) -> None:
        self._documents[name] = body

    def documents(self, prefix: str) -> Mapping[str, bytes]:
        return {name: body for name, body in sorted(self._documents.items()) if name.startswith(prefix)}

    def drop_document(self, name: str) -> None:
        self._documents.pop(name, None)

    def alone(self) -> None:
        pass  # Nobody else ever has this book.

    def shelf(self) -> Shelf:
        return self._shelf

    def add_pack(self, pack: KeyPack, statement: bytes) -> None:  # noqa: ARG002 - envelopes are kept by real ledgers
        self._packs[pack.id] = pack
        self._seats[pack.id] = {n: _Seat() for n in range(1, pack.total + 1)}
        self._shelf = Shelf.of(self._packs.values())

    def remove_pack(self, pack: KeyPack) -> None:
        here = self._packs[pack.id]
        self._spent[pack.id] = max(self._spent.get(pack.id, 1), here.generation + (here.transfer is not None))
        del self._packs[pack.id], self._seats[pack.id]
        self._shelf = Shelf.of(self._packs.values())

    def lowest_generation(self, pack: PackId) -> int:
        here = self._packs.get(pack)
        return max(self._spent.get(pack, 1), here.generation + 1 if here else 1)

    def change_pack(self, pack: KeyPack, statement: bytes | None = None) -> None:  # noqa: ARG002
        self._packs[pack.id] = pack
        seats = self._seats[pack.id]
        for seat in seats.values():
            if seat.license == _ASIDE and not pack.aside:
                seat.license, seat.held_until = None, 0
        for n in range(pack.total + 1, max(seats) + 1):
            if seats.pop(n).license is not None:
                raise AssertionError(n)
        for n in range(1, pack.total + 1):
            seats.setdefault(n, _Seat())
        for license_ in self._running(pack):
            license_.version, license_.family = pack.version, pack.family
        self._shelf = Shelf.of(self._packs.values())

    def set_aside(self, pack: KeyPack, count: int, now: int) -> None:
        free = [seat for seat in self._seats[pack.id].values() if seat.held_until <= now]
        for seat in free[:count]:
            seat.license, seat.held_until = _ASIDE, NEVER
        self._packs[pack.id] = replace(self._packs[pack.id], aside=count)
        self._shelf = Shelf.of(self._packs.values())

    def _running(self, pack: KeyPack) -> list[License]:
        """The licenses of a pack that have not ended in the books, by their CAL's number."""
        held = (seat.license for _, seat in sorted(self._seats[pack.id].items()))
        return [self._licenses[number] for number in held if number not in {None, _ASIDE}]

    def holdings(self, pack: KeyPack, now: int) -> Sequence[Holding]:
        return [self._holding(x) for x in self._running(pack) if x.runs(now)]

    def _holding(self, license_: License) -> Holding:
        holder = self._by_id[license_.holder]
        n = license_.seat.n if license_.seat else 0
        who = (holder.kind, holder.key, holder.label)
        return Holding(license_.id, n, *who, license_.issued_at, license_.expires_at, holder.proven_at)

    def reseat(self, moves: Sequence[tuple[int, Seat]]) -> None:
        moving = [(self._licenses[number], seat) for number, seat in moves]
        for license_, _ in moving:
            if license_.seat:
                old = self._seats[license_.seat.pack][license_.seat.n]
                old.license, old.held_until = None, 0
        for license_, seat in moving:
            license_.seat = seat
            license_.version, license_.family = self._packs[seat.pack].version, self._packs[seat.pack].family
            self._hold(license_)

    def end_all(self, pack: KeyPack, at: int, ending: Ending) -> None:
        for license_ in self._running(pack):
            self._end(license_, at, ending)

    def held(self, pack: KeyPack, now: int) -> int:
        return sum(seat.held_until > now for seat in self._seats[pack.id].values())

    def free(self, packs: Sequence[KeyPack], now: int, at_most: int) -> int:
        return min(at_most, sum(pack.total - self.held(pack, now) for pack in packs))

    def few_left(self, type_: CalType, packs: Sequence[KeyPack], now: int, low: int) -> int | None:  # noqa: ARG002
        left = self.free(packs, now, low + 1)
        return left if left <= low else None

    def plenty(self, type_: CalType, family: int) -> bool:  # noqa: ARG002 - here counting is cheap
        return False

    def claim(self, pack: KeyPack, now: int) -> Claim | None:
        free = ((seat.held_until, n, seat) for n, seat in self._seats[pack.id].items() if seat.held_until <= now)
        found = min(free, key=lambda x: x[:2], default=None)
        if found is None:
            return None
        _, n, seat = found
        expired = seat.license
        if expired is not None:
            self._end(self._licenses[expired], self._licenses[expired].expires_at, Ending.EXPIRED)
        return Claim(pack, Seat(pack.id, n), expired)

    def find_holder(self, kind: HolderKind, key: str) -> Holder | None:
        return self._holders.get((kind, key))

    def holder(self, kind: HolderKind, key: str, label: str) -> Holder:
        found = self._holders.get((kind, key))
        if found is None:
            found = Holder(len(self._by_id) + 1, kind, key, label, holder_token(kind, key, self.entropy.token(16)))
            self._holders[kind, key] = self._by_id[found.id] = found
            self._of_holder[found.id] = []
        return found

    def meet(self, kind: HolderKind, labels: Mapping[str, str]) -> None:
        pass  # Here one look-up is as good as many.

    def holder_of(self, license_: License) -> Holder:
        return self._by_id[license_.holder]

    def prove(self, holder: Holder, at: int) -> None:
        holder.proven_at = at

    def erase(self, holder: Holder) -> None:
        del self._holders[holder.kind, holder.key]
        holder.key = holder.label = ""

    def licenses_of(self, holder: Holder) -> Sequence[License]:
        return self._of_holder.get(holder.id, ())

    def license(self, number: int) -> License | None:
        return self._licenses.get(number)

    def licenses(self) -> Iterable[License]:
        """All licenses, running and ended."""
        return self._licenses.values()

    def add_license(self, license_: License) -> None:
        self._licenses[license_.id] = license_
        self._of_holder[license_.holder].append(license_)
        self._hold(license_)

    def extend(self, license_: License, expires_at: int, decision: int) -> None:
        license_.expires_at, license_.decision = expires_at, decision
        self._hold(license_)

    def end(self, license_: License, at: int, ending: Ending) -> None:
        self._end(license_, at, ending)

    def expired(self, now: int, limit: int) -> Sequence[License]:
        return [x for x in self._licenses.values() if x.ended_at is None and x.expires_at <= now][:limit]

    def revoked_until(self, family: int, now: int) -> Sequence[int]:
        return [
            x.expires_at
            for x in self._licenses.values()
            if x.ending is Ending.REVOKED and x.family == family and x.expires_at > now and x.status is Status.ACTIVE
        ]

    def new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    def append(self, event: Event) -> None:
        self._events[event["id"]] = encode_event(event)

    def event(self, number: int) -> Event | None:
        body = self._events.get(number)
        return read_event(body) if body else None

    def remembered(self, host: int, request_id: str) -> Event | None:
        found = self._requests.get((host, request_id))
        return self.event(found[0]) if found else None

    def remember(self, host: int, request_id: str, event: int, at: int) -> None:
        self._requests[host, request_id] = (event, at)

    def same_refusal(self, holder: int, host: int, reasons: str, since: int) -> int | None:
        found = self._refusals.get((holder, host, reasons))
        if found is None or found[1] <= since:
            return None
        self._refusals[holder, host, reasons] = (found[0], found[1], found[2] + 1)
        return found[0]

    def note_refusal(self, holder: int, host: int, reasons: str, event: int, at: int) -> None:
        self._refusals[holder, host, reasons] = (event, at, 1)

    def due(self, warning: str, now: int, every: int) -> bool:
        last = self._warned.get(warning)
        if last is not None and now - last < every:
            return False
        self._warned[warning] = now
        return True

    def forget(self, before_requests: int, before_refusals: int) -> None:
        self._requests = {key: value for key, value in self._requests.items() if value[1] > before_requests}
        self._refusals = {key: value for key, value in self._refusals.items() if value[1] > before_refusals}

    def _hold(self, license_: License) -> None:
        if license_.seat:
            seat = self._seats[license_.seat.pack][license_.seat.n]
            if seat.license not in {None, license_.id}:
                raise AssertionError(license_)  # INVARIANT: one running license a CAL.
            seat.license, seat.held_until = license_.id, license_.expires_at

    def _end(self, license_: License, at: int, ending: Ending) -> None:
        license_.ended_at, license_.ending = at, ending
        if license_.seat:
            seats = self._seats.get(license_.seat.pack, {})
            seat = seats.get(license_.seat.n)
            if seat and seat.license == license_.id:
                seat.license, seat.held_until = None, 0
