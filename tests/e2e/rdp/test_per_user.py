"""Do users of an xrdp behind the agent get in with a per-user CAL, and does whoever has none read why?"""

import pytest

from tests.support.agent_room import DOOR, HOST, agent
from tests.support.rdp_clients import FreeRdp, Rdesktop, connected
from tests.support.room import until
from tests.support.xrdp_host import DESKTOP, LOGIN

DIALOG = "c0c0c0"
REFUSED = "Reply from access control: User account has expired"


@pytest.fixture(scope="module")
def enrolled(xrdp, licensing):
    licensing.install_pack("2022", "per-user", 1)
    licensing.enroll("SH-USERS", "2019", "per-user")
    return licensing


@pytest.fixture
def running(machine, enrolled):
    if not enrolled.runs:
        enrolled.start()
    with agent(machine, enrolled, grace_days=0, agent={"heartbeat_seconds": 1}) as found:
        yield found


@pytest.fixture(scope="module")
def client(screen):
    return FreeRdp(screen, "DESK-1")


def test_a_user_with_a_cal_gets_a_desktop_and_comes_back_to_the_same_session(running, xrdp, client, screen, enrolled):
    with connected(client, DOOR, "alice"):
        screen.shows(DESKTOP)
        screen.settled().keep("xrdp-per-user-desktop")
    [session] = xrdp.sessions("alice")
    held = enrolled.license("alice")
    assert (held["status"], held["type"]) == ("active", "per-user")
    for other in (client, Rdesktop(screen, "DESK-2")):
        with connected(other, DOOR, "alice"):
            screen.shows(DESKTOP)
        assert xrdp.sessions("alice") == [session], "a reconnection starts nothing new"
        assert enrolled.license("alice")["id"] == held["id"], "and takes no second CAL"
        assert other.licenses() == [], "nothing is stored on devices where users are licensed"


def test_a_user_without_a_cal_reads_why_and_starts_no_session(running, xrdp, client, screen, enrolled):
    with connected(client, DOOR, "alice"):  # Takes the only one, if she does not hold it yet.
        screen.shows(DESKTOP)
    for other in (client, Rdesktop(screen, "DESK-2")):
        told = xrdp.expects(REFUSED)
        with connected(other, DOOR, "bob"):
            told()
            screen.shows(DIALOG, least=0.15)
            screen.settled().keep(f"xrdp-per-user-refused-{type(other).__name__.lower()}")
    assert xrdp.sessions("bob") == []
    assert "no CAL that opens this host is free" in xrdp.log
    running.says("account user='bob'", "no-cal-free")
    assert enrolled.licenses(holder="bob") == []


def test_logging_out_ends_the_session_for_host_and_license_server(running, xrdp, client, screen, enrolled):
    def open_sessions() -> list[tuple[str, str]]:
        return [(one["user"], one["license"]) for one in enrolled.do("host", "show", "SH-USERS")["sessions"]]

    with connected(client, DOOR, "alice"):
        screen.shows(DESKTOP)
        held = enrolled.license("alice")["id"]
        until(lambda: open_sessions() == [("alice", held)], what=lambda: f"alice in {open_sessions()}")
        xrdp.log_out("alice")
    until(lambda: open_sessions() == [], what=lambda: f"nobody in {open_sessions()}")
    assert enrolled.license("alice")["id"] == held, "a CAL stays with its user until it lapses"


def test_a_login_window_meets_whoever_gives_no_password(running, client, screen):
    with connected(client, DOOR):
        screen.shows(LOGIN)
        screen.settled().keep("xrdp-login-window")


def test_while_the_agent_is_down_pam_asks_for_itself(machine, xrdp, client, screen, enrolled):
    """Without its relay, too: whoever is on the machine reaches xrdp."""
    with agent(machine, enrolled, grace_days=0) as running:
        running.stop()
        with connected(client, HOST, "alice", "/sec:rdp"):
            screen.shows(DESKTOP)
        told = xrdp.expects(REFUSED)
        with connected(client, HOST, "bob", "/sec:rdp"):
            told()


def test_without_a_license_server_known_users_work_and_others_by_the_grace_budget(
    machine, xrdp, client, screen, enrolled
):
    def try_in(user: str) -> None:
        told = xrdp.expects(REFUSED)
        with connected(client, DOOR, user):
            told()
            screen.shows(DIALOG, least=0.15)
        assert xrdp.sessions(user) == []

    def get_in(user: str) -> None:
        with connected(client, DOOR, user):
            screen.shows(DESKTOP)

    with agent(machine, enrolled, grace_days=0) as running:
        get_in("alice")
        enrolled.stop()
        xrdp.log_out("alice")
        get_in("alice")
        try_in("carol")
        running.says("user='carol'", "outcome=refused", "reasons=no-license-server")
        assert "no license server of the host's list answers" in xrdp.log
    with agent(machine, enrolled, grace_days=2) as running:
        get_in("carol")
        running.says("user='carol'", "outcome=grace", "reasons=no-license-server", "days_left_in_grace=")
        xrdp.log_out("carol")
    with agent(machine, enrolled, grace_days=2, days=3) as running:
        get_in("alice")
        try_in("carol")
        running.says("user='carol'", "outcome=refused", "reasons=no-license-server,grace-expired")
        assert "the host's grace period is over" in xrdp.log
