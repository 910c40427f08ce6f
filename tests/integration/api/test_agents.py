"""What do hosts' agents tell, what do they hear, and what is shown of it?"""

import base64
import json

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sqlalchemy import event

from calward.app.heartbeats import MAX_SESSIONS
from calward.domain.envelope import decode_envelope
from calward.domain.issued_license import IssuedLicense
from tests.support.builders import NOW, USER, a_server
from tests.support.signed import SERVER

KEY = base64.b64encode(SERVER.public_key).decode()
SESSION = {
    "line": ":10",
    "user": "alice",
    "license": "L1",
    "hardware_id": "0a" * 20,
    "since": "2026-03-01T07:00:00Z",
}
EMPTY = {"agent": "1.0", "sessions": []}


def beat(server, host, **changes):
    return server.client.post("/api/v1/host:heartbeat", json=EMPTY | changes, headers=host)


def shown(server, admin, name="SH1"):
    return server.client.get(f"/api/v1/hosts/{name}", headers=admin).json()


def spki(key):
    return base64.b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def certify(server, host, public_key):
    return server.client.post("/api/v1/host:certificate", json={"public_key": public_key}, headers=host)


@pytest.fixture
def host(server):
    return server.host()


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


# --- heartbeats ------------------------------------------------------------------------------------------------------


def test_a_host_hears_its_policy_the_keys_and_the_time(server, host):
    heard = beat(server, host).json()
    assert heard["host"] == server.client.get("/api/v1/host", headers=host).json()
    assert (heard["license_keys"], heard["server_id"]) == ([KEY], a_server().id)
    assert (heard["revoked"], heard["now"]) == ([], "2026-03-01T08:00:00Z")


def test_what_a_host_tells_is_shown_with_the_host(server, host, admin):
    beat(server, host, sessions=[SESSION, SESSION | {"line": ":11", "license": None, "hardware_id": None}])
    found = shown(server, admin)
    assert (found["heard_at"], found["agent"], found["live_sessions"]) == ("2026-03-01T08:00:00Z", "1.0", 2)
    assert found["sessions"][0] == SESSION
    [listed] = server.client.get("/api/v1/hosts", headers=admin).json()["items"]
    assert listed == {key: value for key, value in found.items() if key != "sessions"}


def test_a_host_that_never_told_anything_shows_that(server, host, admin):
    found = shown(server, admin)
    assert (found["heard_at"], found["agent"], found["live_sessions"], found["sessions"]) == (None, None, None, [])


def test_the_newest_heartbeat_of_each_host_is_kept(server, host, admin):
    other = server.host("SH2")
    beat(server, host, sessions=[SESSION])
    beat(server, other, agent="2.0")
    server.clock.pass_days(1)
    beat(server, host, agent="1.1")
    assert [shown(server, admin)[x] for x in ("agent", "live_sessions", "sessions")] == ["1.1", 0, []]
    assert (shown(server, admin, "SH2")["agent"], shown(server, admin, "SH2")["heard_at"]) == (
        "2.0",
        "2026-03-01T08:00:00Z",
    )


def test_a_heartbeat_that_was_overtaken_does_not_win(server, host, admin):
    server.clock.pass_days(1)
    beat(server, host, agent="new")
    server.clock.pass_days(-0.5)
    beat(server, host, agent="old")
    assert shown(server, admin)["agent"] == "new"


def test_a_removed_host_leaves_no_names_of_users_behind(server, host, admin):
    beat(server, host, sessions=[SESSION])
    number = server.services.reader.host("SH1").host.id
    assert server.services.reader.heartbeat(number).sessions[0].user == "alice"
    server.client.delete("/api/v1/hosts/SH1", headers=admin)
    assert server.services.reader.heartbeat(number) is None


def test_as_many_sessions_as_are_promised_fit_and_one_more_is_refused(server, host, admin):
    many = [SESSION | {"line": f":{n}", "user": f"user{n}@example.org"} for n in range(MAX_SESSIONS)]
    assert beat(server, host, sessions=many).status_code == 200
    assert shown(server, admin)["live_sessions"] == MAX_SESSIONS
    assert beat(server, host, sessions=[*many, SESSION]).status_code == 400
    assert len(shown(server, admin)["sessions"]) == MAX_SESSIONS


@pytest.mark.parametrize(
    "change",
    [
        {"agent": ""},
        {"agent": "x" * 65},
        {"agent": "\x1b[2J"},
        {"agent": 5},
        {"sessions": None},
        {"sessions": [SESSION | {"user": "a\nb"}]},
        {"sessions": [SESSION | {"user": ""}]},
        {"sessions": [SESSION | {"line": "x" * 65}]},
        {"sessions": [SESSION | {"license": "\u202e"}]},
        {"sessions": [SESSION | {"hardware_id": "x" * 256}]},
        {"sessions": [SESSION | {"since": "yesterday"}]},
        {"sessions": [SESSION | {"since": "2026-03-01T08:00:00+01:00"}]},
        {"sessions": [SESSION | {"more": 1}]},
        {"sessions": [{}]},
        {"more": 1},
    ],
)
def test_a_heartbeat_that_is_wrong_changes_nothing(server, host, admin, change):
    answer = beat(server, host, **change)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert shown(server, admin)["heard_at"] is None


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'"x"', json.dumps({"agent": "\ud800"}).encode()])
def test_a_body_that_is_no_heartbeat_is_malformed(server, host, body):
    assert server.client.post("/api/v1/host:heartbeat", content=body, headers=host).status_code == 400


