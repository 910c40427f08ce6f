"""Do users of an unmodified xrdp get in with a per-user CAL, and does the one without read why? No relay takes part."""

import json

import pytest

from tests.support.licensing_room import HOST_STATE
from tests.support.rdp_clients import FreeRdp, connected
from tests.support.room import until
from tests.support.running_server import CALWARD
from tests.support.xrdp_host import DESKTOP, LOGIN, READABLE_REFUSAL, pam_lines, xrdp_host

CALS = 1
DIALOG = "c0c0c0"
HELP_DESK = "Call the help desk: 1234"
ACCOUNT = f"""\
account [success=1 default=ignore] pam_exec.so quiet stdout {CALWARD} pam account
account requisite                  pam_debug.so acct=acct_expired"""
SESSION = f"session optional pam_exec.so quiet stdout {CALWARD} pam session"


@pytest.fixture(scope="module")
def host(machine, licensing):
    licensing.install_pack("2022", "per-user", CALS)
    licensing.enroll("SH-USERS", "2019", "per-user", grace_days=0)
    machine.path("/etc/pam.d/xrdp-sesman").write_text(pam_lines(ACCOUNT, SESSION))
    with xrdp_host(machine, **READABLE_REFUSAL) as running:
        yield running


@pytest.fixture(scope="module")
def client(screen, folder):
    return FreeRdp(screen, folder, "DESK-1")


def lines_of(machine, user: str) -> list[str]:
    """The sessions of a user that the host remembers, by their displays."""
    states = (json.loads(path.read_text()) for path in machine.path(f"{HOST_STATE}/users").iterdir())
    return [session["line"] for state in states if state["user"] == user for session in state["sessions"]]


def test_a_user_with_a_cal_gets_a_desktop_and_comes_back_to_the_same_session(host, client, screen, licensing):
    with connected(client, host.port, "alice"):
        screen.shows(DESKTOP)
        screen.settled().keep("xrdp-per-user-desktop")
    [session] = host.sessions("alice")
    [held] = licensing.licenses(holder="alice")
    with connected(client, host.port, "alice"):
        screen.shows(DESKTOP)
    assert host.sessions("alice") == [session], "a reconnection starts nothing new"
    [still] = licensing.licenses(holder="alice")
    assert (still["id"], still["status"]) == (held["id"], "active"), "and takes no second CAL"


def test_the_user_without_a_cal_reads_why_and_starts_no_session(host, client, screen):
    with connected(client, host.port, "bob"):
        host.says(HELP_DESK)
        screen.shows(DIALOG, least=0.15)
        screen.settled().keep("xrdp-per-user-refused")
    assert host.sessions("bob") == []
    assert "no CAL that opens this host is free" in host.log


def test_logging_out_ends_the_session_in_the_hosts_memory(machine, host, client, screen):
    with connected(client, host.port, "alice"):
        screen.shows(DESKTOP)
        assert len(lines_of(machine, "alice")) == 1
        host.log_out("alice")
    until(lambda: lines_of(machine, "alice") == [], what="the release of alice's session")


def test_the_login_window_is_there_for_whoever_gives_no_password(host, client, screen):
    with connected(client, host.port):
        screen.shows(LOGIN)
        screen.settled().keep("xrdp-login-window")


def test_a_stopped_license_server_keeps_out_strangers_and_lets_known_users_in(host, client, screen, licensing):
    licensing.stop()
    with connected(client, host.port, "alice"):
        screen.shows(DESKTOP)
        host.log_out("alice")
    with connected(client, host.port, "carol"):
        host.says("no license server of the host's list answers")
        screen.shows(DIALOG, least=0.15)
    assert host.sessions("carol") == []
