"""Who is served at one moment of a plan, and who is not?

Two answers. *Short*: holders whom no arrangement of the CALs can serve. *Waiting*: holders who go without as long as others keep the newer
CALs that they have now, though older ones would do for them; freeing those CALs (revoke, release) is enough, nothing must be bought.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from calward.domain.cals import CalType
from calward.domain.reasons import Reason
from calward.insight.planner.keeping import View, real_server, view, whole_view
from calward.insight.planner.matching import Cals, Match, Need, match
from calward.insight.planner.stage import Stage

__all__ = ["FallUp", "Row", "Standing", "look"]


class FallUp(NamedTuple):
    """So many holders of hosts of one family are served by a newer pack."""

    type: CalType
    family: int
    pack: str
    server: str
    version: str
    number: int


class Row(NamedTuple):
    """One type and family. ``installed`` None: unlimited. ``why``: reasons for which some go without."""

    type: CalType
    family: int
    needed: int
    installed: int | None
    own: int
    fallen_up: int
    short: int
    waiting: int
    why: tuple[Reason, ...]
    over_used: bool
    """Whether who goes without is let in all the same and only counted (per user, unless a server enforces)."""


@dataclass(frozen=True, slots=True)
class Standing:
    """An estate at a second since 1970."""

    at: int
    rows: tuple[Row, ...]
    fall_ups: tuple[FallUp, ...]
    lacking: Mapping[tuple[CalType, int], int]
    """(type, family) → CALs of this family or newer that are missing, however they are shared out. Where CALs are there and only a right
    to issue is not, or their pack is still on its way, none is missing: to buy more would not help."""
    lacking_if_kept: Mapping[tuple[CalType, int], int]
    """As ``lacking``, while everybody keeps the CAL that it has."""


def _summed(short: Mapping[tuple[CalType, int], int]) -> Mapping[tuple[CalType, int], int]:
    found: dict[tuple[CalType, int], int] = {}
    for type_ in CalType:
        total = 0
        for family in sorted({family for kind, family in short if kind is type_}, reverse=True):
            total += short[type_, family]
            found[type_, family] = total
    return found


def look(stage: Stage) -> Standing:
    """How everybody stands now."""
    seen = view(stage)
    supply, needs = seen.supply, _needs(seen)
    best = match(needs, supply, seen.servers)
    kept = _short_if_all_keep(seen)
    rows = tuple(_rows(stage, needs, supply, best, kept))
    missing, missing_if_kept = _by_family(needs, best.short), kept
    if stage.lapsed or any(one.frozen for one in stage.live):
        whole = whole_view(stage)
        needs_of_all = _needs(whole)
        missing = _by_family(needs_of_all, match(needs_of_all, whole.supply, whole.servers).short)
        missing_if_kept = _short_if_all_keep(whole)
    return Standing(stage.now, rows, _fall_ups(needs, supply, best), _summed(missing), _summed(missing_if_kept))


def _needs(seen: View) -> Sequence[Need]:
    counted: Counter[tuple[CalType, int, frozenset[str]]] = Counter()
    for (type_, family, servers, _), number in seen.held.items():
        counted[type_, family, servers] += number
    return [Need(*key, number) for key, number in counted.items() if number]


def _short_if_all_keep(seen: View) -> Mapping[tuple[CalType, int], int]:
    """Who holds a CAL that still opens its hosts keeps it, as a license server does; the others share what is left."""
    supply = seen.supply
    places = {(one.server, one.id): place for place, one in enumerate(supply)}
    left = [one.total for one in supply]
    rest: Counter[tuple[CalType, int, frozenset[str]]] = Counter()
    for (type_, family, servers, pack), number in sorted(seen.held.items(), key=lambda item: -item[0][1]):
        place = places.get(pack) if pack else None
        keeps = 0
        if place is not None and supply[place].type is type_ and supply[place].family >= family:
            total = left[place]
            keeps = number if total is None else min(number, total)
            left[place] = None if total is None else total - keeps
        rest[type_, family, servers] += number - keeps
    needs = [Need(*key, number) for key, number in rest.items() if number]
    free = [one._replace(total=total) for one, total in zip(supply, left, strict=True)]
    return _by_family(needs, match(needs, free, seen.servers).short)


def _by_family(needs: Sequence[Need], short: Sequence[int]) -> Mapping[tuple[CalType, int], int]:
    counted: Counter[tuple[CalType, int]] = Counter()
    for need, number in zip(needs, short, strict=True):
        counted[need.type, need.family] += number
    return counted


def _fall_ups(needs: Sequence[Need], supply: Sequence[Cals], best: Match) -> tuple[FallUp, ...]:
    counted: Counter[tuple[CalType, int, int]] = Counter()
    for (need, cals), number in best.given.items():
        if supply[cals].family > needs[need].family:
            counted[needs[need].type, needs[need].family, cals] += number
    found = [
        FallUp(type_, family, supply[cals].id, real_server(supply[cals].server), supply[cals].version, number)
        for (type_, family, cals), number in counted.items()
    ]
    return tuple(sorted(found, key=lambda one: (one.type, -one.family, one.server, one.pack)))


def _rows(
    stage: Stage,
    needs: Sequence[Need],
    supply: Sequence[Cals],
    best: Match,
    kept: Mapping[tuple[CalType, int], int],
) -> Iterator[Row]:
    short, own = _by_family(needs, best.short), _served(needs, supply, best, same=True)
    up = _served(needs, supply, best, same=False)
    waiting = _waiting(short, kept)
    there = tuple(stage.live)
    keys = {(need.type, need.family) for need in needs} | {(one.type, one.family) for one in there}
    for type_, family in sorted(keys, key=lambda key: (key[0], -key[1])):
        key = (type_, family)
        mine = [need for need in needs if need[:2] == key]
        without = [need for need, number in zip(needs, best.short, strict=True) if number and need[:2] == key]
        yield Row(
            type_,
            family,
            needed=sum(need.number for need in mine),
            installed=_installed(one for one in there if (one.type, one.family) == key),
            own=own[key],
            fallen_up=up[key],
            short=short.get(key, 0),
            waiting=waiting.get(key, 0),
            why=_why(stage, without, there),
            over_used=type_ is CalType.PER_USER and not any(need.servers & stage.enforcing for need in mine),
        )


def _served(needs: Sequence[Need], supply: Sequence[Cals], best: Match, *, same: bool) -> Counter[tuple[CalType, int]]:
    counted: Counter[tuple[CalType, int]] = Counter()
    for (need, cals), number in best.given.items():
        if (supply[cals].family == needs[need].family) is same:
            counted[needs[need].type, needs[need].family] += number
    return counted


def _waiting(
    short: Mapping[tuple[CalType, int], int], kept: Mapping[tuple[CalType, int], int]
) -> Mapping[tuple[CalType, int], int]:
    """Who goes without only because others keep newer CALs.

    Both ways serve the newest first, so of each family or newer none more is short in the best way than in the other; within one family
    it may be the other way round, which newer families make up for.
    """
    found: dict[tuple[CalType, int], int] = {}
    for type_ in CalType:
        more = 0
        for family in sorted({family for kind, family in (*short, *kept) if kind is type_}, reverse=True):
            more += kept.get((type_, family), 0) - short.get((type_, family), 0)
            if more > 0:
                found[type_, family], more = more, 0
    return found


def _installed(packs: Iterable[Cals]) -> int | None:
    total = 0
    for one in packs:
        if one.total is None:
            return None
        total += one.total
    return total


def _why(stage: Stage, without: Sequence[Need], supply: Sequence[Cals]) -> tuple[Reason, ...]:
    found: dict[Reason, None] = {}
    for need in without:
        found |= dict.fromkeys(_reasons(stage, need, supply))
    return tuple(found)


def _reasons(stage: Stage, need: Need, supply: Sequence[Cals]) -> Iterator[Reason]:
    """The names that a refusal of these holders would bear."""
    able = {one for one in need.servers if one in stage.servers and stage.servers[one].family >= need.family}
    if not able:
        yield Reason.SERVER_VERSION_TOO_LOW
        return
    if not able - stage.lapsed.keys():
        yield Reason.ISSUING_RIGHT_ENDED
        return
    near = [one for one in supply if one.server in able - stage.lapsed.keys()]
    if any(one.frozen and one.type is need.type and one.family >= need.family for one in near):
        yield Reason.PACK_MOVING
    mine = [one for one in near if one.type is need.type]
    fitting = [one for one in mine if one.family >= need.family]
    if fitting and not any(one.family == need.family or stage.servers[one.server].upgrades for one in fitting):
        yield Reason.LICENSE_UPGRADE_PREVENTED
    if mine and not fitting:
        yield Reason.CAL_VERSION_TOO_LOW
    if not fitting and any(one.type is not need.type and one.family >= need.family for one in near):
        yield Reason.CAL_TYPE_DIFFERS_FROM_MODE
    if fitting or not mine:
        yield Reason.NO_CAL_FREE
