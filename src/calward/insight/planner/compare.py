"""Per device or per user: which CALs would an estate need if all of its hosts asked for one type, and which type is cheaper?"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from calward.domain.cals import CalType
from calward.insight.estate import Estate
from calward.insight.planner.edits import AllOfType
from calward.insight.planner.plan import PlanResult, plan
from calward.insight.planner.purchase import Price
from calward.insight.planner.stage import stage_of

__all__ = ["Comparison", "Way", "compare"]


@dataclass(frozen=True, slots=True)
class Way:
    """One way to license an estate. ``type`` None: as it is. ``holders``: all who need a CAL; ``changed``: those of the other type today."""

    type: CalType | None
    result: PlanResult
    holders: int
    changed: int


@dataclass(frozen=True, slots=True)
class Comparison:
    """All ways, as it is first."""

    ways: tuple[Way, ...]

    priced: bool

    @property
    def best(self) -> tuple[Way, ...]:
        """Of the ways for which everything can be bought, those that cost least; without prices those with the fewest CALs to buy."""
        able = [way for way in self.ways if not way.result.purchase.without_offer]
        least = min(map(self._weight, able), default=Decimal(0))
        return tuple(way for way in able if self._weight(way) == least)

    def _weight(self, way: Way) -> Decimal:
        bought = way.result.purchase
        return bought.cost if self.priced else Decimal(sum(line.cals for line in bought.lines))


def compare(
    estate: Estate, prices: Iterable[Price] = (), holders: Mapping[CalType, int | None] | None = None
) -> Comparison:
    """Work out what is to be bought as it is, and with all hosts of either type; nothing that is installed is converted.

    Args: holders: how many of a type come in place of those of the other one; where it says nothing, as many as there are of these.
    """
    offers, wanted = tuple(prices), holders or {}
    today = _result(estate, offers, ())
    ways = (_way(estate, type_, wanted.get(type_), offers) for type_ in CalType)
    return Comparison((Way(None, today, _needed(today), 0), *ways), bool(offers))


def _way(estate: Estate, type_: CalType, number: int | None, offers: Sequence[Price]) -> Way:
    changed = sum(use.number for use in stage_of(estate).uses if use.type is not type_)
    result = _result(estate, offers, (AllOfType(type_, number),))
    return Way(type_, result, _needed(result), changed)


def _result(estate: Estate, offers: Sequence[Price], edits: Sequence[AllOfType]) -> PlanResult:
    return plan(estate, prices=offers, until=estate.taken_at, given=edits)


def _needed(result: PlanResult) -> int:
    return sum(row.needed for row in result.before.rows)
