"""Can each form be read by a program of others, does it hold every row, and do names in it stay names?"""

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from datetime import datetime
from html.parser import HTMLParser

import openpyxl
import pytest

from calward.adapters.exports.writing.harmless import for_spreadsheet
from calward.adapters.exports.writing.html_page import html_text
from calward.adapters.exports.writing.saving import save_pieces, save_workbook
from calward.adapters.exports.writing.svg import draw
from calward.adapters.exports.writing.tables_text import csv_text, json_text
from calward.domain.errors import LicensingError, Problem
from calward.insight.reports.compliance import compliance
from calward.insight.reports.history import history, look
from calward.insight.reports.report import Chart, Line
from calward.insight.reports.usage import usage
from tests.support.reports import NOW, held, pack, snapshot

EVIL = [
    "=cmd|'/c calc'!A0",
    "+1",
    "-2",
    "@SUM(A1)",
    "\t=1",
    " =1",
    "\uff1d1",
    "<script>alert(1)</script>",
    'a"b,c',
    "x\ny",
    "\u202egnp",
]


def evil():
    return usage(snapshot(*(held(number, device=name) for number, name in enumerate(EVIL))))


def read_csv(pieces):
    return list(csv.reader(io.StringIO("".join(pieces), newline="")))


def test_csv_has_its_head_its_names_and_every_row_of_the_same_length():
    lines = read_csv(csv_text(evil()))
    head = [line[0] for line in lines if line[0].startswith("#")]
    assert "# filter: none: all rows" in head
    assert "# estate: berlin" in head
    rest = lines[len(head) :]
    assert rest[0][:2] == ["license", "server"]
    assert len(rest) == 1 + len(EVIL)
    assert {len(line) for line in rest} == {len(rest[0])}


def test_bare_csv_begins_with_the_names_of_columns_and_its_lines_end_as_they_should():
    text = "".join(csv_text(evil(), bare=True))
    assert text.startswith("license,server,")
    assert text.endswith("\r\n")


def test_no_cell_of_csv_begins_a_formula():
    lines = read_csv(csv_text(evil(), bare=True))
    assert not [cell for line in lines for cell in line if re.match(r"\s*[=+\-@\uff1d\t]", cell)]
    assert {line[6].removeprefix("'") for line in lines[1:]} == set(EVIL)


@pytest.mark.parametrize("name", ["WS-1", "a=b", "CORP\\anna", "", "1-2"])
def test_an_ordinary_name_stays_as_it_is(name):
    assert for_spreadsheet(name) == name


def test_json_is_one_object_with_all_rows():
    found = json.loads("".join(json_text(evil())))
    assert [row["device"] for row in found["rows"]] == EVIL
    assert found["rows"][0]["issued_at"] == "2024-09-24T00:00:00Z"
    assert found["facts"]["filter"] == "none: all rows"
    assert json.loads("".join(json_text(usage(snapshot()))))["rows"] == []


def test_a_workbook_holds_texts_as_texts_numbers_as_numbers_and_times_as_times(tmp_path):
    path = tmp_path / "usage.xlsx"
    save_workbook(path, evil())
    book = openpyxl.load_workbook(path)
    rows = list(book["usage"].iter_rows())
    assert len(rows) == 1 + len(EVIL)
    assert [row[6].data_type for row in rows[1:]] == ["s"] * len(EVIL)
    assert rows[1][6].value == EVIL[0]
    assert rows[1][9].value == datetime(2024, 9, 24)  # noqa: DTZ001 - a spreadsheet's dates know no zone.
    assert ("filter", "none: all rows") in [tuple(cell.value for cell in row) for row in book["About"].iter_rows()]


def test_a_workbook_shows_counts_that_can_be_added_up(tmp_path):
    path = tmp_path / "c.xlsx"
    save_workbook(path, compliance(snapshot(pack(total=5, issued=7), pack("2", "2022", None))))
    sheet = openpyxl.load_workbook(path)["compliance"]
    values = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert (sheet.freeze_panes, sheet.auto_filter.ref) == ("A2", "A1:I3")
    assert values[1][2] == "unlimited"
    assert values[2][2:5] == [5, 7, 2]


