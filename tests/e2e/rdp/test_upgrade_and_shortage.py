"""What happens to a client's CAL at a newer session host, and to devices for which none is left?"""

from tests.support.agent_room import DOOR, agent
from tests.support.licensing_room import office
from tests.support.rdp_clients import FreeRdp, Rdesktop, connected
from tests.support.xrdp_host import DESKTOP, LOGIN

KINDS = [FreeRdp, Rdesktop]
WORDS = {
    FreeRdp: ("There are no Client Access Licenses", 131),
    Rdesktop: ("License error alert from server: Invalid client", 76),
}


def visit(client, screen) -> None:
    """Connect, as far as the host's login window."""
    with connected(client, DOOR):
        screen.shows(LOGIN)


def log_on(client, screen, licensing) -> None:
    """Connect and log on, until the license server knows."""
    with connected(client, DOOR, "alice"):
        screen.shows(DESKTOP)
        licensing.proven(licensing.license(client.name)["id"])


def free(licensing) -> dict[str, int]:
    """How many CALs of each version nobody holds."""
    return {pack["version"]: pack["available"] for pack in licensing.do("pack", "list")["items"]}


def test_clients_that_visit_a_2008r2_host_after_a_2003_host_give_their_2003_cals_back(machine, xrdp, licensing, screen):
    clients = [kind(screen, f"UP-{kind.__name__.upper()}") for kind in KINDS]
    for version in ("2003", "2008R2"):
        licensing.install_pack(version, "per-device", len(clients))
    licensing.enroll("SH-2003", "2003", "per-device")
    with agent(machine, licensing, grace_days=0):
        for client in clients:
            log_on(client, screen, licensing)
            visit(client, screen)
            assert client.kept()[1:] == ("2003", "active")
    assert free(licensing) == {"2003": 0, "2008R2": 2}
    licensing.enroll("SH-2008R2", "2008R2", "per-device")
    with agent(machine, licensing, grace_days=0):
        for client in clients:
            old, _, _ = client.kept()
            visit(client, screen)
            new, version, status = client.kept()
            assert (version, status) == ("2008R2", "active")
            assert new != old
            assert licensing.license(client.name, lambda one: one["status"] == "active")["id"] == new
    assert free(licensing) == {"2003": 2, "2008R2": 0}


def test_with_one_cal_and_three_devices_two_are_refused_and_read_why(machine, xrdp, screen, folder, licensing):
    licensing.stop()  # Its place is taken by one that has begun 91 days ago.
    lucky, *others = [FreeRdp(screen, "FIRST"), *(kind(screen, f"LATE-{kind.__name__.upper()}") for kind in KINDS)]
    with office(machine, folder / "shortage", days=-91) as past:
        past.enroll("SH-FULL", "2022", "per-device")
        with agent(machine, past, days=-91, grace_days=0):
            for client in (lucky, *others):
                log_on(client, screen, past)
                assert client.kept()[1:] == ("2022", "temporary")
    with office(machine, folder / "shortage") as today:
        today.install_pack("2022", "per-device", 1)
        today.fingerprint = past.fingerprint
        with agent(machine, today, grace_days=0) as running:
            visit(lucky, screen)
            assert lucky.kept()[1:] == ("2022", "active")
            for client in others:
                words, code = WORDS[type(client)]
                window = client.start_in_terminal(DOOR)
                assert window.wait() == code, window.text
                assert words in window.text
                window.close(keep=f"refused-no-cal-{type(client).__name__.lower()}")
                running.says(f"name='{client.name}'", "outcome=refused", "no-cal-free")
        assert [one["holder"] for one in today.licenses()] == [lucky.name]
