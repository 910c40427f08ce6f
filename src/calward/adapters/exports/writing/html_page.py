"""How is a report written as a page that needs nothing else: to look at, to send, to print?

One file without scripts or anything from a network, which its own policy forbids; every name from outside is escaped.
"""

from collections.abc import Iterator
from functools import lru_cache
from html import escape
from importlib.resources import files
from itertools import islice
from typing import Final

from calward.adapters.exports.writing.harmless import visible
from calward.adapters.exports.writing.svg import draw, legend
from calward.adapters.exports.writing.tables_text import shown
from calward.insight.reports.report import Chart, Column, Holds, Report

__all__ = ["html_text"]

_AT_ONCE: Final = 500
_SHORT: Final = 12
"""Letters up to which a text stays in one line."""


def html_text(report: Report) -> Iterator[str]:
    """The page: what it is, pictures, notes, and all rows."""
    yield _top(report)
    yield "".join(map(_chart, report.charts))
    yield "".join(_notes(report))
    yield from _table(report)
    yield "</main>\n</body>\n</html>\n"


@lru_cache(maxsize=1)
def _style() -> str:
    return files("calward.adapters.exports.writing").joinpath("report.css").read_text(encoding="utf-8")


def _top(report: Report) -> str:
    facts = "".join(f"<div><dt>{_text(key)}</dt><dd>{_text(value)}</dd></div>" for key, value in report.facts)
    title = _title(report.title)
    estate = dict(report.facts).get("estate", "")
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        f"<title>{_text(title)} - {_text(estate)}</title>\n<style>\n{_style()}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{_text(title)}</h1>\n<dl>{facts}</dl>\n"
    )


def _title(text: str) -> str:
    return text[:1].upper() + text[1:]


def _text(value: object) -> str:
    return escape(visible(f"{value:,}" if isinstance(value, int) else str(value)))


def _chart(chart: Chart) -> str:
    drawn = draw(chart)
    if not drawn:
        return ""
    keys = "".join(f'<li><span class="key {name}"></span>{_text(words)}</li>' for name, words in legend(chart))
    title = _title(chart.title)
    return (
        f"<figure><figcaption>{_text(title)}</figcaption>{_scrolled('drawn', title)}{drawn}</div>"
        f'<ul class="legend">{keys}</ul></figure>\n'
    )


def _scrolled(name: str, title: str) -> str:
    """The beginning of a part that is wider than a phone: one that the keyboard reaches, too."""
    return f'<div class="{name}" role="region" aria-label="{_text(title)}" tabindex="0">'


def _notes(report: Report) -> Iterator[str]:
    if report.notes:
        yield '<section class="notes"><h2>Notes</h2><ul>'
        yield from (f"<li>{_text(note)}</li>" for note in report.notes)
        yield "</ul></section>\n"


def _table(report: Report) -> Iterator[str]:
    names = "".join(
        f'<th scope="col" class="{column.holds.value}">{_text(column.title)}</th>' for column in report.columns
    )
    yield f"{_scrolled('table', 'Rows')}<table>\n<thead><tr>{names}</tr></thead>\n<tbody>\n"
    rows, count = report.rows(), 0
    while some := list(islice(rows, _AT_ONCE)):
        count += len(some)
        yield "".join(f"<tr>{''.join(map(_cell, row, report.columns))}</tr>\n" for row in some)
    yield f"</tbody>\n</table></div>\n<p>{count:,} rows; times are UTC.</p>\n"


def _cell(value: str | int | None, column: Column) -> str:
    if column.holds is Holds.MOMENT and value is not None:
        text = shown(value, column)
        return f'<td class="moment"><time datetime="{text}">{text[:10]} {text[11:16]}</time></td>'
    if isinstance(value, int):
        return f'<td class="count">{value:,}</td>'
    text = shown(value, column)
    kinds = [column.holds.value]
    kinds += ["short"] if len(text) <= _SHORT else []
    kinds += ["over"] if value == "over-used" else []
    return f'<td class="{" ".join(kinds)}">{_text(text)}</td>'
