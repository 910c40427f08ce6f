"""How is a report written as a workbook of a spreadsheet?

Row by row: a million need no more memory than one. Texts are written as texts, whatever they begin with: none is a formula or a link.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from xlsxwriter import Workbook
from xlsxwriter.exceptions import XlsxWriterException
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from calward.adapters.exports.writing.harmless import visible
from calward.insight.reports.report import Cell, Column, Holds, Report

__all__ = ["save_xlsx"]

_ROWS: Final = 1_000_000
"""Rows of a sheet; the format ends at 1,048,576. What is more goes on in another sheet."""
_LONGEST: Final = 32_767
"""Characters of a cell; the format ends there."""
_WIDTHS: Final = {Holds.TEXT: 24, Holds.COUNT: 12, Holds.MOMENT: 20}
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}


def save_xlsx(report: Report, path: Path) -> None:
    """Write the workbook: a sheet that says what it is, and the table. Raises: OSError."""
    try:
        _save(Workbook(str(path), _OPTIONS), report)
    except XlsxWriterException as error:
        raise OSError(str(error)) from error


def _save(book: Workbook, report: Report) -> None:
    try:
        formats = {
            "bold": book.add_format({"bold": True, "bottom": 1}),
            "count": book.add_format({"num_format": "#,##0"}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss", "align": "left"}),
        }
        _about(book.add_worksheet("About"), report, formats)
        _table(book, report, formats)
    finally:
        book.close()


def _about(sheet: Worksheet, report: Report, formats: dict[str, Format]) -> None:
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, 1, 90)
    lines = [*report.facts, *(("note", note) for note in report.notes), ("times", "UTC")]
    for number, (key, value) in enumerate(lines):
        sheet.write_string(number, 0, key, formats["bold"])
        _write(sheet, number, 1, value)


def _table(book: Workbook, report: Report, formats: dict[str, Format]) -> None:
    sheet, place, number = _sheet(book, report, formats, 1), 0, 1
    for row in report.rows():
        if place == _ROWS:
            _filter(sheet, report, place)
            number += 1
            sheet, place = _sheet(book, report, formats, number), 0
        place += 1
        for at, (value, column) in enumerate(zip(row, report.columns, strict=True)):
            _cell(sheet, place, at, value, column, formats)
    _filter(sheet, report, place)


def _filter(sheet: Worksheet, report: Report, rows: int) -> None:
    """Arrows in the header, by which to sort and to choose."""
    sheet.autofilter(0, 0, rows, len(report.columns) - 1)


def _sheet(book: Workbook, report: Report, formats: dict[str, Format], number: int) -> Worksheet:
    sheet = book.add_worksheet(report.name if number == 1 else f"{report.name} {number}")
    sheet.freeze_panes(1, 0)
    for at, column in enumerate(report.columns):
        sheet.set_column(at, at, _WIDTHS[column.holds])
        sheet.write_string(0, at, column.title, formats["bold"])
    if number == 1:
        sheet.activate()
    return sheet


def _cell(sheet: Worksheet, row: int, at: int, value: Cell, column: Column, formats: dict[str, Format]) -> None:
    if value is None:
        _write(sheet, row, at, column.nothing)
    elif column.holds is Holds.MOMENT:
        # A spreadsheet's dates know no zone: they are UTC, as the first sheet says.
        sheet.write_datetime(row, at, datetime.fromtimestamp(int(value), UTC).replace(tzinfo=None), formats["time"])
    elif isinstance(value, int):
        sheet.write_number(row, at, value, formats["count"])
    else:
        _write(sheet, row, at, value)


def _write(sheet: Worksheet, row: int, at: int, value: Cell) -> None:
    if isinstance(value, int):
        sheet.write_number(row, at, value)
    elif value:
        sheet.write_string(row, at, visible(value)[:_LONGEST])
