"""Is the text of an event canonical, whatever stands in it?"""

import json

from hypothesis import given
from hypothesis import strategies as st

from calward.domain import canonical
from calward.domain.events import encode_event, read_event

VALUES = st.recursive(
    st.integers() | st.text(st.characters(exclude_categories=["Cs"]), max_size=9) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=6,
)
EVENTS = st.dictionaries(st.text("abcdefg_", min_size=1, max_size=6), VALUES, max_size=6)


@given(EVENTS)
def test_an_event_is_read_as_it_was_written_and_written_again_alike(event):
    text = encode_event(event)
    assert read_event(text) == event
    assert encode_event(dict(reversed(event.items()))) == text


@given(EVENTS)
def test_its_bytes_are_the_canonical_form_of_all_our_files(event):
    assert encode_event(event).encode() == canonical.encode(event)
    assert json.loads(encode_event(event)) == event
