"""Sessions that open and close on a host: bound, confirmed, forgotten; never in anybody's way."""

from dataclasses import replace
from datetime import timedelta

from calward.app.sessionhost.close_session import CloseSession, close_session
from calward.app.sessionhost.open_session import OpenSession, open_session
from calward.app.sessionhost.ports import BoundSession, HostPolicy, Memory
from calward.domain.cals import CalType
from tests.support.session_host import NOW, FakeServer, MemoryInMemory, a_held_license, trouble

FRESH = Memory(policy=HostPolicy("2022", "per-user", 60, NOW))


def opened(memory: MemoryInMemory, *servers: FakeServer, line: str = ":10", seconds: float = 2, **changes) -> list[str]:
    complaints: list[str] = []
    command = replace(OpenSession("alice", line, NOW), **changes)
    open_session(command, servers=servers, memory=memory, time_left=lambda: seconds, complain=complaints.append)
    return complaints


def holding(**changes) -> MemoryInMemory:
    memory = MemoryInMemory(FRESH)
    memory.users["alice"] = Memory(last=a_held_license(**changes))
    return memory


def test_an_open_session_is_bound_to_the_license_in_hand():
    memory = holding()
    opened(memory, FakeServer())
    assert memory.of("alice").sessions == (BoundSession(":10", NOW, "L1"),)


def test_a_session_without_a_license_is_bound_all_the_same():
    memory = MemoryInMemory(FRESH)
    opened(memory)
    assert memory.of("alice").sessions == (BoundSession(":10", NOW, None),)


def test_a_new_session_on_a_line_replaces_one_that_never_said_it_closed():
    memory = holding()
    opened(memory)
    opened(memory, now=NOW + timedelta(hours=1))
    assert [session.opened_at for session in memory.of("alice").sessions] == [NOW + timedelta(hours=1)]


def test_sessions_left_behind_do_not_pile_up_for_ever():
    memory = holding()
    for number in range(100):
        opened(memory, line=f":{number}")
    assert [session.line for session in memory.of("alice").sessions][-1] == ":99"
    assert len(memory.of("alice").sessions) == 64


def test_a_per_user_license_needs_no_confirmation():
    server = FakeServer()
    opened(holding(), server)
    assert server.confirmed == []


def test_a_per_device_license_is_confirmed_at_the_server_that_gave_it():
    one, two = FakeServer(name="one"), FakeServer(name="two")
    opened(holding(type=CalType.PER_DEVICE, server="two"), one, two)
    assert (one.confirmed, two.confirmed) == ([], ["L1"])


def test_a_confirmation_that_fails_or_has_no_server_is_no_obstacle():
    server = FakeServer()
    server.refuses_to_confirm = True
    assert opened(holding(type=CalType.PER_DEVICE), server) == ["license server one is conflict"]
    assert opened(holding(type=CalType.PER_DEVICE, server=None), server) == []


def test_the_host_hears_its_policy_at_its_first_logon_and_again_after_an_hour():
    memory = MemoryInMemory()
    opened(memory, FakeServer(grace_days=30))
    assert memory.host.policy.grace_days == 30
    opened(memory, FakeServer(grace_days=60), now=NOW + timedelta(minutes=59))
    assert memory.host.policy.grace_days == 30
    opened(memory, FakeServer(grace_days=60), now=NOW + timedelta(minutes=60))
    assert memory.host.policy.grace_days == 60


def test_the_policy_comes_from_the_first_server_that_answers():
    memory = MemoryInMemory()
    complaints = opened(memory, FakeServer(grace_days=trouble()), FakeServer(name="two", grace_days=9))
    assert memory.host.policy.grace_days == 9
    assert complaints == ["license server one is unreachable"]


def test_without_an_answer_the_old_policy_stays():
    memory = MemoryInMemory(FRESH)
    opened(memory, FakeServer(grace_days=trouble()), now=NOW + timedelta(days=1))
    assert memory.host.policy == FRESH.policy


def test_a_closed_session_is_forgotten_and_its_license_kept():
    memory = holding()
    opened(memory)
    opened(memory, line=":11")
    close_session(CloseSession("alice", ":10"), memory=memory)
    assert [session.line for session in memory.of("alice").sessions] == [":11"]
    assert memory.of("alice").last is not None
