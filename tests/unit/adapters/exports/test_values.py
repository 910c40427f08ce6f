"""What stands in a cell?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.adapters.exports.values import ENDLESS, count, number, shown, text


def outcome(read, value):
    try:
        found = read(value)
    except ValueError as error:
        return str(error)[:5]
    return "none" if found is None else "a number" if isinstance(found, int) else repr(found)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("250", 250),
        (" 250 ", 250),
        (250, 250),
        (250.0, 250),
        ("250.0", 250),
        ("0x10", 16),
        ("", None),
        ("-", None),
        (None, None),
        (True, 1),
    ],
)
def test_numbers(written, wanted):
    assert number(written) == wanted


@pytest.mark.parametrize("written", ["-1", -1, "4294967295", 4294967295, 4294967295.0, "0xFFFFFFFF", "Unlimited"])
def test_counts_without_an_end(written):
    assert count(written) == ENDLESS


@pytest.mark.parametrize(
    "written",
    ["x", "1.5", 1.5, "1,000", "2.000", "-2", -2, 4294967296, "9" * 30, float("nan"), float("inf"), [1], {"a": 1}, "²"],
)
def test_what_is_no_count(written):
    with pytest.raises(ValueError, match="is no"):
        count(written)


@given(ANYTHING)
def test_anything_is_a_text_a_number_or_no_number(value):
    assert isinstance(text(value), str)
    assert len(text(value)) <= 1024
    assert shown(value).isprintable()
    assert len(shown(value)) <= 41
    for read in (number, count):
        assert outcome(read, value) in {"none", "a number", "is no"}
