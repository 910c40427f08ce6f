"""Who holds CALs on several license servers that do not share a ledger?

Where servers share a ledger (replicas of one) a holder takes one CAL, whichever is asked. Where each has its own they cannot know of
each other: the same device then holds a CAL on each, which is seen here, and mended by moving the packs to one of them.
Source: rd-licensing 13, rows 8 and 18.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import NamedTuple

from calward.domain.cals import CalType

__all__ = ["Duplicate", "HeldCal", "duplicates"]


class HeldCal(NamedTuple):
    """A running full license on one of the servers. ``holder``: hardware id or user, exactly; ``label``: what people call it."""

    server: str
    type: CalType
    holder: str
    label: str
    license: str
    version: str


class Duplicate(NamedTuple):
    """One holder of several CALs of one type. ``needed``: the license with the newest version, which opens all that the others do."""

    type: CalType
    holder: str
    label: str
    needed: HeldCal
    spare: tuple[HeldCal, ...]


def duplicates(held: Iterable[HeldCal], family_of: Callable[[str], int]) -> list[Duplicate]:
    """Holders with CALs of one type on more than one server, by label.

    Two servers may hold licenses of one holder for different needs only if none of them opens everything; the newest always does.
    """
    by_holder: defaultdict[tuple[CalType, str], list[HeldCal]] = defaultdict(list)
    for one in held:
        by_holder[one.type, one.holder].append(one)
    several = (found for found in by_holder.values() if len({one.server for one in found}) > 1)
    return sorted(
        (_duplicate(found, family_of) for found in several), key=lambda one: (one.type, one.label, one.holder)
    )


def _duplicate(found: list[HeldCal], family_of: Callable[[str], int]) -> Duplicate:
    # Of equal ones the first server's counts: the order in which the servers were named is the hosts' order.
    needed = max(found, key=lambda one: family_of(one.version))
    spare = tuple(one for one in found if one is not needed)
    return Duplicate(needed.type, needed.holder, needed.label, needed, spare)
