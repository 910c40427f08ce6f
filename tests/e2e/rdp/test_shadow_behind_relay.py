"""Does FreeRDP's shadow server work behind the relay, with TLS and with NLA, and does its client keep a license?"""

import pytest

from tests.support.rdp_clients import FreeRdp, connected
from tests.support.relay_process import relay_process
from tests.support.shadow_host import KEYS, SHARED, shadow_host

DOOR, HOST = 3389, 3390
SERVICE = "auth required pam_unix.so\naccount required pam_unix.so\n"


@pytest.fixture(scope="module")
def enrolled(machine, licensing):
    machine.path("/etc/pam.d/xdm").write_text(SERVICE)  # The first that shadow looks for and that is there.
    licensing.enroll("SH-SHADOW", "2019", "per-device", grace_days=0)
    return licensing


@pytest.mark.parametrize("security", ["tls", "nla"])
def test_the_shared_screen_is_seen_and_a_license_is_kept(security, machine, enrolled, screen, folder):
    client = FreeRdp(screen, folder, f"SHADOW-{security.upper()}")
    with shadow_host(machine, security=security, port=HOST) as host:
        certificate = next(machine.path(KEYS).glob("*.crt")).name
        key = next(machine.path(KEYS).glob("*.key")).name
        keys = (f"{KEYS}/{certificate}", f"{KEYS}/{key}")
        with relay_process(machine, enrolled, listen=DOOR, host=HOST, security=security, tls=keys) as relay:
            with connected(client, DOOR, "alice", f"/sec:{security}") as program:
                screen.shows(SHARED)
                screen.settled().keep(f"shadow-{security}")
            assert len(client.licenses()) == 1, (program.text, host.text)
            assert f"{client.name}: presents nothing, granted" in relay.text
            with connected(client, DOOR, "alice", f"/sec:{security}"):
                screen.shows(SHARED)
            assert f"{client.name}: presents something, granted" in relay.text
