"""Is a result held against what was expected of it, and is a difference said plainly?"""

import pytest

from calward.app.scenarios.expectations import Between, mismatches

DAY = 86_400


@pytest.mark.parametrize(
    ("wanted", "got", "holds"),
    [
        ("granted", "granted", True),
        ("granted", "refused", False),
        ("2003", None, False),
        (Between(52, 89), 52.0, True),
        (Between(52, 89), 89.0, True),
        (Between(52, 89), 89.1, False),
        (Between(90, 90), 90.0, True),
        (Between(1, None), 5, True),
        (Between(None, 1), 5, False),
        (Between(0, 9), None, False),
        (Between(DAY, DAY, is_time=True), "1970-01-02T00:00:00Z", True),
        (Between(DAY, None, is_time=True), "1970-01-01T00:00:00Z", False),
        (frozenset({"a"}), ["a", "b"], True),
        (frozenset({"a", "c"}), ["a", "b"], False),
        (frozenset({"a"}), [], False),
        (frozenset({"a"}), None, False),
    ],
)
def test_a_result_holds_or_not(wanted, got, holds):
    assert (not mismatches({"key": wanted}, {"key": got})) is holds


@pytest.mark.parametrize(
    ("wanted", "got", "said"),
    [
        ("granted", "refused", "expected key granted, got refused"),
        (Between(52, 89), 90.0, "expected key 52 to 89, got 90"),
        (Between(52, None), 1.23456789, "expected key at least 52, got 1.23457"),
        (Between(None, 2), None, "expected key at most 2, got none"),
        (Between(7, 7), 8, "expected key 7, got 8"),
        (Between(DAY, DAY, is_time=True), None, "expected key 1970-01-02T00:00:00Z, got none"),
        (frozenset({"b", "a"}), [], "expected key a and b, got none"),
        (frozenset({"a"}), ["c", "b"], "expected key a, got b and c"),
    ],
)
def test_a_difference_is_said_plainly(wanted, got, said):
    assert [str(x) for x in mismatches({"key": wanted}, {"key": got})] == [said]
