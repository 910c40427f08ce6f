"""Is a client's CAL upgraded when it visits a newer session host, and is the older CAL free again?"""

from tests.support.rdp_clients import FreeRdp, connected
from tests.support.relay_process import relay_process
from tests.support.xrdp_host import LOGIN, xrdp_host

DOOR, HOST = 3389, 3390
PLAIN = {"security_layer": "rdp", "crypt_level": "none"}


def test_a_client_that_visits_a_2008r2_host_after_a_2003_host_gives_its_2003_cal_back(
    machine, licensing, screen, folder
):
    client = FreeRdp(screen, folder, "PC-UPGRADE")

    def visit() -> None:
        with connected(client, DOOR):
            screen.shows(LOGIN)

    def full() -> list[tuple[str, str]]:
        return [(one["version"], one["id"]) for one in licensing.licenses(holder=client.name, status="active")]

    for version in ("2003", "2008R2"):
        licensing.install_pack(version, "per-device", 1)
    with xrdp_host(machine, port=HOST, address="127.0.0.1", **PLAIN):
        licensing.enroll("SH-2003", "2003", "per-device", grace_days=0)
        with relay_process(machine, licensing, listen=DOOR, host=HOST, security="plain"):
            visit()
            [temporary] = licensing.licenses(holder=client.name)
            licensing.confirm(temporary["id"])
            visit()
        [(version, old)] = full()
        kept = client.licenses()
        assert version == "2003"
        licensing.enroll("SH-2008R2", "2008R2", "per-device", grace_days=0)
        with relay_process(machine, licensing, listen=DOOR, host=HOST, security="plain") as relay:
            visit()
            assert "presents something, granted" in relay.text
    [(version, new)] = full()
    assert version == "2008R2"
    assert new != old
    assert client.licenses() != kept
    assert available(licensing) == {"2003": 1, "2008R2": 0}


def available(licensing) -> dict[str, int]:
    """How many CALs of each version are free."""
    return {pack["version"]: pack["available"] for pack in licensing.do("pack", "list")["items"]}
