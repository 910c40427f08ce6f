"""How is a report written as CSV and as JSON?

CSV: RFC 4180, UTF-8, cells harmless in a spreadsheet. What its head says stands before the table, a line each that begins with ``#``.
JSON: one object; the rows are objects with the keys of the columns.
"""

import csv
import json
from collections.abc import Iterator
from itertools import chain, islice
from typing import Final

from calward.adapters.exports.writing.harmless import for_spreadsheet, visible
from calward.adapters.exports.writing.wmi_rows import csv_pieces
from calward.domain.answers import rfc3339
from calward.insight.reports.report import Cell, Column, Holds, Report

__all__ = ["csv_text", "json_text", "shown"]

_AT_ONCE: Final = 500


def shown(value: Cell, column: Column) -> str:
    """A value as people read it; moments in ISO 8601."""
    if value is None:
        return column.nothing
    if column.holds is Holds.MOMENT:
        return rfc3339(int(value))
    return str(value)


def csv_text(report: Report, *, bare: bool = False) -> Iterator[str]:
    """The report as CSV; ``bare``: without the lines of its head, for programs that want the names of columns first."""
    lines = [*(f"{key}: {value}" for key, value in report.facts), *(f"note: {note}" for note in report.notes)]
    top = () if bare else ([f"# {visible(line)}"] for line in lines)
    table = ([_cell(value, column) for value, column in zip(row, report.columns, strict=True)] for row in report.rows())
    names = [column.key for column in report.columns]
    return csv_pieces(chain(top, [names], table), quoting=csv.QUOTE_MINIMAL)


def _cell(value: Cell, column: Column) -> str:
    text = shown(value, column)
    return for_spreadsheet(text) if column.holds is Holds.TEXT else text


def json_text(report: Report) -> Iterator[str]:
    """The report as one JSON object, ASCII only: ``facts``, ``notes``, ``rows``; moments in ISO 8601, None as null."""
    top = {"report": report.name, "facts": dict(report.facts), "notes": report.notes}
    yield json.dumps(top, indent=2)[:-2] + ',\n  "rows": ['
    rows, before = report.rows(), "\n    "
    while some := list(islice(rows, _AT_ONCE)):
        yield before + ",\n    ".join(json.dumps(_object(row, report.columns)) for row in some)
        before = ",\n    "
    yield "\n  ]\n}\n"


def _object(row: tuple[Cell, ...], columns: tuple[Column, ...]) -> dict[str, Cell]:
    return {
        column.key: rfc3339(int(value)) if column.holds is Holds.MOMENT and value is not None else value
        for value, column in zip(row, columns, strict=True)
    }
