"""How does a report look on a terminal?"""

from itertools import islice
from typing import Final

from calward.domain.answers import rfc3339
from calward.entrypoints.cli.common.output import Column, Fit, cell, say, table
from calward.entrypoints.cli.common.safe_text import safe
from calward.insight.reports.report import Cell, Holds, Report
from calward.insight.reports.report import Column as ReportColumn

__all__ = ["print_report"]

_SHOWN: Final = 200
"""Rows that are printed; every file has all."""
_WHOLE: Final = frozenset({"version", "type", "mode", "status"})
"""Texts that are short and must not be broken."""


def print_report(found: Report) -> None:
    """Print its head, its first rows, how many more there are, and its notes."""
    for key, value in found.facts:
        say(f"{key}: {safe(value)}")
    say()
    rows = found.rows()
    shown = [
        {one.key: _value(value, one) for one, value in zip(found.columns, row, strict=True)}
        for row in islice(rows, _SHOWN)
    ]
    columns = [Column(one.title, one.key, _fit(one)) for one in found.columns]
    if not table(columns, shown):
        say("nothing is in it", err=True)
    more = sum(1 for _ in rows)
    if more:
        say(f"and {more:,} more rows: --format csv, or -o with the name of a file, has all", err=True)
    for note in found.notes:
        say(f"note: {safe(note)}", err=True)


def _value(value: Cell, column: ReportColumn) -> str:
    if value is None:
        return column.nothing or "-"
    return rfc3339(int(value)) if column.holds is Holds.MOMENT else cell(value)


def _fit(column: ReportColumn) -> Fit:
    if column.minor:
        return Fit.LEFT_OUT
    return Fit.FOLDED if column.holds is Holds.TEXT and column.key not in _WHOLE else Fit.WHOLE
