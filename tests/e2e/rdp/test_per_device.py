"""What do devices get at a session host licensed per device, an unmodified xrdp behind the agent's relay?"""

import pytest

from tests.support.agent_room import DOOR, HOST, agent
from tests.support.rdp_clients import FreeRdp, Rdesktop, connected
from tests.support.xrdp_host import DESKTOP, LOGIN

KINDS = [FreeRdp, Rdesktop]


@pytest.fixture(scope="module")
def enrolled(xrdp, licensing):
    licensing.install_pack("2022", "per-device", 3)
    licensing.enroll("SH-DEVICES", "2019", "per-device")
    return licensing


@pytest.fixture
def running(machine, enrolled):
    with agent(machine, enrolled, grace_days=0) as found:
        yield found


@pytest.mark.parametrize(("kind", "user"), [(FreeRdp, "alice"), (Rdesktop, "bob")])
def test_a_device_is_given_a_temporary_license_and_after_a_logon_a_full_one(kind, user, running, screen, enrolled):
    client = kind(screen, f"PC-{kind.__name__.upper()}")
    with connected(client, DOOR):
        screen.shows(LOGIN)
        screen.settled().keep(f"relay-login-{kind.__name__.lower()}")
    temporary = enrolled.license(client.name)
    assert client.kept() == (temporary["id"], "2019", "temporary")
    with connected(client, DOOR):
        screen.shows(LOGIN)
    assert client.kept() == (temporary["id"], "2019", "temporary"), "nobody has logged on"
    with connected(client, DOOR, user):
        screen.shows(DESKTOP)
        screen.settled().keep(f"relay-{kind.__name__.lower()}-desktop")
        enrolled.proven(temporary["id"])
    assert enrolled.license(client.name)["status"] == "temporary", "what it holds it keeps until it connects again"
    with connected(client, DOOR):
        screen.shows(LOGIN)
    full = enrolled.license(client.name)
    assert full["status"] == "active"
    assert client.kept() == (full["id"], "2022", "active")
    stored = client.licenses()
    with connected(client, DOOR):
        screen.shows(LOGIN)
    assert client.licenses() == stored, "what it has it keeps, byte for byte"
    assert enrolled.license(client.name) == full


def test_its_users_take_no_cal_of_their_own(running, screen, enrolled):
    with connected(FreeRdp(screen, "PC-OF-ALICE"), DOOR, "alice"):
        screen.shows(DESKTOP)
    assert enrolled.licenses(type="per-device")
    assert enrolled.licenses(type="per-user") == []


def test_a_user_who_goes_around_the_relay_is_refused(running, xrdp, screen):
    refused = xrdp.expects("this connection did not come through its licensing relay")
    with connected(FreeRdp(screen, "PC-AROUND"), HOST, "carol", "/sec:rdp"):
        refused()
    assert xrdp.sessions("carol") == []


def test_where_storing_is_off_a_device_is_known_and_nothing_is_written_on_it(machine, xrdp, screen, enrolled):
    client = FreeRdp(screen, "PC-UNWRITTEN")
    with agent(machine, enrolled, grace_days=0, relay={"store_licenses": False}) as running:
        with connected(client, DOOR, "alice"):
            screen.shows(DESKTOP)
            temporary = enrolled.license(client.name)
            enrolled.proven(temporary["id"])
        with connected(client, DOOR):
            screen.shows(LOGIN)
        assert enrolled.license(client.name)["status"] == "active"
        assert running.log.count(f"name='{client.name}'") == 2
    assert client.licenses() == []


@pytest.mark.parametrize("kind", KINDS)
def test_where_storing_is_off_what_a_client_has_of_others_stays_as_it_is(kind, machine, xrdp, screen, enrolled):
    client = kind(screen, f"PC-OTHER-{kind.__name__.upper()}"[:15])
    with agent(machine, enrolled, grace_days=0), connected(client, DOOR):
        screen.shows(LOGIN)
    [stored] = client.home.rglob("*.cal")
    stored.write_bytes(b"a license of somebody else")
    with agent(machine, enrolled, grace_days=0, relay={"store_licenses": False}) as running, connected(client, DOOR):
        screen.shows(LOGIN)
        running.says("counts for nothing")
    assert client.licenses() == [b"a license of somebody else"]


@pytest.mark.parametrize(
    ("kind", "option", "words", "code"),
    [
        (FreeRdp, "/sec:rdp", "SSL_REQUIRED_BY_SERVER", 133),
        (Rdesktop, "-4", "connection closed by peer", 76),  # It is of a time when hosts could not say more.
    ],
)
def test_a_client_without_tls_is_sent_away_and_the_log_says_why(kind, option, words, code, running, screen, enrolled):
    client = kind(screen, "PC-WITHOUT-TLS")
    window = client.start_in_terminal(DOOR, None, option)
    assert window.wait() == code, window.text
    assert words in window.text
    window.close(keep=f"refused-without-tls-{kind.__name__.lower()}")
    running.says("127.0.0.1", "the client knows classic RDP security only")
    assert enrolled.licenses(holder=client.name) == []


def test_a_client_that_insists_on_nla_finds_none_and_the_log_says_what_helps(running, screen, enrolled):
    client = FreeRdp(screen, "PC-NLA-ONLY")
    program = client.start(DOOR, "alice", "/sec:nla")
    assert program.wait() == 133, program.text
    assert "xfreerdp /sec:nla" in running.says("127.0.0.1", "insists on NLA")
    assert enrolled.licenses(holder=client.name) == []
