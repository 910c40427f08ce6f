"""Does a shelf answer alike whatever it was asked before?"""

from hypothesis import given
from hypothesis import strategies as st

from calward.domain.key_packs import Shelf
from tests.support.builders import DEVICE, USER, a_key_pack

ROWS = st.tuples(
    st.sampled_from(["2003", "2008", "2008R2", "2016"]),
    st.sampled_from([DEVICE, USER]),
    st.integers(1, 9),
    st.integers(0, 20),
)
QUESTIONS = st.lists(
    st.tuples(st.sampled_from([DEVICE, USER]), st.integers(0, 5), st.integers(0, 25)), min_size=1, max_size=12
)


def shelf_of(rows):
    return Shelf.of(
        a_key_pack(version, type_, total=total, row=row, expires_at=end)
        for row, (version, type_, total, end) in enumerate(rows, start=1)
    )


@given(st.lists(ROWS, max_size=8), QUESTIONS)
def test_a_shelf_that_was_used_answers_like_a_new_one(rows, questions):
    used = shelf_of(rows)
    for type_, family, now in questions:
        fresh = shelf_of(rows)
        assert used.same_family(type_, family, now) == fresh.same_family(type_, family, now)
        assert used.higher_families(type_, family, now) == fresh.higher_families(type_, family, now)


@given(st.lists(ROWS, max_size=8), QUESTIONS)
def test_every_unexpired_pack_of_the_type_is_either_same_newer_or_older(rows, questions):
    shelf = shelf_of(rows)
    for type_, family, now in questions:
        parts = (shelf.same_family, shelf.higher_families, shelf.older_families)
        found = [pack for part in parts for pack in part(type_, family, now)]
        assert sorted(pack.row for pack in found) == sorted(
            pack.row for pack in shelf.packs if pack.type is type_ and pack.expires_at > now
        )
