"""How does what a clearinghouse signed come in, and what is refused with which help?"""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calward.app.licensing.activate_online import asked_online
from calward.domain.roles import Role
from tests.support.api_server import an_api_server
from tests.support.builders import USER

ENVELOPE = {"Content-Type": "application/vnd.dsse.envelope.v1+json"}


@pytest.fixture
def ring(server, admin):
    """A server that has its clearinghouse's keyring."""
    answer = server.client.put(
        "/api/v1/server/keyring", content=server.clearinghouse.keyring(), headers=admin | ENVELOPE
    )
    assert answer.json()["outcome"] == "accepted"
    return server


def install(server, admin, envelope):
    answer = server.client.post("/api/v1/packs", content=envelope, headers=admin | ENVELOPE)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_pack_is_installed_shown_and_removed(ring, admin):
    done = install(ring, admin, ring.clearinghouse.pack("2012R2", total=3))
    assert done["outcome"] == "installed"
    pack = done["pack"]
    assert (pack["version"], pack["type"], pack["total"], pack["available"]) == ("2012R2", "per-device", 3, 3)
    assert pack["opens"] == ["2000", "2003", "2008", "2008R2", "2012", "2012R2"]
    assert ring.client.get(f"/api/v1/packs/{pack['id']}", headers=admin).json() == pack
    assert ring.client.get("/api/v1/packs", headers=admin).json() == {"items": [pack], "next": None}
    assert ring.client.delete(f"/api/v1/packs/{pack['id']}", headers=admin).json()["outcome"] == "removed"
    assert ring.client.get(f"/api/v1/packs/{pack['id']}", headers=admin).status_code == 404


def test_a_pack_that_is_used_is_not_removed(ring, admin):
    pack = install(ring, admin, ring.clearinghouse.pack(cal_type=USER))["pack"]
    ring.ask(ring.host(mode=USER), "alice")
    refused = ring.client.delete(f"/api/v1/packs/{pack['id']}", headers=admin).json()
    assert refused["outcome"] == "refused"
    assert refused["reason"] == ["pack-in-use"]
    assert refused["held"] == 1


def test_a_pack_is_installed_once(ring, admin):
    install(ring, admin, ring.clearinghouse.pack())
    again = install(ring, admin, ring.clearinghouse.pack())
    assert again["reason"] == ["pack-already-installed"]
    assert "nothing was changed" in again["detail"]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"server_id": "07" * 16}, "for-another-server"),
        ({"ladder": "harbor"}, "unknown-ladder"),
        ({"version": "2099"}, "unknown-version"),
    ],
)
def test_a_pack_that_is_not_for_this_server_is_refused_with_the_reason(ring, admin, changes, reason):
    refused = install(ring, admin, ring.clearinghouse.pack(**changes))
    assert (refused["outcome"], refused["reason"]) == ("refused", [reason])
    assert len(refused["detail"]) > 30


def test_without_a_keyring_no_pack_is_believed(server, admin):
    refused = install(server, admin, server.clearinghouse.pack())
    assert refused["reason"] == ["key-not-trusted"]
    assert "keyring" in refused["detail"]


def test_what_is_refused_is_written_down(ring, admin):
    install(ring, admin, b"{}")
    events = ring.client.get("/api/v1/audit/events", params={"last": True, "limit": 1}, headers=admin).json()
    event = events["items"][0]["event"]
    assert (event["kind"], event["act"], event["reasons"]) == ("act-refused", "install", ["malformed"])
    assert event["by"] == "token:test license-administrator"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_pack_is_refused_and_nothing_else_happens(ring, admin, data):
    whole = ring.clearinghouse.pack()
    at = data.draw(st.integers(0, len(whole) - 1))
    broken = data.draw(
        st.sampled_from(
            [whole[:at], whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :], whole[:at] + b"\xff" + whole[at:]]
        )
    )
    assert install(ring, admin, broken)["outcome"] == "refused"
    assert ring.client.get("/api/v1/packs", headers=admin).json()["items"] == []


