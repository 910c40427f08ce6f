"""What stops first, when, and for how many?

The question that an administrator fears. Packs end, the right to issue ends, temporary licenses run out; whoever then finds no
other free CAL stands before a closed door. Played forward in time with what is known now: each who must move takes the lowest
free CAL that still opens the same hosts. What nobody can know (new clients, leavers, purchases) is left out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from calward.domain.cals import CalType
from calward.domain.key_packs import KeyPack

__all__ = ["Loose", "Snapshot", "Stop", "StopKind", "Supply", "stops"]


OVERDUE_AFTER: Final = 86_400
"""Seconds after which a renewal that has not come is a worry."""


class StopKind(StrEnum):
    """Why something stops."""

    NOT_ACTIVATED = "not-activated"
    """Temporary licenses only, now."""
    RIGHT_ENDED = "issuing-right-ended"
    """The same, because the right to issue has ended."""
    RIGHT_ENDS = "issuing-right-ends"
    PACK_EXPIRES = "pack-expires"
    TEMPORARY_ENDS = "temporary-ends"
    """Temporary licenses (or over-use, where it is enforced) end, and no CAL is there to follow them."""


class Supply(NamedTuple):
    """A pack and how many of its CALs are held."""

    pack: KeyPack
    held: int


class Loose(NamedTuple):
    """Running licenses without a CAL, of one type and version; ``first_end``: when the first of them ends."""

    type: CalType
    version: str
    family: int
    number: int
    first_end: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known now. ``full``: running full licenses. ``horizon``: what ends from then on is bought for good."""

    now: int
    issue_until: int | None
    packs: Sequence[Supply]
    loose: Sequence[Loose]
    full: int
    horizon: int
    renew_within: int | None = None
    """Seconds left at which the right to issue is renewed without anybody's doing; None: it is not."""
    upgrades: bool = True
    """Whether a newer CAL may serve (not ``prevent_license_upgrade``)."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Something stops at a second since 1970 for so many holders; ``type`` None: for both types."""

    at: int
    kind: StopKind
    holders: int
    type: CalType | None = None
    version: str | None = None
    pack: str | None = None


class _Move(NamedTuple):
    """So many must find another CAL at a time."""

    at: int
    kind: StopKind
    type: CalType
    family: int
    version: str
    number: int
    row: int | None


def stops(snapshot: Snapshot) -> tuple[Stop, ...]:
    """Everything that stops, soonest first."""
    found = [*_right(snapshot), *_moves(snapshot)]
    return tuple(sorted(found, key=lambda stop: (stop.at, -stop.holders)))


def _right(snapshot: Snapshot) -> Iterable[Stop]:
    until, now = snapshot.issue_until, snapshot.now
    if until is None:
        yield Stop(now, StopKind.NOT_ACTIVATED, snapshot.full)
    elif until <= now:
        yield Stop(until, StopKind.RIGHT_ENDED, snapshot.full)
    elif until < snapshot.horizon and not _renews(snapshot, until):
        yield Stop(until, StopKind.RIGHT_ENDS, snapshot.full)


def _renews(snapshot: Snapshot, until: int) -> bool:
    """Whether a right renews itself, and its renewal is not overdue."""
    within = snapshot.renew_within
    return within is not None and until - snapshot.now > within - OVERDUE_AFTER


def _moves(snapshot: Snapshot) -> Iterable[Stop]:
    held = {one.pack.row: one.held for one in snapshot.packs}
    for move in sorted([*_ending_packs(snapshot), *_ending_loose(snapshot)], key=lambda move: move.at):
        # Who moved to this pack before moves on with it.
        number = held[move.row] if move.row is not None else move.number
        stranded = number - _absorb(move, number, held, snapshot)
        if stranded:
            pack = next((one.pack.id for one in snapshot.packs if one.pack.row == move.row), None)
            yield Stop(move.at, move.kind, stranded, move.type, move.version, pack)


def _ending_packs(snapshot: Snapshot) -> Iterable[_Move]:
    for pack, held in snapshot.packs:
        if snapshot.now < pack.expires_at < snapshot.horizon:
            yield _Move(pack.expires_at, StopKind.PACK_EXPIRES, pack.type, pack.family, pack.version, held, pack.row)


def _ending_loose(snapshot: Snapshot) -> Iterable[_Move]:
    for one in snapshot.loose:
        yield _Move(one.first_end, StopKind.TEMPORARY_ENDS, one.type, one.family, one.version, one.number, None)


def _absorb(move: _Move, number: int, held: dict[int, int], snapshot: Snapshot) -> int:
    """Give as many as possible another CAL; returns how many."""
    left = number
    for pack, _ in sorted(snapshot.packs, key=lambda one: (one.pack.family, one.pack.expires_at)):
        if pack.type is move.type and move.at < pack.expires_at and _opens(pack.family, move.family, snapshot):
            taken = min(left, pack.total - held[pack.row])
            held[pack.row] += taken
            left -= taken
    return number - left


def _opens(family: int, wanted: int, snapshot: Snapshot) -> bool:
    return family >= wanted if snapshot.upgrades else family == wanted
