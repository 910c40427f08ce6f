"""Does a table fit its terminal without a value that is cut short unseen?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.text import Text

from calward.entrypoints.cli.common import output
from calward.entrypoints.cli.common.layout import Texts, broken, hanging, widths
from calward.entrypoints.cli.common.output import Column, Fit

WORDS = st.text("ab-é漢", min_size=1, max_size=12)
LINES = st.lists(WORDS, max_size=5).map(" ".join)
COLUMNS = st.lists(
    st.builds(Texts, LINES, st.lists(LINES, min_size=2, max_size=2), st.booleans()), min_size=1, max_size=5
)


@given(COLUMNS, st.integers(1, 120), st.sampled_from([9, 12, 24]), st.booleans())
def test_columns_that_fit_fit_and_only_those_that_fold_are_narrower_than_their_values(columns, room, least, breaks):
    found = widths(columns, room, least, headings_break=breaks)
    if found is None:
        return
    assert sum(found) <= room
    for column, width in zip(columns, found, strict=True):
        longest = max(map(cell_len, column.values))
        assert width >= (min(longest, least) if column.folds else longest)
        assert width >= max(map(cell_len, column.title.split() if breaks else [column.title]), default=0)


@given(COLUMNS, st.sampled_from([9, 12, 24]))
def test_with_room_enough_every_column_is_as_wide_as_it_wants(columns, least):
    wanted = [max(map(cell_len, [column.title, *column.values])) for column in columns]
    assert widths(columns, sum(wanted), least, headings_break=True) == wanted


@given(st.lists(st.text("abc-", min_size=1, max_size=30), min_size=1, max_size=5).map(" ".join), st.integers(1, 40))
def test_a_broken_text_has_all_its_letters_in_lines_that_fit(text, width):
    lines = broken(text, width).split("\n")
    assert all(len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("pack of 2022/per-device ends", ["pack of", "2022/per-device", "ends"]),
        ("temporary-license-expired", ["temporary-", "license-expired"]),
        ("0123456789abcdef0123456789", ["0123456789abcde", "f0123456789"]),
    ],
)
def test_a_text_breaks_between_words_then_at_hyphens_then_anywhere(text, lines):
    assert broken(text, 15).split("\n") == lines


def test_a_long_fact_goes_on_below_itself_and_its_words_stay_whole():
    assert hanging("grace_days 120, low_share 0.10", 22, 4).split("\n") == ["grace_days 120,", "    low_share 0.10"]
    assert hanging("f641fc0e663b015a", 12, 4) == "f641fc0e663b015a"


@pytest.fixture
def shown(monkeypatch, capsys):
    """A table as a terminal of so many columns shows it, line by line."""

    def show(columns, rows, width):
        monkeypatch.setenv("TTY_COMPATIBLE", "1")
        monkeypatch.setenv("COLUMNS", str(width))
        output.table(columns, rows)
        return [line.rstrip() for line in Text.from_ansi(capsys.readouterr().out).plain.splitlines()]

    return show


PACK = {
    "id": "f641fc0e663b015a8a927649af47b857",
    "version": "2008/2008R2",
    "why": "no CAL is free",
    "at": "2026-11-24T08:00:00Z",
}
FOUR = (
    Column("pack", "id", Fit.CUT),
    Column("of version", "version"),
    Column("why", "why", Fit.FOLDED),
    Column("at", "at"),
)


def test_a_wide_terminal_shows_everything(shown):
    assert shown(FOUR, [PACK], 130)[2].split("  ")[0] == PACK["id"]


def test_ids_are_cut_before_headings_break(shown):
    assert shown(FOUR, [PACK], 60) == [
        "pack        of version   why             at",
        "─" * 52,
        "f641fc0e6…  2008/2008R2  no CAL is free  2026-11-24",
    ]


def test_a_narrow_one_breaks_texts_and_headings(shown):
    lines = shown(FOUR, [PACK], 45)
    assert [line.split() for line in lines if "2008" in line] == [
        ["f641fc…", "2008/2008R2", "no", "CAL", "is", "2026-11-24"]
    ]
    assert all(len(line) <= 45 for line in lines)


def test_where_nothing_fits_each_value_has_a_line_and_is_whole(shown):
    assert shown(FOUR, [PACK, PACK], 20)[:5] == [
        f"pack        {PACK['id']}",
        "of version  2008/2008R2",
        "why         no CAL is free",
        "at          2026-11-24",
        "",
    ]
