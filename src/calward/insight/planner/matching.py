"""How many holders can be served with these CALs, and by which of them?

Newest hosts first, each by the lowest CAL that will do. As a CAL opens its own family and all older ones, that is the best there is where
all hosts ask the same license servers. Where they do not, a holder may have to make way: along an augmenting path, as in any matching.
Sets of holders that can be served together are the independent sets of a (transversal) matroid, so serving the newest first leaves, for
*every* family at once, the fewest holders of that family or a newer one without a CAL. ``purchase`` stands on this sentence.
"""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from calward.domain.cals import CalType

__all__ = ["Cals", "Match", "Need", "Serving", "match"]

_PLENTY: Final = 1 << 60
"""More than anybody has: an unlimited pack."""
_NO_END: Final = 1 << 62


class Need(NamedTuple):
    """So many holders need a CAL of a type for hosts of a family, from one of these license servers."""

    type: CalType
    family: int
    servers: frozenset[str]
    number: int


class Cals(NamedTuple):
    """CALs on a license server. ``total`` None: unlimited; ``expires_at`` None: never."""

    id: str
    server: str
    type: CalType
    version: str
    family: int
    total: int | None
    expires_at: int | None = None
    frozen: bool = False
    """Whether its pack is on its way to another license server, so that nothing new is given of it."""


class Serving(NamedTuple):
    """What a license server can do: newest family of hosts it serves, and whether newer CALs may serve older hosts."""

    family: int
    upgrades: bool = True


@dataclass(frozen=True, slots=True)
class Match:
    """``given``: (need, CALs) → number, by their places in what was handed in; ``short``: per need, how many go without."""

    given: Mapping[tuple[int, int], int]
    short: Sequence[int]


def match(needs: Sequence[Need], supply: Sequence[Cals], servers: Mapping[str, Serving]) -> Match:
    """Serve as many holders as can be, the newest hosts first."""
    solver = _Solver(needs, supply, servers)
    for place in sorted(range(len(needs)), key=lambda one: -needs[one].family):
        solver.serve(place)
    given = {(need, cals): number for cals, row in enumerate(solver.held) for need, number in row.items() if number}
    return Match(given, solver.short)


class _Solver:
    def __init__(self, needs: Sequence[Need], supply: Sequence[Cals], servers: Mapping[str, Serving]) -> None:
        self.needs, self.supply, self.servers = needs, supply, servers
        self.left = [_PLENTY if one.total is None else max(0, one.total) for one in supply]
        self.held: list[dict[int, int]] = [{} for _ in supply]
        self.short = [0] * len(needs)
        self.spent: set[int] = set()
        """CALs from which no path leads to a free one; that never changes."""
        self._shelves = _shelves(supply)
        self._fitting: dict[tuple[CalType, int, frozenset[str]], Sequence[int]] = {}

    def serve(self, place: int) -> None:
        rest = self.needs[place].number
        for cals in self.fitting(place):
            taken = min(rest, self.left[cals])
            if taken:
                self._give(place, cals, taken)
                rest -= taken
        while rest and (moved := self._make_way(place, rest)):
            rest -= moved
        self.short[place] = rest

    def fitting(self, place: int) -> Sequence[int]:
        """CALs that serve a need, the lowest first, of these the one that ends first."""
        key = self.needs[place][:3]
        if key not in self._fitting:
            self._fitting[key] = self._find(*key)
        return self._fitting[key]

    def _find(self, type_: CalType, family: int, servers: Collection[str]) -> Sequence[int]:
        found: list[int] = []
        for server in servers:
            serving = self.servers.get(server)
            if serving is None or serving.family < family:
                continue
            ranks = range(family, serving.family + 1) if serving.upgrades else (family,)
            found += (one for one in self._shelves.get((server, type_), ()) if self.supply[one].family in ranks)
        return sorted(found, key=lambda one: _order(self.supply[one]))

    def _give(self, place: int, cals: int, number: int) -> None:
        self.left[cals] -= number
        self.held[cals][place] = self.held[cals].get(place, 0) + number

    def _make_way(self, place: int, rest: int) -> int:
        """Free CALs by letting others move to other CALs; gives how many were freed for this need, 0 where none can be."""
        path = self._path(place)
        if not path:
            return 0
        number = min(rest, self.left[path[-1][1]], *(self.held[cals][need] for need, cals in _pushed_out(path)))
        for need, cals in _pushed_out(path):
            self.held[cals][need] -= number
            self.left[cals] += number
        for need, cals in path:
            self._give(need, cals, number)
        return number

    def _path(self, start: int) -> Sequence[tuple[int, int]]:
        """(need, CALs it takes) from this need to free CALs; each one takes what the next one must leave."""
        came: dict[int, tuple[int, int]] = {}
        """CALs → who would take them, and from which CALs that one would come (-1: from none)."""
        seen, queue = {start}, deque([(start, -1)])
        while queue:
            need, source = queue.popleft()
            for cals in self.fitting(need):
                if cals in came or cals in self.spent:
                    continue
                came[cals] = (need, source)
                if self.left[cals]:
                    return _steps(came, cals)
                for other, number in self.held[cals].items():
                    if number and other not in seen:
                        seen.add(other)
                        queue.append((other, cals))
        self.spent |= set(came)
        return ()


def _steps(came: Mapping[int, tuple[int, int]], last: int) -> Sequence[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    while last >= 0:
        need, source = came[last]
        found.append((need, last))
        last = source
    return found[::-1]


def _pushed_out(path: Sequence[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """(need, CALs it leaves): everybody but the first leaves what the one before takes."""
    return [(path[place + 1][0], cals) for place, (_, cals) in enumerate(path[:-1])]


def _shelves(supply: Sequence[Cals]) -> Mapping[tuple[str, CalType], Sequence[int]]:
    found: dict[tuple[str, CalType], list[int]] = {}
    for place, one in enumerate(supply):
        found.setdefault((one.server, one.type), []).append(place)
    return found


def _order(one: Cals) -> tuple[int, int, str, str]:
    return (one.family, _NO_END if one.expires_at is None else one.expires_at, one.server, one.id)
