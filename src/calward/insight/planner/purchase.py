"""What is the cheapest purchase that serves everybody who goes without a CAL?

A CAL of a version serves the holders of its family and of all older ones, and may be installed as an older version where the license
server is older (downgrade). So a purchase is enough exactly if, for each family, it has as many CALs of that family or newer ones as
there are holders of that family or newer ones without a CAL. Both types are separate: neither serves the other. Prices are exact.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Final, NamedTuple

from calward.domain.cals import CalType

__all__ = ["Line", "Price", "Purchase", "cheapest"]

_NEVER: Final = 1 << 62
"""Costs more than anything: it cannot be bought."""


class Price(NamedTuple):
    """What ``size`` CALs of a version and type cost together; they are sold in no smaller number."""

    type: CalType
    version: str
    family: int
    price: Decimal
    size: int = 1


class Line(NamedTuple):
    """Buy so many units of an offer."""

    offer: Price
    units: int

    @property
    def cals(self) -> int:
        """How many CALs that is."""
        return self.units * self.offer.size

    @property
    def cost(self) -> Decimal:
        """What they cost together."""
        return self.units * self.offer.price


@dataclass(frozen=True, slots=True)
class Purchase:
    """The lines to buy, newest version first; ``without_offer``: (type, family) → holders whom no offer serves."""

    lines: tuple[Line, ...]
    without_offer: Mapping[tuple[CalType, int], int]

    @property
    def cost(self) -> Decimal:
        """What all lines cost."""
        return sum((line.cost for line in self.lines), Decimal(0))


def cheapest(lacking: Mapping[tuple[CalType, int], int], offers: Iterable[Price]) -> Purchase:
    """Find it.

    Args: lacking: (type, family) → how many CALs *of this family or newer* are needed; families left out need no more than newer ones.
    Between equal costs the newer version is bought: it opens more. Source: docs/decisions/0051.
    """
    offered = list(offers)
    lines: list[Line] = []
    without: dict[tuple[CalType, int], int] = {}
    for type_ in CalType:
        steps = {family: number for (kind, family), number in lacking.items() if kind is type_ and number}
        own = [one for one in offered if one.type is type_]
        newest = max((one.family for one in own), default=-1)
        out = max((number for family, number in steps.items() if family > newest), default=0)
        if out:
            without[type_, min(family for family in steps if family > newest and steps[family] == out)] = out
        # Who can be served is served; nobody's offer serves the others, so these do not stand in the sum.
        lines += _cover({family: number - out for family, number in steps.items() if family <= newest}, own)
    return Purchase(tuple(lines), without)


def _cover(steps: Mapping[int, int], offers: Sequence[Price]) -> Sequence[Line]:
    if max(steps.values(), default=0) <= 0:
        return ()
    families = sorted({*steps, *(one.family for one in offers)}, reverse=True)
    demand = list(accumulate((max(0, steps.get(family, 0)) for family in families), max))
    by_family = [[one for one in offers if one.family == family] for family in families]
    single = all(one.size == 1 for one in offers)
    units = _one_by_one(demand, by_family) if single else _by_units(demand, by_family)
    return [Line(offer, number) for offer, number in units.items() if number]


def _one_by_one(demand: Sequence[int], offers: Sequence[Sequence[Price]]) -> Mapping[Price, int]:
    """Singly sold: each missing CAL is the cheapest of its family or a newer one."""
    units: dict[Price, int] = {}
    best: Price | None = None
    before = 0
    for number, listed in zip(demand, offers, strict=True):
        best = min([best, *listed] if best else listed, key=lambda one: one.price, default=None)
        if best and number > before:
            units[best] = units.get(best, 0) + number - before
        before = number
    return units


def _by_units(demand: Sequence[int], offers: Sequence[Sequence[Price]]) -> Mapping[Price, int]:
    """Sold in larger units: the least cost of "at least n CALs of this family or newer", family after family, then the way back."""
    scale = 10 ** max(0, *(-int(one.price.as_tuple().exponent) for listed in offers for one in listed))
    most = demand[-1]
    costs = array("q", [0, *[_NEVER] * most])
    taken: list[array[int]] = []
    for place, listed in enumerate(offers):
        if place:
            floor = demand[place - 1]
            costs[:floor] = array("q", [costs[floor]]) * floor
        taken.append(_layer(costs, [(int(one.price * scale), one.size) for one in listed]))
    return _way_back(demand, offers, taken)


def _layer(costs: "array[int]", offers: Sequence[tuple[int, int]]) -> "array[int]":
    """Better ``costs`` in place by what this family offers; gives which offer each number took last, -1: none."""
    taken = array("i", [-1]) * len(costs)
    for number in range(1, len(costs)):
        best = costs[number]
        for place, (price, size) in enumerate(offers):
            cost = costs[number - size if number > size else 0] + price
            if cost < best:
                best, taken[number] = cost, place
        costs[number] = min(best, _NEVER)
    return taken


def _way_back(
    demand: Sequence[int], offers: Sequence[Sequence[Price]], taken: Sequence["array[int]"]
) -> Mapping[Price, int]:
    units: dict[Price, int] = {}
    number = 0
    for place in reversed(range(len(offers))):
        number = max(number, demand[place])
        while (choice := taken[place][number]) >= 0:
            offer = offers[place][choice]
            units[offer] = units.get(offer, 0) + 1
            number = max(0, number - offer.size)
    return dict(sorted(units.items(), key=lambda item: (-item[0].family, -item[0].size)))
