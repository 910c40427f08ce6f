"""A logon at a session host: who is asked, what is remembered, what decides."""

from dataclasses import replace
from datetime import timedelta

import pytest

from calward.app.sessionhost.check_account import CheckAccount, check_account
from calward.app.sessionhost.ports import HostPolicy, Memory
from calward.domain.errors import Problem
from calward.domain.grace import Admission, GraceState, HostOutcome
from calward.domain.reasons import Reason
from tests.support.session_host import (
    GRANTED,
    NONE_FREE,
    NOW,
    FakeServer,
    MemoryInMemory,
    a_held_license,
    trouble,
)

PAST_GRACE = Memory(grace=GraceState(NOW - timedelta(days=1), NOW - timedelta(days=1), observed_at=NOW))


class Host:
    """One host with a memory, a watch and an administrator who hears complaints."""

    def __init__(self, *servers: FakeServer, memory: Memory | None = None, seconds: float = 2):
        self.servers = servers
        self.memory = MemoryInMemory(memory)
        self.seconds = seconds
        self.complaints: list[str] = []

    def logon(self, user: str = "alice", **changes) -> Admission:
        command = replace(CheckAccount(user, NOW, "id-1"), **changes)
        return check_account(
            command,
            servers=self.servers,
            memory=self.memory,
            time_left=lambda: self.seconds,
            complain=self.complaints.append,
        )


def test_a_user_with_a_license_gets_in_and_the_host_remembers_it():
    host = Host(FakeServer(GRANTED))
    assert host.logon().outcome is HostOutcome.GRANTED
    assert host.memory.of("alice").last == GRANTED.license
    assert host.memory.host.grace.first_full == NOW


def test_what_is_remembered_decides_while_no_server_answers_and_for_that_user_only():
    host = Host(FakeServer(GRANTED, trouble()), memory=PAST_GRACE)
    host.logon()
    assert host.logon(grace_days=0).outcome is HostOutcome.GRANTED
    assert host.logon("bob", grace_days=0).outcome is HostOutcome.REFUSED


def test_an_outage_does_not_make_the_host_forget_its_users():
    host = Host(FakeServer(GRANTED, trouble()))
    for _ in range(3):
        assert host.logon(grace_days=0).outcome is HostOutcome.GRANTED


def test_a_refusal_takes_back_the_license_in_hand():
    host = Host(FakeServer(GRANTED, NONE_FREE, trouble()), memory=PAST_GRACE)
    host.logon(grace_days=0)
    assert host.logon(grace_days=0).outcome is HostOutcome.REFUSED
    assert host.logon(grace_days=0).outcome is HostOutcome.REFUSED


def test_an_administrator_asks_nobody_and_leaves_no_trace():
    host = Host(FakeServer(NONE_FREE))
    assert host.logon("root", admin=True).outcome is HostOutcome.GRANTED
    assert host.servers[0].asked == []
    assert host.memory.host == Memory()


def test_without_servers_the_grace_period_decides():
    assert Host().logon().reasons == ("no-license-server",)


@pytest.mark.parametrize("problem", [Problem.UNAUTHORIZED, Problem.FORBIDDEN])
def test_a_server_that_does_not_know_the_host_has_answered(problem):
    host = Host(FakeServer(trouble(problem)), memory=PAST_GRACE)
    admission = host.logon()
    assert admission.outcome is HostOutcome.REFUSED
    assert admission.reasons == ("host-not-authorized", "grace-expired")
    assert admission.state.answering


@pytest.mark.parametrize("problem", [Problem.UNREACHABLE, Problem.MALFORMED, Problem.CONFLICT, Problem.NOT_FOUND])
def test_an_answer_that_cannot_be_used_is_no_answer_and_the_administrator_hears_of_it(problem):
    host = Host(FakeServer(trouble(problem)))
    assert host.logon().reasons == ("no-license-server",)
    assert host.complaints == [f"license server one is {problem}"]


def test_a_server_that_could_not_say_is_asked_once_more_under_the_same_id():
    host = Host(FakeServer(trouble(Problem.UNAVAILABLE), GRANTED))
    assert host.logon().outcome is HostOutcome.GRANTED
    assert [request_id for _, request_id, _ in host.servers[0].asked] == ["id-1", "id-1"]


def test_a_server_that_never_can_say_does_not_answer():
    host = Host(FakeServer(trouble(Problem.UNAVAILABLE)))
    assert host.logon().reasons == ("no-license-server",)
    assert len(host.servers[0].asked) == 2


def test_the_question_for_a_full_license_only_has_an_id_of_its_own():
    servers = FakeServer(NONE_FREE, GRANTED, name="one"), FakeServer(NONE_FREE, name="two")
    assert Host(*servers).logon().license == GRANTED.license
    assert servers[0].asked == [("alice", "id-1.full", True), ("alice", "id-1", False)]
    assert servers[1].asked == [("alice", "id-1.full", True)]


def test_the_time_is_shared_among_the_servers_not_yet_asked():
    servers = [FakeServer(trouble(), name=name) for name in ("one", "two", "three")]
    Host(*servers, seconds=1.5).logon()
    assert [server.seconds for server in servers] == [[0.5], [0.75], [1.5]]


def test_the_time_is_shared_anew_among_those_that_are_asked_once_more():
    names = ("one", "two", "three")
    servers = [FakeServer(NONE_FREE, trouble(), name=name) for name in names[:2]] + [
        FakeServer(trouble(), name="three")
    ]
    Host(*servers, seconds=1.5).logon()
    assert [server.seconds for server in servers] == [[0.5, 0.75], [0.75, 1.5], [1.5]]


def test_nobody_is_asked_when_the_time_is_up():
    host = Host(FakeServer(GRANTED), seconds=0)
    assert host.logon().reasons == ("no-license-server",)
    assert host.complaints == ["no time was left to ask license server one"]


@pytest.mark.parametrize(("own", "said", "days"), [(7, 30, 7), (None, 30, 30), (None, None, 120), (0, 30, None)])
def test_the_hosts_own_grace_days_win_then_the_servers_then_the_usual(own, said, days):
    policy = HostPolicy("2022", "per-user", said, NOW) if said else None
    host = Host(memory=Memory(policy=policy))
    assert host.logon(grace_days=own).days_left_in_grace == days


def test_a_license_that_ended_in_the_meantime_opens_nothing():
    host = Host(FakeServer(trouble()), memory=PAST_GRACE)
    host.memory.users["alice"] = Memory(last=a_held_license(expires_at=NOW))
    assert host.logon(grace_days=0).outcome is HostOutcome.REFUSED


@pytest.mark.parametrize("name", ["", " alice", "a\nb", "a" * 256, "a\u202eb"])
def test_a_name_that_no_server_takes_is_an_answer_and_no_outage(name):
    server = FakeServer(GRANTED)
    host = Host(server)
    found = host.logon(name)
    assert (found.outcome, found.reasons) == (HostOutcome.REFUSED, (Reason.USER_NAME_NOT_TAKEN,))
    assert host.memory.host == Host().memory.host
    assert host.complaints == []


def test_an_administrator_needs_no_name_that_a_server_takes():
    assert Host().logon("root\n", admin=True).outcome is not HostOutcome.REFUSED
