"""How are counts, names and days said in a finding?"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from calward.domain.settings import SECONDS_PER_DAY

__all__ = ["SHOWN", "counted", "day", "days_until", "listing", "verb"]

SHOWN: Final = 5
"""Names that stand in a sentence."""


def counted(number: int, thing: str) -> str:
    """``1 host``, ``1,200 hosts``."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def verb(number: int, one: str, several: str) -> str:
    """The form of a word that goes with a number."""
    return one if number == 1 else several


def listing(names: Sequence[str], number: int | None = None) -> str:
    """The first names and how many more there are; ``number``: of all, where ``names`` has not all."""
    shown = names[:SHOWN]
    rest = (len(names) if number is None else number) - len(shown)
    return ", ".join(shown) + (f" and {rest:,} more" if rest > 0 and shown else "")


def day(moment: int) -> str:
    """A day in UTC as it is written everywhere."""
    return datetime.fromtimestamp(moment, UTC).date().isoformat()


def days_until(moment: int, now: int) -> str:
    """``in 3 days``, ``3 days ago``; whole days."""
    days = abs(moment - now) // SECONDS_PER_DAY
    return f"in {counted(days, 'day')}" if moment >= now else f"{counted(days, 'day')} ago"
