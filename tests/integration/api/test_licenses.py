"""Who holds what, why, and how is it taken back?"""

import pytest

from tests.support.builders import USER


def items(server, admin, **query):
    answer = server.client.get("/api/v1/licenses", params=query, headers=admin)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


@pytest.fixture
def busy(server):
    """Two devices with a CAL, one stranger; two users, one of them beyond the CALs."""
    server.install("P1", total=5)
    server.install("P2", type_=USER, total=1)
    devices, users = server.host("SH1"), server.host("SH2", mode=USER)
    server.prove(devices, "D1")
    server.prove(devices, "D2")
    server.ask(devices, "D3")
    server.ask(users, "alice")
    server.ask(users, "bob")
    return server


def test_every_license_that_is_no_full_one_says_why(busy, admin):
    found = {x["holder"]: (x["status"], x["why"]) for x in items(busy, admin)}
    assert found == {
        "name of D1": ("active", []),
        "name of D2": ("active", []),
        "name of D3": ("temporary", ["first-contact"]),
        "alice": ("active", []),
        "bob": ("over-used", ["no-cal-free"]),
    }


def test_a_license_is_shown_whole(busy, admin):
    [found] = items(busy, admin, holder="D1")
    assert found == busy.client.get(f"/api/v1/licenses/{found['id']}", headers=admin).json()
    assert found | {"id": "", "decision": ""} == {
        "id": "",
        "holder": "name of D1",
        "holder_kind": "device",
        "hardware_id": "D1",
        "type": "per-device",
        "status": "active",
        "version": "2016",
        "pack": "P1",
        "host": "SH1",
        "issued_at": "2026-03-01T08:00:00Z",
        "expires_at": "2026-04-30T08:00:00Z",
        "ended_at": None,
        "ending": None,
        "decision": "",
        "why": [],
    }


@pytest.mark.parametrize(
    ("query", "holders"),
    [
        ({"type": "per-user"}, {"alice", "bob"}),
        ({"status": "over-used"}, {"bob"}),
        ({"status": "temporary"}, {"name of D3"}),
        ({"pack": "P1"}, {"name of D1", "name of D2"}),
        ({"version": "2016", "type": "per-user"}, {"alice", "bob"}),
        ({"holder": "name of D1"}, {"name of D1"}),
        ({"holder": "ALICE"}, set()),
        ({"host": "SH2"}, {"alice", "bob"}),
        ({"host": "SH"}, set()),
        ({"pack": "P_"}, set()),
    ],
)
def test_a_list_is_restricted_exactly(busy, admin, query, holders):
    assert {x["holder"] for x in items(busy, admin, **query)} == holders


