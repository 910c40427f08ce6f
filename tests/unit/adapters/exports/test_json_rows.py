"""Does what ConvertTo-Json writes become rows, in pieces, and is everything that is none told?"""

import contextlib
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.adapters.exports import json_rows
from calward.adapters.exports.json_rows import looks_like_json, read_json
from calward.adapters.exports.wmi import Kind
from calward.domain.errors import LicensingError
from tests.support.exports import a_pack, an_issued


def all_of(content):
    return list(read_json(io.StringIO(content), "x.json"))


def ids(content):
    return [one[2]["KeyPackId"] for one in all_of(content) if len(one) == 3]


def troubles(content):
    return [one for one in all_of(content) if len(one) == 2]


THREE = [a_pack(KeyPackId=number) for number in (1, 2, 3)]


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(THREE),
        json.dumps(THREE, indent=4),
        "\ufeff" + json.dumps(THREE),
        "\r\n" + json.dumps(THREE),
        "\n".join(json.dumps(one) for one in THREE),
        json.dumps({"value": THREE, "Count": 3}),
        json.dumps({"value": THREE, "Count": 3}, indent=4),
        json.dumps([[THREE[0]], THREE[1:]]),
    ],
)
def test_arrays_lines_and_wrappers(content):
    assert looks_like_json(content)
    assert ids(content) == [1, 2, 3]
    assert troubles(content) == []


def test_one_row_is_an_object():
    ((line, shape, cells),) = all_of(json.dumps(a_pack(), indent=2))
    assert (line, shape.kind, cells["TotalLicenses"]) == (1, Kind.PACKS, 250)


def test_kinds_may_be_mixed_and_know_their_lines():
    content = json.dumps([a_pack(), an_issued()], indent=0)
    assert [(line, shape.kind) for line, shape, _ in all_of(content)] == [(2, Kind.PACKS), (13, Kind.ISSUED)]


def test_what_powershell_knows_beside_the_properties_does_not_matter():
    more = {"CimClass": {"CimClassName": "x", "deep": [{"a": {"b": []}}]}, "CimInstanceProperties": ["a = 1"] * 50}
    assert ids(json.dumps([a_pack(**more)])) == [3]


def test_an_object_that_is_no_row_is_told_and_the_next_one_read():
    content = json.dumps([{"Name": "x", "Size": 1}, a_pack(), 7, "text", a_pack(KeyPackId=4)])
    assert ids(content) == [3, 4]
    assert [reason.partition(":")[0] for _, reason in troubles(content)] == [
        "is an object of no kind that is known here",
        "'7, \"text\", ' is no object",
    ]


def test_an_object_that_is_cut_off_is_told():
    content = json.dumps(THREE, indent=1)
    assert ids(content[:-30]) == [1, 2]
    assert troubles(content[:-30])[0][1].startswith("an object is no JSON")


def test_a_broken_object_costs_no_other():
    content = json.dumps(THREE).replace('"KeyPackId": 2', '"KeyPackId": oops')
    assert ids(content) == [1, 3]
    assert len(troubles(content)) == 1


@pytest.mark.parametrize("piece", [1, 7, 100, 10_000])
def test_pieces_may_end_anywhere(monkeypatch, piece):
    monkeypatch.setattr(json_rows, "_CHUNK", piece)
    content = json.dumps(
        [a_pack(ProductVersion='Größe \u20ac \\ " {[', KeyPackId=n) for n in range(5)], ensure_ascii=True, indent=1
    )
    assert ids(content) == [0, 1, 2, 3, 4]
    assert troubles(content) == []


def test_an_object_that_is_too_large_is_left_out(monkeypatch):
    monkeypatch.setattr(json_rows, "LARGEST", 5000)
    monkeypatch.setattr(json_rows, "_CHUNK", 1000)
    content = json.dumps([a_pack(More="x" * 10_000), a_pack(KeyPackId=9)])
    assert ids(content) == [9]
    assert "larger than any export's object" in troubles(content)[0][1]


def test_what_is_broken_throughout_is_given_up_and_told():
    found = troubles(json.dumps([a_pack()]) + "{" * 500_000)
    assert len(found) == 1001
    assert found[-1][1] == "1000 objects in a row are broken: the rest of the file is not read"


def test_depth_is_no_danger():
    content = json.dumps([a_pack()]) + '{"a":' * 100_000 + "1"
    assert ids(content) == [3]
    assert troubles(content)


@pytest.mark.parametrize(
    "content",
    [
        "[]",
        "{}",
        '{"a": 1}',
        "[[[[",
        '["x"]',
        "{",
        '[{"Name": "x"}]',
        "[" * 100_000,
        '{"KeyPackId": ' + "9" * 5000 + "}",
    ],
)
def test_json_of_another_kind_is_refused_with_what_was_seen(content):
    with pytest.raises(LicensingError, match="is JSON, but"):
        all_of(content)


@given(st.text(alphabet='{}[]":,\\ntrue0123 KeyPackIdTotalLicenses', max_size=200))
def test_anything_is_rows_troubles_or_refused(content):
    with contextlib.suppress(LicensingError):
        assert all_of("{" + content)