def test_a_server_is_activated_online(tmp_path):
    with an_api_server(tmp_path, activated=False) as server:
        admin = server.admin()
        body = {"clearinghouse": "https://ch.example"}
        done = server.client.post("/api/v1/server:activate", json=body, headers=admin).json()
        assert done == {"outcome": "activated", "reason": [], "detail": None, "issue_until": "2026-03-31T08:00:00Z"}
        shown = server.client.get("/api/v1/server", headers=admin).json()
        assert (shown["activated"], shown["blocked"]) == (True, None)
        assert server.ledger.write(asked_online) == "https://ch.example", "it is renewed there"
        assert (
            server.client.get("/api/v1/status", headers=admin)
            .json()["line"]
            .startswith("nothing stops before 2026-03-31; first: the right to issue ends")
        )
        assert server.client.post("/api/v1/server:deactivate", headers=admin).json()["outcome"] == "deactivated"
        again = server.client.post("/api/v1/server:deactivate", headers=admin).json()
        assert again["reason"] == ["nothing-to-do"]


def test_a_server_is_activated_by_files(tmp_path):
    with an_api_server(tmp_path, activated=False) as server:
        admin, office = server.admin(), server.clearinghouse
        server.client.put("/api/v1/server/keyring", content=office.keyring(), headers=admin | ENVELOPE)
        request = server.client.get("/api/v1/server/activation-request", headers=admin).content
        answer = office.activate(request, issue_until=None)
        done = server.client.post("/api/v1/server:activate", content=answer, headers=admin | ENVELOPE).json()
        assert (done["outcome"], done["issue_until"]) == ("activated", "perpetual")


def test_an_activation_of_another_server_is_refused(ring, admin):
    request = ring.client.get("/api/v1/server/activation-request", headers=admin).content
    answer = ring.clearinghouse.activate(request, server_id="07" * 16)
    refused = ring.client.post("/api/v1/server:activate", content=answer, headers=admin | ENVELOPE).json()
    assert refused["reason"] == ["for-another-server"]


@pytest.mark.parametrize("body", [b"", b"[]", b"nonsense", b'{"clearinghouse":"https://x","more":1}', b"[" * 5000])
def test_what_is_no_activation_is_refused(ring, admin, body):
    answer = ring.client.post("/api/v1/server:activate", content=body, headers=admin)
    assert (answer.status_code, answer.json()["reason"]) == (200, ["malformed"])


def test_an_address_that_is_none_is_malformed(ring, admin):
    answer = ring.client.post("/api/v1/server:activate", json={"clearinghouse": 5}, headers=admin)
    assert (answer.status_code, answer.json()["field"]) == (400, "clearinghouse")


def test_an_older_keyring_does_not_come_back(ring, admin):
    ring.client.put("/api/v1/server/keyring", content=ring.clearinghouse.keyring(5), headers=admin)
    refused = ring.client.put("/api/v1/server/keyring", content=ring.clearinghouse.keyring(4), headers=admin).json()
    assert refused["reason"] == ["keyring-outdated"]


def test_settings_are_changed_by_name(server, admin):
    body = {"per_user": "enforce", "low_share": 0.05, "user_days": 30, "prevent_license_upgrade": True}
    done = server.client.patch("/api/v1/server/settings", json=body, headers=admin).json()
    assert done["outcome"] == "set"
    wanted = body | {"low_share": "0.05"}
    assert {key: done["settings"][key] for key in body} == wanted
    assert {key: server.client.get("/api/v1/server", headers=admin).json()["settings"][key] for key in body} == wanted


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"nonsense": 1},
        {"user_days": 0},
        {"user_days": "x"},
        {"low_share": 2},
        {"user_days": [1]},
        {"user_days": None},
    ],
)
def test_a_setting_that_cannot_be_is_refused(server, admin, body):
    answer = server.client.patch("/api/v1/server/settings", json=body, headers=admin)
    assert answer.status_code == 400, answer.text
    assert server.client.get("/api/v1/server", headers=admin).json()["settings"]["user_days"] == 60


@pytest.mark.parametrize("text", ['{"low_share": NaN}', '{"low_share": 1e999}', '{"low_share": -Infinity}'])
def test_a_number_that_is_none_is_refused(server, admin, text):
    headers = admin | {"Content-Type": "application/json"}
    answer = server.client.patch("/api/v1/server/settings", content=text, headers=headers)
    assert answer.status_code == 400
    assert json.loads(answer.text)["status"] == 400


def test_an_operator_may_not_touch_packs(ring):
    answer = ring.client.post("/api/v1/packs", content=b"x", headers=ring.admin(Role.OPERATOR))
    assert answer.status_code == 403
    assert "manage-packs" in answer.json()["detail"]


def test_a_misspelled_word_of_a_recovery_is_refused(server, admin):
    body = {"accept_loss": True, "reson": "rebuild"}
    answer = server.client.post("/api/v1/server:recover", json=body, headers=admin)
    assert answer.status_code == 400
    assert "reson" in answer.json()["detail"]
