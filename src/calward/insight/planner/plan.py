"""What comes of a plan: who goes without a CAL on which day, who is served by a newer pack, and what is cheapest to buy?"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, NamedTuple

from calward.domain.answers import rfc3339
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.insight.estate import Estate
from calward.insight.planner.edits import Edit, apply
from calward.insight.planner.falling_out import DAY, TEMPORARY, Refused, falling_out
from calward.insight.planner.keeping import lapse_ends
from calward.insight.planner.purchase import Price, Purchase, cheapest
from calward.insight.planner.stage import Stage, stage_of
from calward.insight.planner.standing import Row, Standing, look

__all__ = ["DAY", "Failing", "PlanResult", "Timed", "plan"]

YEAR: Final = 365 * DAY


class Timed(NamedTuple):
    """An edit, when it is made (seconds since 1970), and in words."""

    at: int
    edit: Edit
    words: str


class Failing(NamedTuple):
    """From this second on so many of a type and family go without; ``row`` has the reasons."""

    at: int
    row: Row
    because: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanResult:
    """``purchase`` serves everybody who is short at any time; ``purchase_now`` those as well who only wait for CALs that others keep."""

    before: Standing
    standings: tuple[tuple[Standing, tuple[str, ...]], ...]
    """Each with what happened then."""
    failing: tuple[Failing, ...]
    refused: tuple[Refused, ...]
    """Devices without a CAL whose temporary licenses end."""
    purchase: Purchase
    purchase_now: Purchase
    until: int
    notes: tuple[str, ...]

    @property
    def after(self) -> Standing:
        """How it ends."""
        return self.standings[-1][0] if self.standings else self.before

    @property
    def holds(self) -> bool:
        """Whether nobody goes without a CAL at any time."""
        return not self.failing


def plan(
    estate: Estate,
    edits: Sequence[Timed] = (),
    prices: Iterable[Price] = (),
    until: int | None = None,
    *,
    given: Sequence[Edit] = (),
) -> PlanResult:
    """Play edits and expiring packs in their order.

    Args: until: a second since 1970; None: a year after the snapshot, or a day after the last edit. given: what holds before all else.
    Raises: LicensingError: an edit cannot be made; its words stand before the reason.
    """
    stage = stage_of(estate)
    for one in given:
        apply(one, stage)
    last = max((one.at for one in edits), default=0) + DAY
    end = max(estate.taken_at + YEAR, last) if until is None else until
    stage.notes += _lapsing(estate, end)
    before = look(stage)
    standings = tuple(_played(stage, edits, end))
    everything = [before, *(one for one, _ in standings)]
    offers = tuple(prices) or _by_version(estate)
    return PlanResult(
        before=before,
        standings=standings,
        failing=tuple(_failing([(before, ()), *standings])),
        # Of an estate as it stands, what is said is what comes if nothing changes.
        refused=falling_out(_shorts(everything), stage.temporary_ends, max(end, estate.taken_at + TEMPORARY)),
        purchase=cheapest(_worst(one.lacking for one in everything), offers),
        purchase_now=cheapest(_worst(one.lacking_if_kept for one in everything), offers),
        until=end,
        notes=tuple(dict.fromkeys(stage.notes)),
    )


def _lapsing(estate: Estate, end: int) -> Iterator[str]:
    """A right to issue is renewed by itself where the server is online, so that its end is told and not played."""
    for one in estate.servers:
        if one.activated is not False and one.issue_until is not None and one.issue_until <= end:
            yield (
                f"the right to issue of {one.name} ends on {rfc3339(one.issue_until)} unless it is renewed, which a server that "
                'reaches its clearinghouse does by itself; an edit do = "lapse" shows what comes of it'
            )


def _shorts(standings: Sequence[Standing]) -> Mapping[int, Sequence[tuple[int, int]]]:
    """Per family, from when on so many devices go without."""
    found: dict[int, list[tuple[int, int]]] = {}
    for one in standings:
        now = {row.family: row.short for row in one.rows if row.type is CalType.PER_DEVICE}
        for family in {*now, *found}:
            found.setdefault(family, [(standings[0].at, 0)]).append((one.at, now.get(family, 0)))
    return found


def _by_version(estate: Estate) -> tuple[Price, ...]:
    """Without prices: what is missing, each of its own family, in the name of its newest version."""
    ladder = estate.ladder
    ranks = range(ladder.family_of(ladder.newest) + 1)
    # The newer, the dearer: then the least sufficient one is the cheapest.
    return tuple(_own(type_, ladder.family_versions(rank)[-1], rank) for type_ in CalType for rank in ranks)


def _own(type_: CalType, version: str, rank: int) -> Price:
    return Price(type_, version, rank, Decimal(rank + 1))


def _played(stage: Stage, edits: Sequence[Timed], end: int) -> Iterator[tuple[Standing, tuple[str, ...]]]:
    waiting = sorted(edits, key=lambda one: one.at)
    while (at := _next(stage, waiting, end)) is not None:
        because = sorted(words for ends, words in _endings(stage) if ends == at)
        stage.now = max(stage.now, at)
        while waiting and waiting[0].at <= stage.now:
            one = waiting.pop(0)
            _apply(one, stage)
            because.append(one.words)
        yield look(stage), tuple(because)


def _next(stage: Stage, waiting: Sequence[Timed], end: int) -> int | None:
    ends = [at for at, _ in _endings(stage)]
    found = [at for at in (*ends, *(max(stage.now, one.at) for one in waiting)) if at <= end]
    return min(found, default=None)


def _endings(stage: Stage) -> Iterator[tuple[int, str]]:
    """What is still to end by itself, and in words."""
    for one in stage.cals:
        if one.expires_at is not None and one.expires_at > stage.now:
            yield one.expires_at, f"pack {one.id} expires"
    yield from lapse_ends(stage)


def _apply(one: Timed, stage: Stage) -> None:
    try:
        apply(one.edit, stage)
    except LicensingError as error:
        raise LicensingError(error.problem, f"{one.words}: {error.detail}", field=error.field) from error


def _worst(lacking: Iterable[Mapping[tuple[CalType, int], int]]) -> dict[tuple[CalType, int], int]:
    """The most CALs of each family or newer that are missing at any time."""
    found: dict[tuple[CalType, int], int] = {}
    for one in lacking:
        for key, number in one.items():
            found[key] = max(found.get(key, 0), number)
    return found


def _failing(standings: Sequence[tuple[Standing, tuple[str, ...]]]) -> Iterator[Failing]:
    """Each time it begins or changes, not each time one looks."""
    known: dict[tuple[CalType, int], tuple[int, int]] = {}
    for standing, because in standings:
        for row in standing.rows:
            key, numbers = (row.type, row.family), (row.short, row.waiting)
            if any(numbers) and known.get(key) != numbers:
                yield Failing(standing.at, row, because)
            known[key] = numbers
