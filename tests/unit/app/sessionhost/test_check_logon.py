"""A user at a host whose agent knows their device: the mode says which of the two has to have a license."""

import pytest

from calward.app.sessionhost.check_account import CheckAccount
from calward.app.sessionhost.check_device import DeviceVerdict
from calward.app.sessionhost.check_logon import check_logon
from calward.app.sessionhost.joins import Joined
from calward.app.sessionhost.ports import HostPolicy, Memory
from calward.domain.cals import CalType
from calward.domain.grace import Admission, GraceState, HostOutcome
from tests.support.session_host import GRANTED, NONE_FREE, NOW, FakeServer, MemoryInMemory, a_held_license

BY_DEVICE = Admission(HostOutcome.GRANTED, a_held_license("D1", type=CalType.PER_DEVICE), (), None, GraceState())
JOINED = Joined(DeviceVerdict(BY_DEVICE, None, "ff"), "PC1", NOW)
OVER = GraceState(NOW, NOW, observed_at=NOW)


def logon(server: FakeServer, mode: str | None, joined=None, *, admin=False, admit=False) -> Admission:
    policy = mode and HostPolicy("2022", mode, 0, NOW)
    return check_logon(
        CheckAccount("alice", NOW, "R1", admin),
        joined,
        servers=[server],
        memory=MemoryInMemory(Memory(grace=OVER, policy=policy or None)),
        time_left=lambda: 2,
        complain=lambda _: None,
        admit_without_device=admit,
    )


@pytest.mark.parametrize("joined", [None, JOINED])
def test_per_user_the_users_license_counts_whatever_the_device(joined):
    server = FakeServer(GRANTED)
    assert logon(server, "per-user", joined).license == GRANTED.license
    assert logon(FakeServer(NONE_FREE), "per-user", joined).outcome is HostOutcome.REFUSED
    assert len(server.asked) == 1


def test_per_device_the_device_that_was_let_in_counts_and_nobody_is_asked():
    server = FakeServer(NONE_FREE)
    assert logon(server, "per-device", JOINED) is BY_DEVICE
    assert server.asked == []


def test_per_device_a_user_without_a_device_is_refused_or_admitted_as_the_host_is_set():
    assert logon(FakeServer(GRANTED), "per-device").outcome is HostOutcome.REFUSED
    assert logon(FakeServer(GRANTED), "per-device", admit=True).outcome is HostOutcome.GRANTED


def test_an_administrator_needs_neither():
    server = FakeServer(NONE_FREE)
    assert logon(server, "per-device", admin=True).outcome is HostOutcome.GRANTED
    assert server.asked == []


def test_a_mode_that_this_release_does_not_know_keeps_nobody_out():
    assert logon(FakeServer(NONE_FREE), "per-seat").outcome is HostOutcome.GRANTED


def test_a_host_that_has_heard_nothing_yet_asks_what_it_is_and_goes_by_that():
    server = FakeServer(GRANTED)
    assert logon(server, None).license == GRANTED.license
