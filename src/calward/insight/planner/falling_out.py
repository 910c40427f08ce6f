"""On which day are devices without a CAL refused, as their temporary licenses end?

A device gets one temporary license for each family, for so many days, and none again. Who of several gets a CAL that comes free is not
known: those whose temporary licenses end first are taken to go without, so that nothing happens earlier than said here.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from calward.domain.cals import CalType
from calward.domain.settings import Settings

__all__ = ["DAY", "TEMPORARY", "Refused", "falling_out"]

DAY: Final = 86_400
TEMPORARY: Final = Settings().temporary_days * DAY
"""Seconds that a temporary license lasts."""


class Refused(NamedTuple):
    """From this second on so many devices in all are refused by hosts of a family."""

    at: int
    type: CalType
    family: int
    number: int


def falling_out(
    shorts: Mapping[int, Sequence[tuple[int, int]]], ends: Mapping[tuple[int, int], int], until: int
) -> tuple[Refused, ...]:
    """Work it out.

    Args: shorts: family → (from when on, devices without a CAL), in order; ends: (family, when a temporary license ends) → devices, where
    one that was refused already has its end behind it; until: nothing later is told.
    """
    found = [one for family, known in shorts.items() for one in _of_family(family, known, ends, until)]
    return tuple(sorted(found))


def _of_family(
    family: int, shorts: Sequence[tuple[int, int]], ends: Mapping[tuple[int, int], int], until: int
) -> Iterator[Refused]:
    over: Counter[int] = Counter()
    for (rank, at), number in ends.items():
        if rank == family:
            over[max(at, shorts[0][0])] += number
    known = over.total()
    for at, short in shorts:
        # Who is not known to have a temporary license gets one at the first connection, at the earliest now.
        over[at + TEMPORARY] += max(0, short - known)
        known = max(known, short)
    steps = dict(shorts)
    short = ended = last = 0
    for at in sorted({*steps, *over}):
        short, ended = steps.get(at, short), ended + over[at]
        refused = min(short, ended)
        if at <= until and refused > last:
            yield Refused(at, CalType.PER_DEVICE, family, refused)
        last = refused
