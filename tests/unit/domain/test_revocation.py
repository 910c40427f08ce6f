"""How many licenses may be revoked now, and when does the next slot open?"""

from decimal import Decimal

import pytest

from calward.domain.revocation import allowance
from tests.support.clocks import DAY, NOW

FIFTH = Decimal("0.20")


@pytest.mark.parametrize(
    ("installed", "limit"), [(0, 1), (1, 1), (4, 1), (9, 1), (10, 2), (14, 2), (15, 3), (100, 20), (200, 40)]
)
def test_a_fifth_of_the_cals_may_be_revoked_rounded_down_and_at_least_one(installed, limit):
    assert allowance(installed, FIFTH, [], NOW).limit == limit


def test_a_share_is_exact_where_a_binary_fraction_would_not_be():
    assert allowance(100, Decimal("0.29"), [], NOW).limit == 29


def test_a_slot_comes_back_when_the_revoked_license_would_have_expired():
    until = [NOW + 9 * DAY, NOW + 3 * DAY]
    full = allowance(10, FIFTH, until, NOW)
    assert (full.used, full.remaining, full.next_at) == (2, 0, NOW + 3 * DAY)
    later = allowance(10, FIFTH, until, NOW + 3 * DAY)
    assert (later.used, later.remaining, later.next_at) == (1, 1, NOW + 9 * DAY)


def test_there_is_nothing_to_wait_for_where_nothing_was_revoked():
    assert allowance(10, FIFTH, [NOW], NOW).next_at is None


def test_the_next_slot_opens_only_when_the_revoked_ones_are_fewer_than_the_limit():
    left = allowance(5, FIFTH, [NOW + DAY, NOW + 2 * DAY, NOW + 3 * DAY], NOW)
    assert (left.limit, left.used, left.remaining) == (1, 3, 0)
    assert left.next_at == NOW + 3 * DAY
