"""Does the announced moment really open a slot, and none before?"""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from calward.domain.revocation import allowance

SHARES = st.decimals(0, 1, places=3)


@given(st.integers(0, 500), SHARES, st.lists(st.integers(1, 60), max_size=40))
def test_a_slot_opens_at_the_announced_moment_and_not_a_second_earlier(installed, share, until):
    left = allowance(installed, share, until, 0)
    assert (left.next_at is None) == (not until)
    if left.next_at is not None:
        assert allowance(installed, share, until, left.next_at).remaining > left.remaining
        assert allowance(installed, share, until, left.next_at - 1).remaining == left.remaining


@given(st.integers(0, 500), SHARES, st.lists(st.integers(1, 60), max_size=40))
def test_never_more_than_the_share_and_one_is_always_possible(installed, share, until):
    left = allowance(installed, share, until, 0)
    assert 1 <= left.limit <= max(1, installed)
    assert left.limit <= max(Decimal(1), installed * share)
    assert 0 <= left.remaining <= left.limit
