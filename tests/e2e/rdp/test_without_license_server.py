"""The license server is away while the agent runs: who gets in at a host licensed per device, and what do others read?"""

import pytest

from tests.support.agent_room import DOOR, agent
from tests.support.rdp_clients import FreeRdp, Rdesktop, connected
from tests.support.xrdp_host import DESKTOP, LOGIN

KINDS = [FreeRdp, Rdesktop]
WORDS = {
    FreeRdp: ("A Remote Desktop License Server", 131),
    Rdesktop: ("License error alert from server: No license server", 76),
}


@pytest.fixture(scope="module")
def known(screen):
    """Devices that will have full licenses."""
    return [kind(screen, f"KNOWN-{kind.__name__.upper()}") for kind in KINDS]


@pytest.fixture(scope="module")
def away(machine, xrdp, screen, known, licensing):
    """The running agent of a host without a grace period, after its license server has gone."""
    licensing.install_pack("2022", "per-device", 2)
    licensing.enroll("SH-ALONE", "2019", "per-device")
    with agent(machine, licensing, grace_days=0) as running:
        for client in known:
            with connected(client, DOOR, "alice"):
                screen.shows(DESKTOP)
                licensing.proven(licensing.license(client.name)["id"])
            with connected(client, DOOR):
                screen.shows(LOGIN)
            assert licensing.license(client.name)["status"] == "active"
        licensing.stop()
        yield running


def test_known_devices_work_by_what_they_show(away, known, screen):
    for client in known:
        stored = client.kept()
        with connected(client, DOOR, "alice"):
            screen.shows(DESKTOP)
        assert client.kept() == stored


def test_a_known_device_that_has_lost_its_license_works_by_what_the_host_remembers(away, known, screen):
    for client in known:
        [path] = client.home.rglob("*.cal")
        path.unlink()
        with connected(client, DOOR):
            screen.shows(LOGIN)
        assert client.licenses() == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_unknown_device_is_refused_and_reads_why(kind, away, screen):
    words, code = WORDS[kind]
    client = kind(screen, f"NEW-{kind.__name__.upper()}")
    window = client.start_in_terminal(DOOR)
    assert window.wait() == code, window.text
    assert words in window.text
    window.close(keep=f"refused-no-server-{kind.__name__.lower()}")
    away.says(f"name='{client.name}'", "outcome=refused", "reasons=no-license-server")


def test_the_grace_budget_lets_unknown_devices_in_until_it_is_used_up(away, machine, licensing, screen, known):
    away.stop()  # No test may follow that needs it.
    spare = [kind(screen, f"SPARE-{kind.__name__.upper()}") for kind in KINDS]
    with agent(machine, licensing, grace_days=2) as running:
        for client in spare:
            with connected(client, DOOR):
                screen.shows(LOGIN)
            running.says(f"name='{client.name}'", "outcome=grace", "reasons=no-license-server")
            assert client.licenses() == []
    with agent(machine, licensing, grace_days=2, days=3) as running:
        for client in spare:
            words, code = WORDS[type(client)]
            program = client.start(DOOR)
            assert program.wait() == code, program.text
            assert words in program.text
            running.says(f"name='{client.name}'", "outcome=refused", "reasons=no-license-server,grace-expired")
        with connected(known[0], DOOR):
            screen.shows(LOGIN)
    licensing.start()
    with agent(machine, licensing, grace_days=2):
        for client in spare:
            with connected(client, DOOR):
                screen.shows(LOGIN)
            assert client.kept()[2] == "temporary", "a server that answers gives what it has"
