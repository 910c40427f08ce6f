"""Does the agent join a device with the user who logs on from it, so that its next license is a full one?"""

import pytest

from tests.support.rdp_clients import FreeRdp, Rdesktop, connected
from tests.support.room import until
from tests.support.running_server import CALWARD
from tests.support.xrdp_host import DESKTOP, LOGIN, pam_lines, xrdp_host

DOOR, HOST = 3389, 3390
PLAIN = {"security_layer": "rdp", "crypt_level": "none"}
ACCOUNT = f"account required pam_exec.so quiet stdout {CALWARD} pam account"
SESSION = f"session optional pam_exec.so quiet stdout {CALWARD} pam session"


@pytest.fixture(scope="module")
def host(machine, licensing):
    licensing.install_pack("2022", "per-device", 2)
    licensing.enroll("SH-AGENT", "2019", "per-device", grace_days=0)
    relay = ("[relay]", f'listen = "127.0.0.1:{DOOR}"', f'host = "127.0.0.1:{HOST}"', 'host_security = "plain"')
    licensing.configure(*relay, grace_days=0)
    machine.path("/etc/pam.d/xrdp-sesman").write_text(pam_lines(ACCOUNT, SESSION))
    with xrdp_host(machine, port=HOST, address="127.0.0.1", **PLAIN) as running:
        agent = machine.start(CALWARD, "agent", "run", "--json", name="agent")
        agent.says("}")
        assert not agent.ended, agent.text
        yield running
        agent.stop()


@pytest.mark.parametrize(("kind", "user"), [(FreeRdp, "alice"), (Rdesktop, "bob")])
def test_a_logon_through_the_relay_proves_the_device_and_its_next_license_is_a_full_one(
    kind, user, host, screen, folder, licensing
):
    client = kind(screen, folder, f"JOINED-{kind.__name__.upper()}"[:15])
    with connected(client, DOOR, user):
        screen.shows(DESKTOP)
    [temporary] = licensing.licenses(holder=client.name)
    assert temporary["status"] == "temporary"
    [stored] = client.licenses()
    with connected(client, DOOR):
        screen.shows(LOGIN)
    [full] = licensing.licenses(holder=client.name)
    assert full["status"] == "active"
    assert client.licenses() != [stored]


def test_users_of_a_host_licensed_per_device_take_no_cal_of_their_own(host, licensing):
    until(lambda: licensing.licenses(type="per-device"), what="licenses")
    assert licensing.licenses(type="per-user") == []
