"""What does somebody outside see when something goes wrong?"""

import asyncio
import json
import logging
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.api.agent_routes import MAX_HEARTBEAT as MOST_OF_HEARTBEAT
from calward.entrypoints.api.app import make_app
from calward.entrypoints.api.guard import MAX_BODY
from calward.entrypoints.api.host_routes import MAX_BODY as MOST_OF_HOST
from calward.entrypoints.problems import STATUS

JSON = {"Content-Type": "application/json"}
HOSTILE = [
    "a\x00b",
    "a\nb",
    "a\x1b[2J",
    "\u202egnp.exe",
    "\ud800",
    "x" * 300,
    "",
    " ",
    "../../etc",
    "<script>",
    "';--",
    "%s%n",
    "\U0001f600" * 70,
]


def broken(server, error):
    """The same server, whose reader fails."""

    class Reader:
        def __getattr__(self, name):
            if name == "token_by_hash":
                return server.services.reader.token_by_hash
            raise error

    return TestClient(make_app(replace(server.services, reader=Reader())), raise_server_exceptions=False)


def test_a_bug_shows_its_number_and_nothing_else(server, admin, capsys):
    answer = broken(server, RuntimeError("secret inside")).get("/api/v1/status", headers=admin)
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "secret" not in answer.text
    assert answer.json()["id"] in answer.json()["detail"]
    shown = capsys.readouterr()
    assert answer.json()["id"] in shown.out + shown.err


@pytest.mark.parametrize("problem", Problem)
def test_every_kind_of_error_is_a_problem_document(server, admin, problem):
    answer = broken(server, LicensingError(problem, "the file /secret is broken", field="x")).get(
        "/api/v1/packs", headers=admin
    )
    found = answer.json()
    assert answer.status_code == found["status"] == STATUS[problem]
    assert found["type"] == f"urn:calward:problem:{problem}"
    inside = problem in {Problem.UNAVAILABLE, Problem.CORRUPT}
    assert ("/secret" in found["detail"]) is not inside


def test_what_is_not_there_is_a_problem_document_too(server, admin):
    for method, path in (
        ("GET", "/nothing"),
        ("GET", "/api/v1/nothing"),
        ("PUT", "/api/v1/status"),
        ("GET", "/api/v1/status/"),
    ):
        answer = server.client.request(method, path, headers=admin)
        assert answer.status_code in {404, 405}
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/v1/packs", "GET, POST"),
        ("POST", "/api/v1/hosts/SH1", "DELETE, GET, PATCH"),
        ("DELETE", "/api/v1/status", "GET"),
        ("GET", "/api/v1/licenses:request", "POST"),
        ("PUT", "/api/v1/licenses:confirm", "POST"),
        ("HEAD", "/api/v1/licenses:batch", "POST"),
        ("GET", "/api/v1/host:heartbeat", "POST"),
        ("GET", "/api/v1/host:certificate", "POST"),
        ("POST", "/livez", "GET"),
        ("POST", "/metrics", "GET"),
    ],
)
def test_an_address_says_which_methods_it_takes(server, admin, method, path, allowed):
    answer = server.client.request(method, path, headers=admin)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
    assert answer.headers["content-type"] == "application/problem+json"
    if method != "HEAD":
        assert answer.json()["type"] == "urn:calward:problem:method-not-allowed"


def test_every_answer_carries_the_newest_checkpoint(server, admin):
    for path in ("/api/v1/status", "/api/v1/nothing", "/setup"):
        assert server.client.get(path, headers=admin).headers["calward-checkpoint"] == "bm90ZQ=="


