"""How does a session host come in, and what holds for it?"""

import base64

import pytest

from calward.domain.codes import read_code
from calward.domain.roles import Role
from tests.support.api_server import an_api_server
from tests.support.builders import USER, a_server
from tests.support.signed import SERVER

KEY = base64.b64encode(SERVER.public_key).decode()
SH1 = {"name": "SH1", "version": "2016", "mode": "per-device"}


def add(server, admin, **changes):
    return server.client.post("/api/v1/hosts", json=SH1 | changes, headers=admin)


def enroll(server, code):
    return server.client.post("/api/v1/hosts:enroll", json={"code": code})


def this_host(server, token):
    return server.client.get("/api/v1/host", headers={"Authorization": f"Bearer {token}"})


def test_an_operator_adds_a_host_and_the_host_changes_its_code_for_a_token(server):
    made = add(server, server.admin(Role.OPERATOR)).json()
    assert made["host"]["enrolled_at"] is None
    assert made["code_expires_at"] == "2026-03-02T08:00:00Z"
    joined = enroll(server, made["code"])
    assert joined.status_code == 200
    assert joined.json()["host"] == SH1
    assert this_host(server, joined.json()["token"]).json() == {
        "name": "SH1",
        "version": "2016",
        "mode": "per-device",
        "mode_from": "host",
        "servers": ["https://ls1.example"],
        "grace_days": 120,
        "per_user": "track",
        "license_keys": [KEY],
        "server_id": a_server().id,
        "server_version": a_server().version,
        "activated": True,
        "issue_until": "9999-12-31T23:59:59Z",
    }
    assert (joined.json()["license_keys"], joined.json()["server_id"]) == ([KEY], a_server().id)


def test_a_code_works_once(server, admin):
    code = add(server, admin).json()["code"]
    assert enroll(server, code).status_code == 200
    again = enroll(server, code)
    assert again.status_code == 401
    assert "used" in again.json()["detail"]


def test_a_code_lives_for_a_day(server, admin):
    code = add(server, admin).json()["code"]
    server.clock.pass_days(1)
    assert enroll(server, code).status_code == 401


def test_a_new_code_takes_the_place_of_the_one_before(server, admin):
    first = add(server, admin).json()["code"]
    second = server.client.post("/api/v1/hosts/SH1:code", headers=admin).json()["code"]
    assert enroll(server, first).status_code == 401
    assert enroll(server, second).status_code == 200


def test_a_host_that_enrolls_again_has_one_token(server, admin):
    old = enroll(server, add(server, admin).json()["code"]).json()["token"]
    code = server.client.post("/api/v1/hosts/SH1:code", headers=admin).json()["code"]
    assert this_host(server, old).status_code == 200
    new = enroll(server, code).json()["token"]
    assert this_host(server, old).status_code == 401
    assert this_host(server, new).status_code == 200


def test_who_guesses_is_slowed_down_and_let_in_again_after_a_minute(server, admin):
    code = add(server, admin).json()["code"]
    answers = [enroll(server, "AAAA-AAAA-AAAA-AAAA").status_code for _ in range(21)]
    assert answers == [401] * 20 + [429]
    slowed = enroll(server, code)
    assert slowed.headers["retry-after"] == "60"
    server.clock.pass_days(61 / 86400)
    assert enroll(server, code).status_code == 200


def test_a_code_carries_the_certificates_fingerprint(tmp_path):
    with an_api_server(tmp_path, fingerprint=b"f" * 32) as server:
        code = add(server, server.admin()).json()["code"]
        assert read_code(code).fingerprint == b"f" * 32
        assert enroll(server, code).status_code == 200


def test_a_host_is_known_by_its_name_without_regard_to_case(server, admin):
    add(server, admin)
    assert server.client.get("/api/v1/hosts/sh1", headers=admin).json()["name"] == "SH1"
    twice = add(server, admin, name="sh1")
    assert twice.status_code == 409
    assert twice.json()["detail"] == "session host sh1 is known already: change it, or ask for a new code for it"


