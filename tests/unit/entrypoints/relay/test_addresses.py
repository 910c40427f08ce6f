"""Is each connection known by an address of its own, and are clients counted by the network that is theirs?"""

from contextlib import ExitStack

import pytest

from calward.entrypoints.relay.addresses import LoopbackAddresses, crowd_of


def test_no_address_is_given_twice_at_a_time():
    addresses = LoopbackAddresses(7)
    with ExitStack() as stack:
        given = [stack.enter_context(addresses.one()) for _ in range(1000)]
    assert len(set(given)) == 1000


def test_an_address_in_use_is_passed_over_when_the_count_comes_round():
    addresses = LoopbackAddresses(0)
    with addresses.one() as first:
        addresses._next = 0
        with addresses.one() as second:
            assert first != second


@pytest.mark.parametrize(
    ("peer", "crowd"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", ""),
    ],
)
def test_who_has_a_network_of_addresses_is_one_crowd(peer, crowd):
    assert crowd_of(peer) == crowd
