"""Is the host's own licensing answered and kept from the client, and does all else pass?"""

import pytest

from calward.wire.errors import RemoteProtocolError
from calward.wire.relay import Phase, Splice, ToClient, ToHost
from tests.support.relay_in_memory import CANNED, GRANTED, connected, play, released
from tests.support.relayed import (
    DEMAND_ACTIVE,
    MESSAGES,
    USER,
    VALID,
    client_info,
    from_host,
    licensing,
    licensing_client,
    send,
)


def test_the_request_of_an_old_xrdp_is_answered_and_neither_it_nor_its_valid_reaches_the_client():
    relay = released()
    (answer,) = relay.from_host(from_host(licensing(CANNED)))
    assert answer.data[:7] == bytes.fromhex("0300") + len(answer.data).to_bytes(2, "big") + bytes.fromhex("02f080")
    assert answer.data[-20:-16] == bytes.fromhex("80000000")
    assert relay.from_host(from_host(licensing(VALID)) + from_host(DEMAND_ACTIVE)) == [
        ToClient(from_host(DEMAND_ACTIVE)),
        Splice(),
    ]


def test_the_immediate_valid_of_a_new_xrdp_is_swallowed():
    relay = released()
    assert relay.from_host(from_host(licensing(VALID, 0x280))) == [Splice()]
    assert relay.phase is Phase.SPLICED


def test_measurements_before_the_hosts_licensing_pass_both_ways():
    relay = released()
    measure = from_host(bytes.fromhex("0010000006000100"), MESSAGES)
    assert relay.from_host(measure) == [ToClient(measure)]
    answer = send(USER, MESSAGES, bytes.fromhex("0020000006000100"))
    assert relay.from_client(answer) == [ToHost(answer)]
    assert relay.from_host(from_host(licensing(VALID))) == [Splice()]


@pytest.mark.parametrize("packet", [from_host(DEMAND_ACTIVE), b"\x00\x04ab"], ids=["demand active", "fast path"])
def test_a_host_without_licensing_is_copied_at_once(packet):
    assert released().from_host(packet) == [ToClient(packet), Splice()]


def test_a_host_whose_own_licensing_refuses_ends_the_connection():
    with pytest.raises(RemoteProtocolError, match="refused"):
        released().from_host(from_host(licensing(bytes.fromhex("ff0310000600000001000000") + b"\x04\0\0\0")))


def test_what_a_host_sends_while_its_client_is_licensed_waits_until_that_is_let_through():
    relay, acts = connected()
    assert relay.from_host(from_host(licensing(VALID)) + from_host(DEMAND_ACTIVE)) == []
    play(relay, acts, licensing_client())
    assert relay.decided(GRANTED)[1:] == [ToHost(client_info()), ToClient(from_host(DEMAND_ACTIVE)), Splice()]
