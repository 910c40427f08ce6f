"""Does ``?dry_run=true`` tell what would happen, by the same rules, and change nothing?"""

import pytest

from calward.domain.roles import Role
from calward.entrypoints.api.rehearsal import NOT_TRIED


@pytest.fixture
def busy(server):
    server.install("P1", total=5)
    server.install("P2", version="2019", total=5)
    host = server.host("SH1")
    server.prove(host, "D1")
    return server


def state(server, admin):
    """All that can be seen, and every event."""
    lists = [server.client.get(f"/api/v1/{one}", headers=admin).json() for one in SEEN]
    return lists, [line for line in server.services.audit.export() if '"position"' in line]


SEEN = ("packs", "licenses", "hosts", "policies", "tokens", "server")
ACTS = [
    ("DELETE", "packs/P2", None, "removed"),
    ("DELETE", "packs/P1", None, "refused"),
    ("POST", "licenses/{license}:revoke", None, "revoked"),
    ("POST", "licenses/{license}:release", None, "refused"),
    ("POST", "holders:erase", {"device": "D1"}, "refused"),
    ("POST", "hosts", {"name": "SH2", "version": "2016", "mode": "per-device"}, "possible"),
    ("POST", "hosts/SH1:code", None, "possible"),
    ("PATCH", "hosts/SH1", {"mode": "per-user"}, "possible"),
    ("DELETE", "hosts/SH1", None, "removed"),
    ("PUT", "policies/farm1", {"mode": "per-user", "servers": []}, "possible"),
    ("POST", "tokens", {"name": "x", "role": "viewer", "days": 1}, "possible"),
    ("PATCH", "server/settings", {"per_user": "enforce"}, "set"),
    ("POST", "server:deactivate", None, "deactivated"),
]


@pytest.mark.parametrize(("method", "target", "body", "outcome"), ACTS)
def test_an_act_is_told_and_not_done(busy, admin, method, target, body, outcome):
    [license_] = busy.client.get("/api/v1/licenses", headers=admin).json()["items"]
    before = state(busy, admin)
    address = f"/api/v1/{target.format(license=license_['id'])}"
    answer = busy.client.request(method, f"{address}?dry_run=true", json=body, headers=admin)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["outcome"], answer.json()["dry_run"]) == (outcome, True)
    assert "token" not in answer.json()
    assert "code" not in answer.json()
    assert before[1]
    assert state(busy, admin) == before


def test_what_comes_after_it_is_as_if_nothing_had_been(busy, admin):
    for dry in ("?dry_run=true", "?dry_run=true", ""):
        answer = busy.client.delete(f"/api/v1/packs/P2{dry}", headers=admin)
        assert answer.json()["outcome"] == "removed"
    assert busy.client.delete("/api/v1/packs/P2?dry_run=true", headers=admin).status_code == 404


@pytest.mark.parametrize("said", ["1", "True", "yes", "", "true&dry_run=false"])
def test_what_is_neither_true_nor_false_does_nothing(busy, admin, said):
    before = state(busy, admin)
    answer = busy.client.delete(f"/api/v1/packs/P2?dry_run={said}", headers=admin)
    assert (answer.status_code, answer.json()["field"]) == (400, "dry_run")
    assert state(busy, admin) == before


@pytest.mark.parametrize(("method", "target", "body", "outcome"), ACTS)
def test_the_document_says_how_a_try_is_answered(busy, admin, method, target, body, outcome):
    document = busy.client.get("/api/openapi.json").json()
    path = "/api/v1/" + target.replace("SH1", "{host}").replace("farm1", "{group}")
    path = path.replace("P1", "{pack}").replace("P2", "{pack}")
    answer = document["paths"][path][method.lower()]["responses"]["200"]["content"]["application/json"]["schema"]
    assert {"$ref": "#/components/schemas/Tried"} in answer["anyOf"]


def test_a_role_that_may_not_may_not_try(busy):
    assert busy.client.delete("/api/v1/packs/P2?dry_run=true", headers=busy.admin(Role.VIEWER)).status_code == 403


def test_a_pack_is_tried_from_its_file(busy, admin):
    content = busy.clearinghouse.pack()
    answer = busy.client.post("/api/v1/packs?dry_run=true", content=content, headers=admin)
    assert answer.json()["dry_run"] is True
    assert busy.client.get("/api/v1/packs", headers=admin).json()["items"][0]["id"] == "P1"


@pytest.mark.parametrize("path", sorted(NOT_TRIED))
def test_what_cannot_be_tried_says_so_and_does_nothing(busy, admin, path):
    before = state(busy, admin)
    answer = busy.client.post(f"{path}?dry_run=true", json={"code": "x"}, headers=admin)
    assert answer.status_code == 400
    assert answer.json()["field"] == "dry_run"
    assert state(busy, admin) == before


def test_reading_goes_on_as_ever(busy, admin):
    found = busy.client.get("/api/v1/packs?dry_run=true", headers=admin).json()
    assert [one["id"] for one in found["items"]] == ["P1", "P2"]
