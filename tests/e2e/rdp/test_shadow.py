"""Does FreeRDP's shadow server work behind the agent's relay, with TLS and with NLA, and does its client keep a license?"""

import json

import pytest

from tests.support.agent_room import DOOR, agent
from tests.support.rdp_clients import FreeRdp, connected
from tests.support.running_server import CALWARD
from tests.support.shadow_host import SHARED, shadow_host

BEHIND = 3391
"""Beside xrdp, which other tests have left running."""


@pytest.fixture(scope="module")
def enrolled(licensing):
    licensing.install_pack("2022", "per-device", 4)
    licensing.enroll("SH-SHADOW", "2019", "per-device")
    return licensing


@pytest.fixture(scope="module")
def shadow(request, machine, enrolled):
    with shadow_host(machine, security=request.param, port=BEHIND) as found:
        yield found


@pytest.fixture
def running(shadow, machine, enrolled):
    relay = {"host": f"127.0.0.1:{BEHIND}", "host_security": shadow.security, **shadow.keys()}
    with agent(machine, enrolled, relay=relay, grace_days=0) as found:
        yield found


@pytest.mark.parametrize("shadow", ["tls", "nla"], indirect=True)
def test_a_device_that_visits_shadow_alone_is_proven_by_its_first_logon_and_gets_a_full_license(
    shadow, running, enrolled, screen
):
    client = FreeRdp(screen, f"SHADOW-{shadow.security.upper()}")
    with connected(client, DOOR, "alice", f"/sec:{shadow.security}"):
        screen.shows(SHARED)
        screen.settled().keep(f"shadow-{shadow.security}")
        temporary = enrolled.license(client.name)
        enrolled.proven(temporary["id"])
        assert client.kept() == (temporary["id"], "2019", "temporary")
    with connected(client, DOOR, "alice", f"/sec:{shadow.security}"):
        screen.shows(SHARED)
        full = enrolled.license(client.name)
        assert full["status"] == "active"
        assert client.kept() == (full["id"], "2022", "active")
        second = FreeRdp(screen, f"SECOND-{shadow.security.upper()}")
        with connected(second, DOOR, "alice", f"/sec:{shadow.security}"):
            enrolled.proven(enrolled.license(second.name)["id"])  # The other one goes on meanwhile.
    assert running.log.count(f"name='{client.name}'") == 2


@pytest.mark.parametrize("shadow", ["tls"], indirect=True)
def test_a_device_with_which_nobody_could_log_on_keeps_a_temporary_license(shadow, running, enrolled, screen):
    client = FreeRdp(screen, "SHADOW-STRANGER")
    for _ in range(2):
        program = client.start(DOOR, "stranger", f"/sec:{shadow.security}")
        assert program.wait() != 0
        assert client.kept()[1:] == ("2019", "temporary")
    told = {"kind": "proven", "license": int(client.kept()[0].removeprefix("L"))}
    assert not any(told.items() <= event.items() for event in enrolled.events())


@pytest.mark.parametrize("shadow", ["tls"], indirect=True)
def test_the_doctor_says_when_nobody_would_hear_of_logons(shadow, running, machine):
    def said() -> str:
        checked = json.loads(machine.run(CALWARD, "agent", "doctor", "--json").stdout)["checked"]
        return next(one["result"] for one in checked if one["id"] == "shadow-unheard")

    assert said() == "ok"
    change = ("agent", "install-pam", "--service", "xdm", "--yes")
    machine.done(CALWARD, *change, "--undo")
    assert said() == "found"
    machine.done(CALWARD, *change)
    assert said() == "ok"


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
