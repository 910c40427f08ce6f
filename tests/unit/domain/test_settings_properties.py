"""Does anything at all that a file or a request can hold give settings or one clear error?"""

from dataclasses import fields

from hypothesis import given
from hypothesis import strategies as st

from calward.domain.settings import Settings, changed
from tests.support.signed import value_or_malformed

KEYS = st.sampled_from([field.name for field in fields(Settings)]) | st.text(max_size=5)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner))


@given(st.dictionaries(KEYS, VALUES, max_size=3))
def test_any_values_give_settings_or_the_error_that_they_are_malformed(values):
    found = value_or_malformed(changed, Settings(), values)
    assert found is None or set(values) <= {field.name for field in fields(Settings)}


@given(st.integers(1, 36_500), st.integers(1, 36_500))
def test_the_shortest_life_is_never_longer_than_the_longest(shortest, longest):
    found = value_or_malformed(changed, Settings(), {"full_days_min": shortest, "full_days_max": longest})
    assert (found is not None) == (shortest <= longest)
