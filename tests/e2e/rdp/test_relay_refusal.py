"""Does a device too many read why it is sent away? Its temporary license was given 91 days ago and has ended."""

import pytest

from tests.support.licensing_room import office
from tests.support.rdp_clients import FreeRdp, Rdesktop, connected
from tests.support.relay_process import relay_process
from tests.support.xrdp_host import LOGIN, xrdp_host

DOOR, HOST = 3389, 3390
PLAIN = {"security_layer": "rdp", "crypt_level": "none"}


@pytest.fixture
def clients(screen, folder):
    return [FreeRdp(screen, folder, "PC-ONE-TOO-MANY"), Rdesktop(screen, folder, "PC-TWO-TOO-MANY")]


def test_a_device_too_many_is_refused_and_reads_why(machine, folder, screen, clients):
    said = {
        FreeRdp: ("There are no Client Access Licenses", 131),
        Rdesktop: ("License error alert from server: Invalid client", 76),
    }
    with xrdp_host(machine, port=HOST, address="127.0.0.1", **PLAIN):
        with office(machine, folder / "data", days_ago=91) as past:
            past.enroll("SH-FULL", "2022", "per-device", grace_days=0)
            with relay_process(machine, past, listen=DOOR, host=HOST, security="plain"):
                for client in clients:
                    with connected(client, DOOR):
                        screen.shows(LOGIN)
                    [temporary] = past.licenses(holder=client.name)
                    past.confirm(temporary["id"])  # Only who has logged on is held to having had one.
        with (
            office(machine, folder / "data") as today,
            relay_process(machine, today, listen=DOOR, host=HOST, security="plain") as relay,
        ):
            for client in clients:
                words, code = said[type(client)]
                program = client.start(DOOR)
                assert program.wait() == code, relay.text
                assert words in program.text
                assert f"{client.name}: presents something, refused" in relay.text
            assert today.licenses() == []
