"""What is a report: columns, rows, charts, and what its head says about it."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from calward.domain.answers import rfc3339
from calward.insight.estate import Estate, Source

__all__ = ["Bar", "Cell", "Chart", "Column", "Holds", "Line", "Part", "Report", "Row", "Shade", "head"]

Cell = str | int | None
Row = tuple[Cell, ...]
"""One value a column; moments are seconds since 1970 (UTC)."""


class Holds(StrEnum):
    """What the values of a column are."""

    TEXT = "text"
    COUNT = "count"
    """A whole number; None is said in words by ``Column.nothing``."""
    MOMENT = "moment"


@dataclass(frozen=True, slots=True)
class Column:
    """``key`` for scripts, ``title`` for people; ``nothing``: what None means here; ``minor``: first to go where there is no room."""

    key: str
    title: str
    holds: Holds = Holds.TEXT
    nothing: str = ""
    minor: bool = False


class Shade(StrEnum):
    """What a part of a bar stands for, which decides its color."""

    USED = "used"
    FREE = "free"
    OVER = "over-used"
    TEMPORARY = "temporary"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a bar."""

    shade: Shade
    size: int


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of parts that lie behind each other."""

    label: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A value over time: moments (seconds since 1970), rising, with the value at each."""

    label: str
    points: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of the table: bars or lines, never both."""

    title: str
    bars: tuple[Bar, ...] = ()
    lines: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """A report. ``rows`` gives them all, anew at each call, so that nobody needs to hold a million.

    ``facts`` stand in every head: which report, of which estate, when, which part of it. ``notes`` say what is inferred or missing.
    ``found``: it shows something that somebody has to act on.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Callable[[], Iterator[Row]]
    facts: tuple[tuple[str, Cell], ...]
    notes: tuple[str, ...] = ()
    charts: tuple[Chart, ...] = ()
    found: bool = False


def head(
    name: str, title: str, estate: Estate, filtered: str, notes: Sequence[str] = ()
) -> tuple[tuple[str, Cell], ...]:
    """What every report says of itself; ``filtered`` in words, "" where everything is in it."""
    imported = estate.source is Source.IMPORT
    unread = (("not read of its files", f"{len(estate.problems)} places"),) if estate.problems else ()
    return (
        ("report", f"{name}: {title}"),
        ("estate", estate.name),
        ("source", "imported, another system's" if imported else "Calward's own ledger"),
        ("snapshot taken", rfc3339(estate.taken_at)),
        ("filter", filtered or "none: all rows"),
        ("certainty", "partly inferred, see notes" if imported and notes else "as the source says"),
        *unread,
    )