@pytest.mark.parametrize("size", [MAX_BODY + 1, 10 * MAX_BODY])
def test_a_body_that_is_too_large_is_not_read(server, admin, size):
    assert server.client.post("/api/v1/packs", content=b"x" * size, headers=admin).status_code == 413
    parts = (b"x" * 1000 for _ in range(size // 1000 + 1))
    assert server.client.post("/api/v1/packs", content=parts, headers=admin).status_code == 413


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("licenses:request", MOST_OF_HOST),
        ("licenses:confirm", MOST_OF_HOST),
        ("licenses:batch", MOST_OF_HOST),
        ("host:heartbeat", MOST_OF_HEARTBEAT),
    ],
)
def test_nor_is_one_of_a_host(server, path, most):
    host = server.host()
    for content in (b"x" * (most + 1), (b"x" * (most // 8) for _ in range(9))):
        answer = server.client.post(f"/api/v1/{path}", content=content, headers=host | JSON)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:calward:problem:too-large"
        assert str(most) in answer.json()["detail"]


@pytest.mark.parametrize(
    ("address", "field", "told"),
    [
        (
            "licenses?statsu=temporary",
            "statsu",
            "known are type, status, version, pack, holder, host, ended, limit, after",
        ),
        ("licenses?status=temporary&status=active", "status", "given 2 times"),
        ("packs?Limit=1", "Limit", "known are limit, after"),
        ("status?verbose", "verbose", "it takes none"),
        ("hosts/SH1?x=", "x", "it takes none"),
        ("audit/events?%1b[2J=1", "\x1b[2J", "known are limit, after, last"),
        ("audit/export?" + "n" * 500 + "=1", "n" * 500, "it takes none"),
    ],
)
def test_a_query_parameter_that_is_not_known_is_named(server, admin, address, field, told):
    answer = server.client.get(f"/api/v1/{address}", headers=admin)
    assert answer.status_code == 400
    assert answer.json()["type"] == "urn:calward:problem:malformed"
    assert told in answer.json()["detail"]
    assert answer.json()["field"] == "".join(x if x.isprintable() else "?" for x in field[:200])


def test_an_act_with_a_misspelled_parameter_does_nothing(server, admin):
    server.install("P1", total=5)
    answer = server.client.delete("/api/v1/packs/P1?dryrun=true", headers=admin)
    assert (answer.status_code, answer.json()["field"]) == (400, "dryrun")
    assert "known are dry_run" in answer.json()["detail"]
    assert server.client.get("/api/v1/packs/P1", headers=admin).status_code == 200


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "packs/P1"), ("POST", "hosts/SH1:code"), ("POST", "server:deactivate")]
)
def test_an_act_without_a_body_does_nothing_where_there_is_one(server, admin, method, path):
    server.install("P1", total=5)
    server.host("SH1")
    answer = server.client.request(method, f"/api/v1/{path}", content=b'{"dry_run": true}', headers=admin | JSON)
    assert (answer.status_code, answer.json()["field"]) == (400, "body")
    assert server.client.get("/api/v1/packs/P1", headers=admin).status_code == 200
    assert server.client.get("/api/v1/server", headers=admin).json()["activated"]
    dry = server.client.request(method, f"/api/v1/{path}?dry_run=true", content=b"{}", headers=admin | JSON)
    assert dry.status_code == 200


def test_links_to_pages_bear_what_they_like(server):
    assert server.client.get("/setup?code=x&from=mail").status_code == 200


def test_nobody_unknown_hears_what_there_is_to_ask_for(server):
    assert server.client.get("/api/v1/licenses?statsu=temporary").status_code == 401


