"""Does the audit trail come out whole, and does everything that administrators do pass its verification?"""

import json

import pytest

from calward.domain.roles import Role
from tests.support.builders import USER


@pytest.fixture
def used(server, admin):
    """Something of every kind that this API can do."""
    server.install("P1", total=5)
    host = server.host("SH1", group="farm1")
    server.host("SH2", mode=USER)
    server.prove(host, "D1")
    client = server.client
    client.put("/api/v1/policies/farm1", json={"mode": "per-user", "servers": ["https://a.example"]}, headers=admin)
    client.patch("/api/v1/hosts/SH2", json={"version": "2019", "group": "farm1"}, headers=admin)
    client.patch("/api/v1/hosts/SH2", json={"group": ""}, headers=admin)
    client.delete("/api/v1/hosts/SH2", headers=admin)
    client.post("/api/v1/hosts", json={"name": "SH2", "version": "2022", "mode": "per-user"}, headers=admin)
    client.put("/api/v1/policies/farm2", json={}, headers=admin)
    client.delete("/api/v1/policies/farm2", headers=admin)
    client.patch("/api/v1/server/settings", json={"user_days": 30}, headers=admin)
    token = client.post("/api/v1/tokens", json={"name": "x", "role": "viewer"}, headers=admin).json()
    client.delete(f"/api/v1/tokens/{token['id']}", headers=admin)
    client.post("/api/v1/packs", content=b"nonsense", headers=admin)
    client.post("/api/v1/server:deactivate", headers=admin)
    return server


def test_whatever_administrators_did_the_ledger_holds(used, admin):
    found = used.client.post("/api/v1/audit/verify", headers=used.admin(Role.AUDITOR)).json()
    assert found["findings"] == []
    assert found["holds"] is True
    assert found["size"] == found["events"] > 15
    assert admin


def test_a_checkpoint_kept_elsewhere_must_still_agree(used, admin):
    kept = used.client.get("/api/v1/audit/checkpoint", headers=admin).text
    used.client.patch("/api/v1/server/settings", json={"user_days": 31}, headers=admin)
    assert used.client.post("/api/v1/audit/verify", json={"checkpoint": kept}, headers=admin).json()["holds"] is True
    lines = kept.split("\n")
    forged = "\n".join([*lines[:2], "A" * 43 + "=", *lines[3:]])
    found = used.client.post("/api/v1/audit/verify", json={"checkpoint": forged}, headers=admin).json()
    assert found["holds"] is False


@pytest.mark.parametrize("text", ["", "nonsense", "a\n1\nb\n", "\ud800"])
def test_what_is_no_checkpoint_is_malformed_or_found_wanting(used, admin, text):
    body = json.dumps({"checkpoint": text}).encode()
    headers = admin | {"Content-Type": "application/json"}
    answer = used.client.post("/api/v1/audit/verify", content=body, headers=headers)
    assert answer.status_code == 400 or answer.json()["holds"] is (text == ""), answer.text


def test_the_export_has_every_event_and_the_checkpoint_last(used, admin):
    answer = used.client.get("/api/v1/audit/export", headers=admin)
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert [line["position"] for line in lines[:-1]] == list(range(1, len(lines)))
    assert f"\n{len(lines) - 1}\n" in lines[-1]["checkpoint"]


def test_events_can_be_followed(used, admin):
    def events(**query):
        return used.client.get("/api/v1/audit/events", params=query, headers=admin).json()

    first = events(limit=5)
    assert [x["position"] for x in first["items"]] == [1, 2, 3, 4, 5]
    assert first["next"] == "5"
    rest = events(limit=500, after=first["next"])
    assert rest["items"][0]["position"] == 6
    assert rest["next"] is None
    assert events(limit=2, last=True)["items"] == rest["items"][-2:]
