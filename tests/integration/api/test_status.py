"""Does the status say what an administrator fears?"""

from calward.domain.licenses import NEVER
from tests.support.builders import DEVICE, USER
from tests.support.clocks import DAY, NOW


def line(server, admin):
    answer = server.client.get("/api/v1/status", headers=admin)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_server_with_nothing_that_ends_says_so(server, admin):
    found = line(server, admin)
    assert found["line"].startswith("nothing stops")
    assert found["stops"] == []
    assert found["licenses"] == {"total": 0, "active": 0, "temporary": 0, "over_used": 0}


def test_a_pack_that_expires_under_running_licenses_is_what_stops_first(server, admin):
    server.install("P1", total=2, end=NOW + 40 * DAY)
    host = server.host()
    server.prove(host, "D1")
    found = line(server, admin)
    assert found["line"] == (
        "nothing stops before 2026-04-10; first: pack P1 of 2016/per-device expires, no other CAL for 1 device"
    )
    assert [stop["pack"] for stop in found["stops"]] == ["P1"]
    assert found["packs"][0] | {"opens": []} == {
        "id": "P1",
        "version": "2016",
        "type": "per-device",
        "total": 2,
        "issued": 1,
        "available": 1,
        "installed_at": "2026-03-01T08:00:00Z",
        "expires_at": "2026-04-10T08:00:00Z",
        "expired": False,
        "opens": [],
        "generation": 1,
        "bought_as": "2016",
        "moving": None,
        "aside": 0,
    }


def test_packs_that_expire_on_one_day_are_all_counted(server, admin):
    for pack, type_, end in (("P1", DEVICE, 0), ("P2", DEVICE, 60), ("P3", USER, 120), ("P4", USER, DAY)):
        server.install(pack, type_=type_, total=1, end=NOW + 40 * DAY + end)
    desks, people = server.host(), server.host("SH2", mode=USER)
    for device in ("D1", "D2"):
        server.prove(desks, device)
    for user in ("alice", "bob"):
        server.ask(people, user)
    assert line(server, admin)["line"] == (
        "nothing stops before 2026-04-10; first: pack P1 of 2016/per-device expires, no other CAL for 1 device"
        "; 2 more that day, for 1 device and 1 user"
    )


def test_over_use_is_a_warning(server, admin):
    host = server.host(mode=USER)
    server.ask(host, "alice")
    found = line(server, admin)
    assert found["line"].startswith("nothing stops:")
    assert "1 user beyond the CALs installed (over-used)" in found["warnings"]


def test_a_server_that_is_not_activated_is_stopped(tmp_path):
    from tests.support.api_server import an_api_server

    with an_api_server(tmp_path, activated=False) as server:
        found = line(server, server.admin())
        assert found["line"].startswith("stopped: the license server is not activated")
        assert found["server"]["blocked"] == "server-not-activated"
        assert NEVER > NOW