def test_a_body_without_end_is_not_read(server, host):
    answer = server.client.post("/api/v1/host:heartbeat", content=b" " * ((4 << 20) + 1), headers=host)
    assert answer.status_code == 413
    assert "larger" in answer.json()["detail"]


def test_a_policy_is_heard_with_the_next_heartbeat(server, admin):
    host = server.host(group="farm1")
    body = {"mode": "per-user", "servers": ["https://a.example"]}
    server.client.put("/api/v1/policies/farm1", json=body, headers=admin)
    heard = beat(server, host).json()["host"]
    assert (heard["mode"], heard["mode_from"], heard["servers"]) == ("per-user", "policy", ["https://a.example"])


# --- revocations -----------------------------------------------------------------------------------------------------


def test_a_revoked_license_is_told_until_it_would_have_ended(server, host, admin):
    server.install("P1", total=5)
    license_ = server.prove(host, "d1")["license"]
    kept = server.prove(host, "d2")["license"]
    assert beat(server, host).json()["revoked"] == []
    server.client.post(f"/api/v1/licenses/{license_['id']}:revoke", headers=admin)
    assert beat(server, host).json()["revoked"] == [license_["id"]]
    assert beat(server, server.host("SH2")).json()["revoked"] == [license_["id"]]
    assert kept["id"] != license_["id"]
    server.clock.pass_days(90)
    assert beat(server, host).json()["revoked"] == []


def test_of_too_many_revoked_ones_those_that_would_run_longest_are_told(server, host, admin):
    server.install("P1", total=20)
    given = []
    for n in range(3):
        given.append(server.prove(host, f"d{n}")["license"])
        server.clock.pass_days(1)
        server.client.post(f"/api/v1/licenses/{given[-1]['id']}:revoke", headers=admin)
    by_end = sorted(given, key=lambda one: one["expires_at"], reverse=True)
    found = server.services.reader.revoked(NOW, 2)
    assert [f"L{number}" for number in found] == [one["id"] for one in by_end[:2]]


def test_what_was_revoked_long_ago_costs_nothing(server):
    # The query goes through the partial index by family and end: what has ended is never read.
    engine = server.services.reader.engine
    seen = []
    event.listen(engine, "before_cursor_execute", lambda *args: seen.append((args[2], args[3])))
    server.install("P1", total=5)
    host = server.host()
    license_ = server.prove(host, "d1")["license"]
    server.client.post(f"/api/v1/licenses/{license_['id']}:revoke", headers=server.admin())
    seen.clear()
    assert len(server.services.reader.revoked(NOW, 10)) == 1
    with engine.connect() as connection:
        plans = [
            " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}", values))
            for text, values in list(seen)
            if text.startswith("SELECT")
        ]
    assert len(plans) == 2
    assert all("license_revoked" in plan for plan in plans), plans
    assert "expires_at>" in plans[-1]


# --- certificates ----------------------------------------------------------------------------------------------------


def test_a_hosts_key_is_certified_under_the_wire_authority(server, host, rsa_key):
    answer = certify(server, host, spki(rsa_key)).json()
    root, leaf = [x509.load_der_x509_certificate(base64.b64decode(one)) for one in answer["chain"]]
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert leaf.public_key() == rsa_key.public_key()
    assert leaf.subject.rfc4514_string() == "CN=SH1"
    assert answer["expires_at"] == "2027-03-01T08:00:00Z"


def test_every_host_gets_the_same_root(server, host, rsa_key):
    other = server.host("SH2")
    chains = [certify(server, one, spki(rsa_key)).json()["chain"] for one in (host, other)]
    assert chains[0][0] == chains[1][0]
    assert chains[0][1] != chains[1][1]


@pytest.mark.parametrize("key", ["", "AAAA", "%", "ä", "A" * 2000, 5, None])
def test_what_is_no_key_is_malformed(server, host, key):
    assert certify(server, host, key).status_code == 400


def test_only_rsa_of_2048_bits_with_the_usual_exponent_is_certified(server, host):
    keys = [
        rsa.generate_private_key(3, 2048),
        rsa.generate_private_key(65537, 1024),
        ec.generate_private_key(ec.SECP256R1()),
    ]
    assert {certify(server, host, spki(key)).status_code for key in keys} == {400}


# --- signed licenses -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["per-device", "per-user"])
def test_what_the_server_signs_is_what_hosts_read(server, mode):
    host = server.host(mode=USER) if mode == "per-user" else server.host()
    server.install("P1", total=1, **({"type_": USER} if mode == "per-user" else {}))
    answer = server.ask(host, "döner \"quoted\" \\ 'x'")
    envelope = decode_envelope(json.dumps(answer["signed"], ensure_ascii=False, separators=(",", ":")).encode())
    issued = IssuedLicense.from_payload(envelope.payload)
    assert issued.to_payload() == envelope.payload
    assert (issued.server, issued.host, issued.id) == (a_server().id, "SH1", answer["license"]["id"])
    assert issued.holder == "döner \"quoted\" \\ 'x'"


def test_a_repeated_request_gets_the_same_signed_bytes(server, host):
    body = {"request_id": "r1", "device": {"name": "PC1", "hardware_id": "aa"}}
    first, second = (server.client.post("/api/v1/licenses:request", json=body, headers=host).content for _ in range(2))
    assert first == second
    assert b'"signed":{' in first
