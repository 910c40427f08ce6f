"""Can any file do more harm than to be told or refused?"""

import json
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from calward.adapters.exports.columns import SHAPES
from calward.domain.errors import LicensingError
from calward.insight.estate import ImportProblem
from tests.support.exports import PACK, a_pack, an_issued, read, table

GOOD = (
    table(a_pack(), a_pack(KeyPackId=4)).encode(),
    table(an_issued(), an_issued(LicenseId=8), separator=";").encode("utf-16"),
    b"1\t3\tWS-1\tCORP\\anna\t1/2/2026\tActive\tA02-6.00-S\t3/3/2026\r\n",
    b'[{"KeyPackId": 3, "ProductType": 0, "TotalLicenses": 5, "IssuedLicenses": 1}]',
    b"name;version;mode;license servers\nh1;2019;per-user;ls1\n",
)


def held(content):
    """The outcome of reading these bytes; anything but a value or a refusal is a bug, and fails the test."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = read(Path(folder), content)
        except LicensingError as error:
            assert error.detail  # noqa: PT017 - a refusal says something.
            return None
    assert all(isinstance(one, ImportProblem) and one.reason for one in found.problems)
    return found


@given(st.binary(max_size=400))
def test_any_bytes(content):
    held(content)


@given(st.sampled_from(GOOD), st.binary(max_size=40), st.floats(0, 1), st.integers(0, 8))
def test_a_good_file_with_anything_in_it(good, more, where, cut):
    place = int(where * len(good))
    held(good[:place] + more + good[place + cut :])


@given(st.sampled_from(GOOD), st.floats(0, 1))
def test_a_file_that_is_cut_off(good, where):
    held(good[: int(where * len(good))])


NAMES = sorted({name for shape in SHAPES for name in shape.names.values()})
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["/Date(1)/", "-1", "2"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "DateTime", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=3), min_size=1, max_size=4))
def test_any_json_of_known_names(rows):
    held(json.dumps(rows).encode())


CELLS = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.sampled_from(["-1", "4294967295", "1/2/2026", "", "\x00", '"', ";"]),
)


@given(st.lists(st.tuples(*(CELLS for _ in PACK)), min_size=1, max_size=5))
def test_no_row_is_lost_without_a_word(cells):
    rows = [dict(zip(PACK, one, strict=True)) for one in cells]
    found = held(table(*rows).encode("utf-8", "replace"))
    if found:
        of_lines = {one.line for one in found.problems} | {one.line for one in found.packs}
        blank = sum(not any(value.strip() for value in row.values()) for row in rows)
        assert len(of_lines) + blank >= len(rows)
