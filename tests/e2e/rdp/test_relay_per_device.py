"""Do real clients receive, keep and present a device's license through the relay, in front of an unmodified xrdp?"""

import pytest

from tests.support.rdp_clients import FreeRdp, Rdesktop, connected
from tests.support.relay_process import relay_process
from tests.support.xrdp_host import DESKTOP, LOGIN, xrdp_host

DOOR, HOST = 3389, 3390
CALS = 2
PLAIN = {"security_layer": "rdp", "crypt_level": "none"}


@pytest.fixture(scope="module")
def host(machine, licensing):
    licensing.install_pack("2022", "per-device", CALS)
    with xrdp_host(machine, port=HOST, address="127.0.0.1", **PLAIN) as running:
        licensing.enroll("SH-DEVICES", "2019", "per-device", grace_days=0)
        yield running


@pytest.fixture(scope="module")
def relay(machine, host, licensing):
    with relay_process(machine, licensing, listen=DOOR, host=HOST, security="plain") as running:
        yield running


@pytest.mark.parametrize("kind", [FreeRdp, Rdesktop])
def test_a_device_gets_a_temporary_license_and_after_a_logon_a_full_one(kind, relay, screen, folder, licensing, host):
    client = kind(screen, folder, f"PC-{kind.__name__.upper()}")
    with connected(client, DOOR):
        screen.shows(LOGIN)
    [stored] = client.licenses()
    [first] = licensing.licenses(holder=client.name)
    assert first["status"] == "temporary"
    with connected(client, DOOR, "alice"):
        screen.shows(DESKTOP)
        screen.settled().keep(f"relay-{kind.__name__.lower()}-desktop")
    assert f"{client.name}: presents something" in relay.text
    licensing.confirm(first["id"])
    with connected(client, DOOR):
        screen.shows(LOGIN)
    [full] = licensing.licenses(holder=client.name)
    assert full["status"] == "active"
    assert client.licenses() != [stored], "the client keeps the new license instead of the old one"


def refused(client, words: str) -> None:
    """Connect and be sent away, with these words where a person reads them."""
    program = client.start(DOOR)
    program.says(words)
    assert program.wait() != 0


def test_without_a_license_server_known_devices_work_and_unknown_ones_read_why_not(relay, screen, folder, licensing):
    licensing.stop()
    for kind in (FreeRdp, Rdesktop):
        with connected(kind(screen, folder, f"PC-{kind.__name__.upper()}"), DOOR):
            screen.shows(LOGIN)
    refused(FreeRdp(screen, folder, "PC-UNKNOWN-1"), "License Server")
    refused(Rdesktop(screen, folder, "PC-UNKNOWN-2"), "No license server")