def test_a_removed_host_is_locked_out_at_once_and_may_come_back(server, admin):
    token = enroll(server, add(server, admin).json()["code"]).json()["token"]
    assert this_host(server, token).status_code == 200
    assert server.client.delete("/api/v1/hosts/SH1", headers=admin).json()["outcome"] == "removed"
    assert this_host(server, token).status_code == 401
    assert server.client.get("/api/v1/hosts/SH1", headers=admin).status_code == 404
    assert add(server, admin, version="2019").status_code == 200
    assert [x["version"] for x in server.client.get("/api/v1/hosts", headers=admin).json()["items"]] == ["2019"]
    assert this_host(server, token).status_code == 401


def test_a_host_that_changes_is_served_as_what_it_is_now(server, admin):
    host = server.host(version="2016")
    changed = server.client.patch("/api/v1/hosts/SH1", json={"mode": "per-user", "version": "2019"}, headers=admin)
    assert changed.json()["host"]["mode"] == "per-user"
    assert server.ask(host, "alice")["license"]["version"] == "2019"


def test_a_policy_wins_over_the_hosts_own_mode_and_shows_that_it_does(server, admin):
    host = server.host(group="farm1")
    body = {"mode": "per-user", "servers": ["https://a.example", "http://127.0.0.1:8460"]}
    answer = server.client.put("/api/v1/policies/farm1", json=body, headers=admin)
    assert answer.json() == {"outcome": "set", "reason": [], "detail": None, "policy": {"group": "farm1"} | body}
    seen = server.client.get("/api/v1/host", headers=host).json()
    assert (seen["mode"], seen["mode_from"], seen["servers"]) == ("per-user", "policy", body["servers"])
    assert server.ask(host, "alice")["license"]["type"] == "per-user"
    shown = server.client.get("/api/v1/hosts/SH1", headers=admin).json()
    assert (shown["mode"], shown["own_mode"], shown["mode_from"]) == ("per-user", "per-device", "policy")
    assert server.client.delete("/api/v1/policies/farm1", headers=admin).json()["outcome"] == "removed"
    assert server.client.get("/api/v1/host", headers=host).json()["mode_from"] == "host"


@pytest.mark.parametrize(
    "address",
    [
        "http://a.example",
        "ftp://a",
        "https://",
        "https://a b",
        "https://u:p@a",
        "https://a?x",
        "https://[",
        "https://a:99999",
        "x",
    ],
)
def test_an_address_that_hosts_could_not_trust_is_no_policy(server, admin, address):
    answer = server.client.put("/api/v1/policies/farm1", json={"servers": [address]}, headers=admin)
    assert answer.status_code == 400
    assert answer.json()["field"] == "servers"


def test_a_policy_names_each_server_once(server, admin):
    body = {"servers": ["https://a.example", "https://a.example"]}
    answer = server.client.put("/api/v1/policies/farm1", json=body, headers=admin)
    assert (answer.status_code, answer.json()["field"]) == (400, "servers")


def test_a_policy_that_is_not_there_cannot_be_removed(server, admin):
    assert server.client.delete("/api/v1/policies/farm1", headers=admin).status_code == 404


def test_lists_come_in_pages(server, admin):
    for number in range(5):
        add(server, admin, name=f"H{number}")
    names, after = [], None
    while True:
        query = {"limit": 2} | ({"after": after} if after else {})
        page = server.client.get("/api/v1/hosts", params=query, headers=admin).json()
        names += [x["name"] for x in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert names == ["H0", "H1", "H2", "H3", "H4"]


def test_a_host_of_one_mode_cannot_ask_for_the_other(server):
    host = server.host(mode=USER)
    body = {"request_id": "1", "device": {"name": "PC1", "hardware_id": "aa"}}
    answer = server.client.post("/api/v1/licenses:request", json=body, headers=host)
    assert answer.status_code == 400
