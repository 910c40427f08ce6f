"""The PAM helper through the real libpam: Debian's ``pamtester`` and ``pam_exec``, as xrdp-sesman or sshd would call it.

The license server is a fake one; what is shown is what a user meets at the door.
"""

import os
import subprocess
import time

import pytest

from tests.support.fake_license_server import TOKEN, FakeLicenseServer, dead_url, hanging, serving
from tests.support.pam_host import pam_host, pam_marks

pytestmark = pam_marks

LIMIT = 2.0
"""Seconds that nobody waits longer than, the start of pamtester included."""


@pytest.fixture
def host(tmp_path):
    with pam_host(tmp_path) as found:
        found.use_token(TOKEN)
        yield found


def test_a_user_with_a_cal_gets_in_and_reads_nothing(host):
    with serving(FakeLicenseServer(cals=1)) as url:
        host.configure(url)
        let_in, text, _ = host.account("alice")
    assert let_in
    assert "license" not in text


def test_one_more_than_the_packs_hold_is_refused_with_a_readable_reason(host):
    with serving(FakeLicenseServer(cals=2)) as url:
        host.configure(url)
        assert [host.account(user)[0] for user in ("alice", "bob", "carol")] == [True, True, False]
        _, text, _ = host.account("carol")
        assert host.account("alice")[0]
    assert "No remote desktop license: no CAL that opens this host is free" in text
    assert "tell your administrator" in text


def test_a_new_host_lets_the_one_too_many_in_and_says_how_long_still(host):
    with serving(FakeLicenseServer(cals=0)) as url:
        host.configure(url)
        let_in, text, _ = host.account("alice")
    assert let_in
    assert "120 days left" in text


@pytest.mark.parametrize("grace_days", [120, 0])
def test_nobody_waits_when_the_server_is_down(host, grace_days):
    host.configure(dead_url(), grace_days=grace_days)
    let_in, text, seconds = host.account("alice")
    assert let_in is (grace_days > 0)
    assert "no license server of the host's list answers" in text
    assert seconds < LIMIT


@pytest.mark.parametrize("grace_days", [120, 0])
@pytest.mark.parametrize("servers", [1, 3])
def test_nobody_waits_longer_than_two_seconds_for_servers_that_accept_and_never_answer(host, grace_days, servers):
    with hanging() as url:
        host.configure(*[url.replace("127.0.0.1", name) for name in ("127.0.0.1", "localhost", "127.0.0.1")][:servers],
                       grace_days=grace_days)  # fmt: skip
        let_in, _, seconds = host.account("alice")
    assert let_in is (grace_days > 0)
    assert seconds < LIMIT


def test_a_session_does_not_wait_again_for_servers_that_the_door_has_found_silent(host):
    fake = FakeLicenseServer(cals=1, grace_days=30)
    host.configure(dead_url())
    assert host.account("alice")[0]
    with serving(fake) as url:
        host.configure(url)
        assert host.pam("alice", "open_session", "close_session")[0]
        assert fake.asked == [], "it is the next logon that finds out whether they are back"
        assert host.pam("alice", "acct_mgmt", "open_session")[0]
    assert '"grace_days": 30' in (host.folder / "state" / "host.json").read_text()


def test_a_second_server_is_reached_past_one_that_hangs(host):
    with hanging() as stuck, serving(FakeLicenseServer(cals=1)) as url:
        host.configure(stuck, url, grace_days=0)
        let_in, _, seconds = host.account("alice")
    assert let_in
    assert seconds < LIMIT


def test_a_host_that_got_its_first_full_license_has_no_grace_for_the_one_too_many(host):
    with serving(FakeLicenseServer(cals=1)) as url:
        host.configure(url)
        assert host.account("alice")[0]
        let_in, text, _ = host.account("bob")
    assert not let_in
    assert "the host's grace period is over" in text


def test_who_had_a_license_gets_in_while_the_server_is_down_and_who_had_none_does_not(host):
    with serving(FakeLicenseServer(cals=1)) as url:
        host.configure(url, grace_days=0)
        assert host.account("alice")[0]
    host.configure(dead_url(), grace_days=0)
    assert host.account("alice")[0]
    assert not host.account("bob")[0]


def test_root_needs_no_license_and_asks_nobody(host):
    fake = FakeLicenseServer(cals=0)
    with serving(fake) as url:
        host.configure(url, grace_days=0)
        assert host.account("root")[0]
    assert fake.asked == []


def test_a_session_is_bound_and_released_and_never_refused(host):
    fake = FakeLicenseServer(cals=1, grace_days=30)
    with serving(fake) as url:
        host.configure(url)
        assert host.pam("alice", "acct_mgmt", "open_session")[0]
        (state,) = (host.folder / "state" / "users").iterdir()
        assert '"line": ":10"' in state.read_text()
        assert '"grace_days": 30' in (host.folder / "state" / "host.json").read_text()
        assert host.pam("alice", "close_session")[0]
    assert '"line"' not in state.read_text()
    host.configure(dead_url(), grace_days=0)
    assert host.pam("bob", "open_session", "close_session")[0]


@pytest.mark.parametrize(("on_trouble", "let_in"), [("refuse", False), ("admit", True)])
def test_trouble_in_the_helper_ends_as_its_administrator_chose(host, on_trouble, let_in):
    host.configure(dead_url(), grace_days=120, on_trouble=on_trouble)
    (host.folder / "state").mkdir(mode=0o755)
    (host.folder / "state").chmod(0o777)
    assert host.account("alice")[0] is let_in


@pytest.mark.parametrize("served", [True, False])
def test_nobody_waits_for_a_disk_that_hangs_and_what_a_server_has_said_stands(host, served):
    (host.folder / "state" / "users").mkdir(parents=True)
    (host.folder / "state").chmod(0o700)
    os.mkfifo(host.folder / "state" / "host.json")  # Nobody will ever write to it: a read waits for good.
    with serving(FakeLicenseServer(cals=1)) as url:
        host.configure(url if served else dead_url())
        let_in, _, seconds = host.account("alice")
    assert let_in is served
    assert seconds < LIMIT


def test_broken_settings_refuse_with_a_sentence_and_without_a_traceback(host):
    (host.folder / "host.toml").write_text("server = 5\n")
    let_in, text, _ = host.account("alice")
    assert not let_in
    assert "does not work" in text
    assert "Traceback" not in text


def test_root_can_repair_broken_settings(host):
    (host.folder / "host.toml").unlink()
    assert host.account("root")[0]


def test_many_logons_at_once_all_get_their_answer_in_time(host):
    with serving(FakeLicenseServer(cals=4)) as url:
        host.configure(url, grace_days=0)
        host.account("user0")
        command = ["pamtester", host.service]
        begun = time.monotonic()
        running = [
            subprocess.Popen([*command, f"user{n}", "acct_mgmt"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for n in range(8)
        ]
        codes = [process.wait(timeout=30) for process in running]
        for process in running:
            process.stdout.close()
    assert sum(code == 0 for code in codes) == 4
    assert time.monotonic() - begun < LIMIT
