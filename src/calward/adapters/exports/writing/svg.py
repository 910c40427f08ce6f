"""How is a chart drawn: bars and lines as SVG inside a page, without anything from a network?

Colors are classes of the page's style sheet, so that they follow light, dark and paper; every shape has its words as a title.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final

from calward.adapters.exports.writing.harmless import visible
from calward.insight.reports.report import Bar, Chart, Line, Shade

__all__ = ["draw", "legend"]

_WIDTH: Final = 760
_LABEL: Final = 190
_NUMBER: Final = 70
_BAR: Final = 26
_LETTERS: Final = 28
"""Of a label; the whole one is its title."""
_HEIGHT: Final = 260
_LEFT, _RIGHT, _TOP, _BOTTOM = 60, 20, 12, 28
_MOST_LINES: Final = 8
_TICKS: Final = 4
_DIGIT: Final = 8
"""Units that a digit takes."""


def draw(chart: Chart) -> str:
    """The chart as an ``svg`` element; "" where there is nothing to draw."""
    if chart.bars:
        return _bars(chart)
    return _lines(chart) if any(line.points for line in chart.lines) else ""


def legend(chart: Chart) -> list[tuple[str, str]]:
    """What colors mean: class of the style sheet, and words."""
    if chart.bars:
        there = {part.shade for bar in chart.bars for part in bar.parts}
        return [(_class(shade), shade.value) for shade in Shade if shade in there]
    return [(f"line-{number}", line.label) for number, line in enumerate(chart.lines[:_MOST_LINES])]


def _class(shade: Shade) -> str:
    return f"part-{shade.value}"


def _bars(chart: Chart) -> str:
    largest = max(sum(part.size for part in bar.parts) for bar in chart.bars) or 1
    height = len(chart.bars) * (_BAR + 8) + 4
    drawn = "".join(piece for place, bar in enumerate(chart.bars) for piece in _bar(bar, place, largest))
    return _element(chart.title, height, drawn)


def _bar(bar: Bar, place: int, largest: int) -> Iterator[str]:
    top, x, room = place * (_BAR + 8) + 4, float(_LABEL), _WIDTH - _LABEL - _NUMBER
    middle = top + _BAR / 2
    name = visible(bar.label)
    short = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 1]}…"
    yield f'<text class="label" x="{_LABEL - 8}" y="{middle:.1f}" text-anchor="end">{escape(short)}<title>{escape(name)}</title></text>'
    for part in bar.parts:
        width = room * part.size / largest
        words = escape(f"{name}: {part.size:,} {part.shade.value}")
        yield f'<rect class="{_class(part.shade)}" x="{x:.1f}" y="{top}" width="{width:.1f}" height="{_BAR}"><title>{words}</title></rect>'
        if width > _DIGIT * (len(f"{part.size:,}") + 1):
            yield f'<text class="inside on-{_class(part.shade)}" x="{x + width / 2:.1f}" y="{middle:.1f}" text-anchor="middle">{part.size:,}</text>'
        x += width
    total = sum(part.size for part in bar.parts)
    yield f'<text class="sum" x="{x + 8:.1f}" y="{middle:.1f}">{total:,}</text>'


def _lines(chart: Chart) -> str:
    lines = [line for line in chart.lines[:_MOST_LINES] if line.points]
    moments = [at for line in lines for at, _ in line.points]
    first, last = min(moments), max(moments)
    step = _step(max(value for line in lines for _, value in line.points))
    top = step * _TICKS
    drawn = [*_grid(step), *_days(first, last)]
    for number, line in enumerate(lines):
        drawn += _line(line, number, (first, last), top)
    return _element(chart.title, _HEIGHT, "".join(drawn))


def _step(largest: int) -> int:
    """The distance of two ticks: 1, 2 or 5 with zeros, so that all ticks reach the largest value."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if factor * size * _TICKS >= largest:
                return factor * size
        size *= 10


def _grid(step: int) -> Iterator[str]:
    for tick in range(_TICKS + 1):
        y = _y(tick * step, step * _TICKS)
        yield f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="tick" x="{_LEFT - 8}" y="{y:.1f}" text-anchor="end">{tick * step:,}</text>'


def _days(first: int, last: int) -> Iterator[str]:
    for part in range(_TICKS + 1) if last > first else (0,):
        at = first + (last - first) * part // _TICKS
        anchor = "start" if part == 0 else "end" if part == _TICKS else "middle"
        day = datetime.fromtimestamp(at, UTC).date().isoformat()
        yield f'<text class="tick" x="{_x(at, (first, last)):.1f}" y="{_HEIGHT - 10}" text-anchor="{anchor}">{day}</text>'


def _line(line: Line, number: int, span: tuple[int, int], top: int) -> Iterator[str]:
    places = [(_x(at, span), _y(value, top)) for at, value in line.points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    yield f'<polyline class="line line-{number}" points="{path}"><title>{escape(visible(line.label))}</title></polyline>'
    for x, y in _marked(places):
        yield f'<circle class="dot line-{number}" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>'


def _marked(places: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """The ends of a line, which show one that is a single point as well."""
    return places[:1] if len(places) == 1 else (places[0], places[-1])


def _x(at: int, span: tuple[int, int]) -> float:
    first, last = span
    share = (at - first) / (last - first) if last > first else 0.0
    return _LEFT + share * (_WIDTH - _LEFT - _RIGHT)


def _y(value: int, top: int) -> float:
    return _TOP + (1 - value / top) * (_HEIGHT - _TOP - _BOTTOM)


def _element(title: str, height: int, drawn: str) -> str:
    return f'<svg role="img" viewBox="0 0 {_WIDTH} {height}" aria-label="{escape(visible(title))}">{drawn}</svg>'