def test_a_list_comes_in_pages_newest_first(busy, admin):
    whole = [x["id"] for x in items(busy, admin, ended="all")]
    assert whole == sorted(whole, key=lambda name: -int(name[1:]))
    found, after = [], None
    while True:
        query = {"limit": 2, "ended": "all"} | ({"after": after} if after else {})
        page = busy.client.get("/api/v1/licenses", params=query, headers=admin).json()
        found += [x["id"] for x in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert found == whole


def test_what_has_ended_is_shown_when_asked_for(busy, admin):
    ended = items(busy, admin, ended="true")
    assert {(x["holder"], x["ending"]) for x in ended} == {("name of D1", "upgraded"), ("name of D2", "upgraded")}
    busy.clock.pass_days(91)
    gone = {x["holder"]: x["ending"] for x in items(busy, busy.admin(name="later"), ended="true")}
    assert gone["name of D3"] == gone["alice"] == "expired"


def test_a_device_license_is_revoked_within_the_limit_that_is_shown_before(busy, admin):
    def revocations():
        return busy.client.get("/api/v1/revocations", headers=admin).json()["items"]

    assert revocations() == [{"family": "2016", "installed": 5, "limit": 1, "used": 0, "remaining": 1, "next_at": None}]
    first, second = (x["id"] for x in items(busy, admin, pack="P1"))
    done = busy.client.post(f"/api/v1/licenses/{first}:revoke", headers=admin).json()
    assert (done["outcome"], done["remaining"], done["next_at"]) == ("revoked", 0, "2026-04-30T08:00:00Z")
    refused = busy.client.post(f"/api/v1/licenses/{second}:revoke", headers=admin).json()
    assert (refused["outcome"], refused["reason"]) == ("refused", ["revocation-limit"])
    assert (revocations()[0]["remaining"], revocations()[0]["next_at"]) == (0, "2026-04-30T08:00:00Z")


def test_a_user_license_is_released_not_revoked(busy, admin):
    [alice] = items(busy, admin, holder="alice")
    refused = busy.client.post(f"/api/v1/licenses/{alice['id']}:revoke", headers=admin).json()
    assert refused["reason"] == ["per-user-not-revocable"]
    assert busy.client.post(f"/api/v1/licenses/{alice['id']}:release", headers=admin).json()["outcome"] == "released"
    assert busy.client.post(f"/api/v1/licenses/{alice['id']}:release", headers=admin).status_code == 404


@pytest.mark.parametrize("name", ["L999", "nonsense", "L", "-1", "9" * 30, "%00", "%F0%9F"])
def test_a_license_that_is_not_there_is_not_found(server, admin, name):
    assert server.client.get(f"/api/v1/licenses/{name}", headers=admin).status_code == 404
    assert server.client.post(f"/api/v1/licenses/{name}:revoke", headers=admin).status_code == 404


@pytest.mark.parametrize(
    "query",
    [{"type": "x"}, {"status": "revoked"}, {"version": "2099"}, {"limit": 0}, {"limit": 501}, {"after": "x"}, {"holder": "a\x00"},
     {"pack": "\u202e"}, {"host": "a b"}, {"ended": "maybe"}, {"holder": "x" * 301}],
)  # fmt: skip
def test_a_filter_that_cannot_be_is_malformed(server, admin, query):
    answer = server.client.get("/api/v1/licenses", params=query, headers=admin)
    assert answer.status_code in {400, 404}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


# Decisions.


def test_a_decision_is_told_with_its_event(busy, admin):
    [bob] = items(busy, admin, holder="bob")
    told = busy.client.get(f"/api/v1/decisions/{bob['decision']}", headers=admin).json()
    assert (told["outcome"], told["decision"], told["host"], told["times"]) == ("granted", bob["decision"], "SH2", 1)
    assert told["reason"] == ["no-cal-free"]
    assert told["sentences"] == ["no CAL that opens this host is free"]
    assert told["trace"][0]["rule"] == "keep"
    assert told["event"]["kind"] == "license"


def test_a_repeated_refusal_says_how_often(server, admin):
    server.client.patch("/api/v1/server/settings", json={"per_user": "enforce"}, headers=admin)
    host = server.host(mode=USER)
    refused = [server.ask(host, "carol", f"try {number}") for number in range(3)]
    assert {x["outcome"] for x in refused} == {"refused"}
    told = server.client.get(f"/api/v1/decisions/{refused[0]['decision']}", headers=admin).json()
    assert (told["outcome"], told["license"], told["times"]) == ("refused", None, 3)


def test_what_would_be_decided_is_told_and_nothing_is_written(busy, admin):
    def explain(**body):
        answer = busy.client.post("/api/v1/explain", json=body, headers=admin)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def count():
        return busy.client.get("/api/v1/audit/events", params={"last": True}, headers=admin).json()["items"][-1][
            "position"
        ]

    before = count()
    assert explain(host="SH1", device="D4")["license"]["status"] == "temporary"
    assert explain(host="sh1", device="name of D1")["license"]["change"] == "kept"
    assert explain(host="SH1", device={"hardware_id": "D2"})["license"]["change"] == "kept"
    dave = explain(host="SH2", user="dave")
    assert (dave["license"]["status"], dave["decision"], dave["reason"]) == ("over-used", None, ["no-cal-free"])
    assert count() == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"host": "SH1"}, 400),
        ({"host": "SH1", "user": "a", "device": "b"}, 400),
        ({"host": "SH1", "user": "a"}, 400),
        ({"host": "SH9", "user": "a"}, 404),
        ({"host": "SH\x00", "user": "a"}, 404),
        ({"host": "SH2", "user": "a\u202e"}, 400),
        ({"host": "SH2", "user": "a", "more": 1}, 400),
        ({"host": "SH1", "device": {"name": "x"}}, 400),
        ([], 400),
        ("x", 400),
    ],
)
def test_a_question_that_cannot_be_is_refused(busy, admin, body, status):
    answer = busy.client.post("/api/v1/explain", json=body, headers=admin)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("name", ["D1", "D999999", "x", "0", "D", "9" * 30])
def test_what_is_no_decision_is_not_found(server, admin, name):
    assert server.client.get(f"/api/v1/decisions/{name}", headers=admin).status_code == 404
