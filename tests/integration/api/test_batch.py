"""Are many questions of a host answered in one call as they would be one by one?"""

import json

import pytest

from calward.domain.envelope import decode_envelope
from calward.domain.statements import PayloadType
from tests.support.builders import USER

LARGE = 1 << 20


@pytest.fixture
def host(server):
    """A host of users, with CALs for two of them."""
    server.install("P1", type_=USER, total=2)
    return server.host(mode=USER)


def ask(request_id, user, **more):
    return {"do": "request", "request_id": request_id, "user": user, **more}


def batch(server, host, *requests):
    return server.client.post("/api/v1/licenses:batch", json={"requests": requests}, headers=host)


def test_each_is_answered_in_its_place_as_if_it_had_come_alone(server, host):
    answers = batch(server, host, ask("r1", "alice"), ask("r2", "bob"), ask("r3", "cid")).json()["answers"]
    assert [x["license"]["status"] for x in answers] == ["active", "active", "over-used"]
    for user, request_id, found in zip(("alice", "bob", "cid"), ("r1", "r2", "r3"), answers, strict=True):
        alone = server.ask(host, user, request_id)
        assert {key: value for key, value in alone.items() if key != "signed"} == found


def test_one_signature_covers_all_licenses(server, host):
    found = batch(server, host, ask("r1", "alice"), ask("r2", "bob")).json()
    envelope = decode_envelope(json.dumps(found["signed"], separators=(",", ":")).encode(), max_size=LARGE)
    assert envelope.payload_type == PayloadType.LICENSES
    signed = json.loads(envelope.payload)
    assert [x["license"] for x in signed] == [x["license"] for x in found["answers"]]
    assert [x["holder"] for x in signed] == [{"user": "alice"}, {"user": "bob"}]
    envelopes = [server.ask(host, user, id_)["signed"] for user, id_ in (("alice", "r1"), ("bob", "r2"))]
    payloads = [decode_envelope(json.dumps(x, separators=(",", ":")).encode()).payload for x in envelopes]
    assert [json.loads(x) for x in payloads] == signed


def test_a_batch_that_comes_again_gets_the_same_bytes(server, host):
    first, second = (batch(server, host, ask("r1", "alice"), ask("r2", "bob")).content for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "wrong",
    [
        ask("r2", " space"),
        ask("r2", ""),
        ask("x" * 65, "bob"),
        ask("r2", None),
        ask("r2", None, device={"name": "PC1", "hardware_id": "0A"}),
        {"do": "confirm", "license": "nonsense"},
    ],
)
def test_what_is_wrong_with_one_keeps_nobody_from_being_served(server, host, wrong):
    first, refused, last = batch(server, host, ask("r1", "alice"), wrong, ask("r3", "cid")).json()["answers"]
    assert (first["license"]["status"], last["license"]["status"]) == ("active", "active")
    assert (refused["outcome"], refused["status"]) == ("error", 400)
    assert refused["detail"]


def test_a_used_id_is_one_answers_error(server, host):
    first, refused = batch(server, host, ask("r1", "alice"), ask("r1", "bob")).json()["answers"]
    assert first["outcome"] == "granted"
    assert (refused["outcome"], refused["status"]) == ("error", 409)


def test_a_logon_is_confirmed_beside_questions(server):
    host = server.host("SH2")
    server.install("P2", total=1)
    asked = {"do": "request", "request_id": "r1", "device": {"name": "PC1", "hardware_id": "0A"}}
    [first] = batch(server, host, asked).json()["answers"]
    assert first["license"]["status"] == "temporary"
    confirm = {"do": "confirm", "license": first["license"]["id"]}
    confirmed, second = batch(server, host, confirm, asked | {"request_id": "r2"}).json()["answers"]
    assert confirmed["outcome"] == "confirmed"
    assert second["license"]["status"] == "active"


def test_nothing_asked_is_nothing_answered(server, host):
    assert batch(server, host).json() == {"answers": [], "signed": None}


def test_more_than_a_thousand_at_once_are_refused_whole(server, host):
    answer = batch(server, host, *(ask(f"r{n}", f"user{n}") for n in range(1001)))
    assert (answer.status_code, server.ask(host, "alice")["license"]["status"]) == (400, "active")
    assert "1000" in answer.json()["detail"]


def test_a_stranger_gets_nothing(server):
    assert batch(server, {}, ask("r1", "alice")).status_code == 401