def test_what_a_sheet_cannot_hold_goes_on_in_another(tmp_path, monkeypatch):
    monkeypatch.setattr("calward.adapters.exports.writing.xlsx_file._ROWS", 4)
    path = tmp_path / "u.xlsx"
    save_workbook(path, evil())
    book = openpyxl.load_workbook(path)
    assert book.sheetnames == ["About", "usage", "usage 2", "usage 3"]
    assert sum(book[name].max_row - 1 for name in book.sheetnames[1:]) == len(EVIL)


class Page(HTMLParser):
    """The elements of a page, and its text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.words = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.words.append(data)


def test_a_page_has_every_row_and_nothing_that_runs_or_loads():
    text = "".join(html_text(evil()))
    page = Page(text)
    assert page.tags.count("tr") == 1 + len(EVIL)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [value for name, value in page.attributes if name in {"src", "href"} or name.startswith("on")]
    assert "url(" not in text
    assert "default-src 'none'" in text
    assert "<script>alert(1)</script>" in page.words
    assert "\u202e" not in text


def test_what_a_page_lets_scroll_can_be_reached_by_the_keyboard_and_has_a_name():
    text = "".join(html_text(compliance(snapshot(pack(total=5, issued=7)))))
    scrolled = re.findall(r'<div class="(\w+)" role="region" aria-label="([^"]+)" tabindex="0">', text)
    assert scrolled == [("drawn", "CALs held and used"), ("table", "Rows")]


def test_a_page_marks_over_use_and_draws_it():
    text = "".join(html_text(compliance(snapshot(pack(total=5, issued=7)))))
    assert 'class="text short over">over-used' in text
    assert 'class="part-over-used"' in text
    assert 'role="img"' in text


def test_a_picture_is_well_formed_whatever_its_names_are():
    charts = [*evil().charts, *compliance(snapshot(pack(total=None, issued=3), pack("2", "2016", 1, 9))).charts]
    charts += history(snapshot(pack()), [look(snapshot(pack(issued=number))) for number in (0, 7)]).charts
    charts.append(Chart("a<b&\u202e", lines=(Line("<i>", ((NOW, 0),)), Line("x", ((NOW, 3), (NOW + 9, 1))))))
    drawn = [draw(chart) for chart in charts]
    assert all(ET.fromstring(one).tag == "svg" for one in drawn if one)
    assert len([one for one in drawn if one]) >= 3


def test_bars_are_as_long_as_their_numbers_say():
    (chart,) = compliance(snapshot(pack(total=10, issued=4), pack("2", "2016", 5, 5))).charts
    widths = [float(one) for one in re.findall(r'<rect [^>]* width="([\d.]+)"', draw(chart))]
    assert widths[0] / widths[1] == pytest.approx(4 / 6, rel=0.01)
    assert widths[2] / widths[0] == pytest.approx(5 / 4, rel=0.01)


def test_a_file_is_whole_or_not_there_and_an_earlier_one_stays(tmp_path):
    path = tmp_path / "r.csv"
    path.write_text("before")

    def broken():
        yield "half"
        raise OSError(28, "No space left on device")

    with pytest.raises(LicensingError) as caught:
        save_pieces(path, broken())
    assert caught.value.problem is Problem.UNAVAILABLE
    assert [one.name for one in tmp_path.iterdir()] == ["r.csv"]
    assert path.read_text() == "before"


def test_a_workbook_that_cannot_be_written_is_an_error_that_names_it(tmp_path):
    with pytest.raises(LicensingError, match=r"no.r\.xlsx"):
        save_workbook(tmp_path / "no" / "r.xlsx", evil())


def test_a_long_report_is_never_held_as_a_whole():
    pieces = list(csv_text(usage(snapshot(*(held(number) for number in range(20_000))))))
    assert len(pieces) > 10
    assert max(map(len, pieces)) < 200_000