def test_nobody_unknown_has_a_body_read(server):
    assert server.client.post("/api/v1/packs", content=b"x" * 10 * MAX_BODY).status_code == 401


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 60_000,
        b'{"a":' * 10_000,
        b"\xff",
        b"null",
        b"1e999",
        b'{"name":"\\ud800"}',
        b"NaN",
        b'"' + b"x" * 9000 + b'"',
    ],
)
@pytest.mark.parametrize(
    "path", ["/api/v1/hosts", "/api/v1/tokens", "/api/v1/explain", "/api/v1/setup", "/api/v1/hosts:enroll"]
)
def test_nonsense_is_malformed(server, admin, path, body):
    answer = server.client.post(path, content=body, headers=admin | JSON)
    assert answer.status_code == 400, answer.text
    assert answer.json()["type"] == "urn:calward:problem:malformed"


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(x[:12]) for x in HOSTILE])
def test_a_hostile_name_does_no_harm_anywhere(server, admin, text):
    client, quoted = server.client, json.dumps(text)
    host = server.host()
    attempts = [
        ("POST", "/api/v1/hosts", f'{{"name":{quoted},"version":"2016","mode":"per-device"}}'),
        ("POST", "/api/v1/hosts", f'{{"name":"H","version":{quoted},"mode":"per-device"}}'),
        ("POST", "/api/v1/hosts", f'{{"name":"H","version":"2016","mode":{quoted}}}'),
        ("POST", "/api/v1/hosts", f'{{"name":"H2","version":"2016","mode":"per-user","group":{quoted}}}'),
        ("POST", "/api/v1/hosts", f"{{{quoted}:1}}"),
        ("PATCH", "/api/v1/hosts/SH1", f'{{"group":{quoted}}}'),
        ("PUT", "/api/v1/policies/g", f'{{"servers":[{quoted}]}}'),
        ("POST", "/api/v1/tokens", f'{{"name":{quoted},"role":"viewer"}}'),
        ("POST", "/api/v1/explain", f'{{"host":{quoted},"user":{quoted}}}'),
        ("POST", "/api/v1/explain", f'{{"host":"SH1","device":{quoted}}}'),
        ("PATCH", "/api/v1/server/settings", f"{{{quoted}:{quoted}}}"),
        ("POST", "/api/v1/server:activate", f'{{"clearinghouse":{quoted}}}'),
        ("POST", "/api/v1/setup", f'{{"code":{quoted}}}'),
        ("POST", "/api/v1/audit/verify", f'{{"checkpoint":{quoted}}}'),
    ]
    for method, path, body in attempts:
        answer = client.request(method, path, content=body.encode(), headers=admin | JSON)
        assert answer.status_code < 500, (path, answer.text)
        assert json.loads(answer.text) is not None
    asked = f'{{"request_id":"r","device":{{"name":{quoted},"hardware_id":{quoted}}}}}'
    assert client.post("/api/v1/licenses:request", content=asked.encode(), headers=host).status_code in {200, 400}
    for path in ("status", "packs", "licenses", "hosts", "policies", "tokens", "audit/events"):
        assert client.get(f"/api/v1/{path}", headers=admin).status_code == 200


PATHS = ["%00", "%ff%fe", "a%0ab", "%E2%80%AE", "..%2f..", "x" * 2000, "%F0%9F%98%80", "a%2Fb"]


@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize("path", ["packs", "licenses", "hosts", "policies", "tokens", "decisions"])
def test_a_hostile_address_names_nothing(server, admin, path, name):
    for method in ("GET", "DELETE", "PATCH", "PUT", "POST"):
        answer = server.client.request(method, f"/api/v1/{path}/{name}", content=b"{}", headers=admin | JSON)
        assert 400 <= answer.status_code < 500, (method, answer.text)


def test_no_token_gets_into_the_log(server, admin, caplog, capsys):
    with caplog.at_level(logging.DEBUG):
        broken(server, RuntimeError("x")).get("/api/v1/status", headers=admin)
    shown = capsys.readouterr()
    assert admin["Authorization"].partition(" ")[2] not in caplog.text + shown.out + shown.err


def test_who_goes_in_the_middle_of_a_body_is_nobodys_bug(server, caplog):
    async def leave():
        messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
        sent = []

        async def receive():
            return next(messages)

        async def send(message):
            sent.append(message)

        headers = [(b"host", b"ls"), (b"content-type", b"application/json")]
        path = "/api/v1/setup"
        scope = {"type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b""}
        scope |= {"headers": headers, "http_version": "1.1", "scheme": "http", "server": ("ls", 80), "root_path": ""}
        await make_app(server.services)(scope, receive, send)
        return sent

    with caplog.at_level(logging.ERROR):
        assert asyncio.run(leave()) == []
    assert "api.bug" not in caplog.text
