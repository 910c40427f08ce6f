"""Are changes added up rightly at every moment? Against counting one by one."""

from hypothesis import given
from hypothesis import strategies as st

from calward.insight.counting import counts_at

CHANGES = st.lists(st.tuples(st.sampled_from("ab"), st.integers(-5, 40), st.integers(-3, 3)))


@given(CHANGES, st.lists(st.integers(-8, 45), unique=True).map(sorted))
def test_each_moment_has_the_sum_of_all_changes_up_to_it(changes, moments):
    found = counts_at(changes, moments)
    assert set(found) == {key for key, _, _ in changes}
    for key, numbers in found.items():
        assert list(numbers) == [sum(n for k, at, n in changes if k == key and at <= moment) for moment in moments]
