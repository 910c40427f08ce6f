"""The helper alone: on a host licensed per device nothing is decided about users, and what is said is true."""

from datetime import timedelta

import pytest

from calward.app.sessionhost.check_account import CheckAccount
from calward.app.sessionhost.check_without_agent import check_without_agent
from calward.app.sessionhost.ports import HostPolicy, Memory
from calward.domain.grace import USED_UP, Admission, GraceState, HostOutcome
from calward.entrypoints.pam.texts import for_user
from tests.support.session_host import GRANTED, NONE_FREE, NOW, FakeServer, MemoryInMemory

NEW = GraceState()


class Host:
    def __init__(self, mode: str | None, grace: GraceState = USED_UP):
        self.heard = HostPolicy("2022", mode, 10, NOW) if mode else None
        self.memory = MemoryInMemory(Memory(grace=grace, policy=self.heard))
        self.complaints: list[str] = []

    def logon(self, server: FakeServer, *, admin: bool = False, anyway: bool = False) -> Admission:
        return check_without_agent(
            CheckAccount("alice", NOW, "R1", admin),
            self.heard,
            servers=[server],
            memory=self.memory,
            time_left=lambda: 2,
            complain=self.complaints.append,
            admit_anyway=anyway,
        )


def test_per_device_no_server_is_asked_about_the_user_who_reads_that_the_agent_is_silent():
    server = FakeServer(GRANTED)
    admission = Host("per-device").logon(server)
    assert (admission.outcome, admission.reasons) == (HostOutcome.REFUSED, ("agent-silent", "grace-expired"))
    assert server.asked == []
    assert "the agent of this host, which knows the devices, does not answer" in str(for_user(admission))


def test_per_device_the_hosts_grace_lets_in_and_is_booked():
    host = Host("per-device", NEW)
    admission = host.logon(FakeServer(NONE_FREE))
    assert (admission.outcome, admission.reasons) == (HostOutcome.GRACE, ("agent-silent",))
    assert admission.grace_left == timedelta(days=10)
    assert host.memory.host.grace.first_connection == NOW


def test_per_device_users_come_in_where_the_settings_say_so_and_the_administrator_hears_it():
    host = Host("per-device")
    admission = host.logon(FakeServer(NONE_FREE), anyway=True)
    assert admission.outcome is HostOutcome.GRANTED
    [said] = host.complaints
    assert "the agent, which knows the devices, does not answer" in said


@pytest.mark.parametrize("anyway", [False, True])
def test_per_user_the_users_license_counts(anyway):
    assert Host("per-user").logon(FakeServer(GRANTED), anyway=anyway).license == GRANTED.license
    assert Host("per-user").logon(FakeServer(NONE_FREE), anyway=anyway).outcome is HostOutcome.REFUSED


def test_a_host_that_has_heard_nothing_yet_asks_what_it_is_and_goes_by_that():
    assert Host(None).logon(FakeServer(GRANTED)).license == GRANTED.license


def test_an_administrator_needs_nothing():
    server = FakeServer(NONE_FREE)
    assert Host("per-device").logon(server, admin=True).outcome is HostOutcome.GRANTED
    assert server.asked == []


def test_a_mode_that_this_release_does_not_know_keeps_nobody_out():
    assert Host("per-seat").logon(FakeServer(NONE_FREE)).outcome is HostOutcome.GRANTED
