"""Does FreeRDP's shadow server work behind the agent's relay, with TLS and with NLA, and does its client keep a license?"""

import pytest

from tests.support.agent_room import DOOR, agent
from tests.support.rdp_clients import FreeRdp, connected
from tests.support.shadow_host import SHARED, shadow_host

BEHIND = 3391
"""Beside xrdp, which other tests have left running."""


@pytest.fixture(scope="module")
def enrolled(licensing):
    licensing.enroll("SH-SHADOW", "2019", "per-device")
    return licensing


@pytest.fixture(scope="module")
def shadow(request, machine):
    with shadow_host(machine, security=request.param, port=BEHIND) as found:
        yield found


@pytest.mark.parametrize("shadow", ["tls", "nla"], indirect=True)
def test_the_shared_screen_is_seen_and_a_license_is_kept(shadow, machine, enrolled, screen):
    client = FreeRdp(screen, f"SHADOW-{shadow.security.upper()}")
    relay = {"host": f"127.0.0.1:{BEHIND}", "host_security": shadow.security, **shadow.keys()}
    with agent(machine, enrolled, relay=relay, grace_days=0) as running:
        for _ in range(2):
            with connected(client, DOOR, "alice", f"/sec:{shadow.security}"):
                screen.shows(SHARED)
                screen.settled().keep(f"shadow-{shadow.security}")
            assert client.kept()[1:] == ("2019", "temporary")
        assert running.log.count(f"name='{client.name}'") == 2
    [held] = enrolled.licenses(holder=client.name)
    assert held["id"] == client.kept()[0]


@pytest.mark.parametrize("shadow", ["nla"], indirect=True)
def test_with_nla_and_another_certificate_no_client_gets_in_and_the_log_says_why(shadow, machine, enrolled, screen):
    client = FreeRdp(screen, "SHADOW-WRONG")
    other = shadow.another_pair()
    relay = {"host": f"127.0.0.1:{BEHIND}", "host_security": "nla", **other}
    with agent(machine, enrolled, relay=relay, grace_days=0) as running:
        window = client.start_in_terminal(DOOR, "alice", "/sec:nla")
        code = window.wait()
        assert code == 147, window.text
        window.close(keep="shadow-nla-wrong-certificate")
        running.says("the logon (NLA) has failed: the host has another certificate")
    assert client.licenses() == []
    assert enrolled.licenses(holder=client.name) == []


@pytest.mark.parametrize("shadow", ["nla"], indirect=True)
def test_a_wrong_password_is_told_apart_from_a_wrong_certificate(shadow, machine, enrolled, screen):
    client = FreeRdp(screen, "SHADOW-TYPO")
    relay = {"host": f"127.0.0.1:{BEHIND}", "host_security": "nla", **shadow.keys()}
    with agent(machine, enrolled, relay=relay, grace_days=0) as running:
        program = client.start(DOOR, "bob", "/sec:nla")  # Whom its file of users does not have.
        assert program.wait() != 0
        assert "logon (NLA), as after a wrong password" in running.says("left during")
        assert "certificate" not in running.log
