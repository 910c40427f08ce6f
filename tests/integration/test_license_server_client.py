"""The host's client against a server on loopback: what it understands, what it refuses, when it gives up."""

import base64
import http.server
import json
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
from datetime import UTC, datetime

import pytest

from calward.adapters.network.http_exchange import Address
from calward.adapters.network.license_server_client import LicenseServerClient
from calward.adapters.signing import seal
from calward.app.sessionhost.heartbeats import HeartbeatReport, LiveSession
from calward.app.sessionhost.ports import HostPolicy
from calward.domain.errors import LicensingError, Problem
from calward.domain.statements import PayloadType
from tests.support.fake_license_server import TOKEN, FakeLicenseServer, dead_url, dripping, hanging, serving
from tests.support.signed import SERVER

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def fake():
    server = FakeLicenseServer(cals=1)
    with serving(server):
        yield server


def client(fake: FakeLicenseServer, token: str = TOKEN) -> LicenseServerClient:
    return LicenseServerClient(Address.parse(fake.url), token)


def ask(server: LicenseServerClient, user: str = "alice", *, full_only: bool = False, seconds: float = 2):
    return server.request_for_user(user, "id-1", full_only=full_only, seconds=seconds)


def problem_of(server: LicenseServerClient, **changes) -> tuple[Problem, str]:
    with pytest.raises(LicensingError) as caught:
        ask(server, **changes)
    return caught.value.problem, caught.value.detail


def test_a_license_comes_back_with_the_server_that_gave_it(fake):
    heard = ask(client(fake))
    assert heard.full
    assert (heard.license.id, heard.license.version, heard.license.change) == ("L1", "2022", "new")
    assert heard.license.server == fake.url
    assert heard.license.expires_at.tzinfo is UTC
    assert fake.asked == [("/api/v1/licenses:request", {"request_id": "id-1", "user": "alice"})]


def test_a_full_license_only_is_asked_for_in_so_many_words(fake):
    ask(client(fake), full_only=True)
    assert fake.asked[0][1]["full_only"] is True


def test_a_refusal_is_an_answer_with_its_reasons(fake):
    ask(client(fake))
    heard = ask(client(fake), "bob")
    assert heard.license is None
    assert heard.reasons == ("no-cal-free",)


def test_a_device_is_asked_for_by_name_and_hardware_id(fake):
    fake.next_answers = [(200, {"outcome": "refused", "license": None, "decision": None, "reason": []})]
    heard = client(fake).request_for_device("PC1", "0a0b", "id-1", full_only=False, seconds=2)
    assert heard.license is None
    assert fake.asked[0][1]["device"] == {"name": "PC1", "hardware_id": "0a0b"}


def test_policy_confirmation_and_enrollment_are_understood(fake):
    server = client(fake)
    assert server.policy(seconds=2, now=NOW).grace_days == 120
    server.confirm("L1", seconds=2)
    enrolled = server.enroll("code", seconds=2)
    assert (enrolled.name, enrolled.token) == ("SH1", TOKEN)
    assert TOKEN not in repr(enrolled)


def test_a_confirmation_that_is_refused_is_a_conflict(fake):
    fake.next_answers = [(200, {"outcome": "refused", "reason": ["license-ended"]})]
    with pytest.raises(LicensingError, match="license-ended") as caught:
        client(fake).confirm("L1", seconds=2)
    assert caught.value.problem is Problem.CONFLICT


@pytest.mark.parametrize(("status", "problem"), [
    (400, Problem.MALFORMED), (401, Problem.UNAUTHORIZED), (403, Problem.FORBIDDEN), (404, Problem.NOT_FOUND),
    (405, Problem.MALFORMED), (409, Problem.CONFLICT), (413, Problem.MALFORMED), (422, Problem.MALFORMED), (429, Problem.UNAVAILABLE),
    (500, Problem.UNAVAILABLE), (503, Problem.UNAVAILABLE), (302, Problem.UNAVAILABLE),
])  # fmt: skip
def test_a_problem_document_becomes_the_problem_it_names(fake, status, problem):
    fake.next_answers = [(status, {"title": "short", "status": status, "detail": "the sentence"})]
    found, detail = problem_of(client(fake))
    assert found is problem
    assert detail == f"license server {fake.url} says: the sentence"


def test_a_problem_without_words_is_named_by_its_number(fake):
    fake.next_answers = [(500, b"<html>")]
    assert "status 500" in problem_of(client(fake))[1]


def test_an_unknown_token_is_unauthorized(fake):
    assert problem_of(client(fake, "other"))[0] is Problem.UNAUTHORIZED


LICENSE = {
    "id": "L1", "version": "2022", "type": "per-user", "status": "active", "expires_at": "2027-01-01T00:00:00Z",
    "pack": None, "change": None,
}  # fmt: skip


@pytest.mark.parametrize("answer", [
    b"", b"\xff\xfe", b"hello", [], "text", None, {}, {"outcome": "granted"},
    {"outcome": "granted", "license": None, "reason": []},
    {"outcome": "refused", "license": None, "reason": [5]},
    {"outcome": "granted", "license": LICENSE | {"id": 5}, "reason": []},
    {"outcome": "granted", "license": LICENSE | {"type": "per-planet"}, "reason": []},
    {"outcome": "granted", "license": LICENSE | {"expires_at": "soon"}, "reason": []},
    {"outcome": "granted", "license": LICENSE | {"expires_at": "2027-01-01T00:00:00"}, "reason": []},
    b"[" * 100_000,
])  # fmt: skip
def test_what_is_no_answer_of_ours_is_not_believed(fake, answer):
    fake.next_answers = [(200, answer)]
    found, detail = problem_of(client(fake))
    assert found is Problem.UNREACHABLE
    assert "does not speak" in detail


@pytest.mark.parametrize("answer", [{}, {"version": "2022", "mode": "per-user", "grace_days": -1}, [], b"x"])
def test_a_policy_that_is_none_is_not_believed(fake, answer):
    fake.next_answers = [(200, answer)]
    with pytest.raises(LicensingError, match="does not speak"):
        client(fake).policy(seconds=2, now=NOW)


def test_an_enrollment_without_a_token_is_not_believed(fake):
    fake.next_answers = [(200, {"host": {}})]
    with pytest.raises(LicensingError, match="does not speak"):
        client(fake).enroll("code", seconds=2)


# --- agents ----------------------------------------------------------------------------------------------------------

KEY = base64.b64encode(SERVER.public_key).decode()
POLICY = {"name": "SH1", "version": "2022", "mode": "per-user", "mode_from": "host", "servers": [], "grace_days": 90}
HEARD = {
    "host": POLICY,
    "license_keys": [KEY],
    "server_id": "5e" * 16,
    "revoked": ["L1", "L7"],
    "now": "2026-01-01T00:00:00Z",
}
SESSION = LiveSession(":10", "alice", datetime(2026, 1, 1, 7, tzinfo=UTC), None, "0a")


def beat(fake):
    return client(fake).heartbeat(HeartbeatReport("1.0", (SESSION,)), seconds=2, now=NOW)


def test_a_heartbeat_tells_sessions_and_hears_policy_keys_and_revocations(fake):
    fake.next_answers = [(200, HEARD)]
    heard = beat(fake)
    assert heard.policy == HostPolicy("2022", "per-user", 90, NOW)
    assert (heard.license_keys, heard.server_id) == ((SERVER.public_key,), "5e" * 16)
    assert heard.revoked == {"L1", "L7"}
    told = {"line": ":10", "user": "alice", "license": None, "hardware_id": "0a", "since": "2026-01-01T07:00:00Z"}
    assert fake.asked == [("/api/v1/host:heartbeat", {"agent": "1.0", "sessions": [told]})]


@pytest.mark.parametrize("change", [
    {"host": None}, {"host": POLICY | {"grace_days": "90"}}, {"license_keys": None}, {"license_keys": ["AAAA"]},
    {"license_keys": [5]}, {"license_keys": ["%"]}, {"license_keys": [base64.b64encode(bytes(32)).decode()]},
    {"server_id": "5E" * 16}, {"server_id": None}, {"revoked": None}, {"revoked": [7]},
])  # fmt: skip
def test_a_heartbeat_whose_answer_is_none_is_not_believed(fake, change):
    fake.next_answers = [(200, HEARD | change)]
    with pytest.raises(LicensingError, match="does not speak") as caught:
        beat(fake)
    assert caught.value.problem is Problem.UNREACHABLE


def test_a_server_that_knows_no_heartbeat_says_so(fake):
    fake.next_answers = [(404, {"title": "Not Found"})]
    with pytest.raises(LicensingError) as caught:
        beat(fake)
    assert caught.value.problem is Problem.NOT_FOUND


def test_an_enrollment_tells_whose_licenses_to_believe(fake):
    answer = {"host": POLICY, "token": "t", "license_keys": [KEY], "server_id": "5e" * 16}
    fake.next_answers = [(200, answer), (200, answer | {"license_keys": ["AA"]})]
    enrolled = client(fake).enroll("code", seconds=2)
    assert (enrolled.license_keys, enrolled.server_id) == ((SERVER.public_key,), "5e" * 16)
    with pytest.raises(LicensingError, match="does not speak"):
        client(fake).enroll("code", seconds=2)


@pytest.mark.parametrize(("answer", "good"), [
    ({"chain": ["AAAA", "AAAB"], "expires_at": "2027-01-01T00:00:00Z"}, True),
    ({"chain": ["AAAA"], "expires_at": "2027-01-01T00:00:00Z"}, False),
    ({"chain": ["AAAA"] * 5, "expires_at": "2027-01-01T00:00:00Z"}, False),
    ({"chain": ["%", "AAAB"], "expires_at": "2027-01-01T00:00:00Z"}, False),
    ({"chain": ["AAAA", "AAAB"], "expires_at": "soon"}, False),
    ({}, False),
])  # fmt: skip
def test_a_chain_is_believed_only_if_it_is_one(fake, answer, good):
    fake.next_answers = [(200, answer)]
    if good:
        assert client(fake).certificate(b"key", seconds=2).chain == (b"\x00\x00\x00", b"\x00\x00\x01")
        assert fake.asked == [("/api/v1/host:certificate", {"public_key": "a2V5"})]
        return
    with pytest.raises(LicensingError, match="does not speak"):
        client(fake).certificate(b"key", seconds=2)


def test_the_signed_license_is_kept_byte_for_byte(fake):
    envelope = seal(PayloadType.LICENSE, 'ünïcode "payload"'.encode(), SERVER)
    answer = {"outcome": "granted", "license": LICENSE, "decision": None, "reason": [], "signed": json.loads(envelope)}
    fake.next_answers = [(200, answer), (200, answer | {"signed": None}), (200, answer | {"signed": "text"})]
    assert ask(client(fake)).signed == envelope
    assert ask(client(fake)).signed is None
    assert ask(client(fake)).signed is None


def test_an_endless_answer_is_not_read_to_its_end(fake):
    fake.next_answers = [(200, b"x" * 3_000_000)]
    assert "larger" in problem_of(client(fake))[1]


def test_words_of_a_server_cannot_write_to_the_terminal(fake):
    fake.next_answers = [(400, {"detail": "\x1b[2J" + "x" * 5000})]
    detail = problem_of(client(fake))[1]
    assert "\x1b" not in detail
    assert len(detail) < 400


# --- time ------------------------------------------------------------------------------------------------------------


def test_a_server_that_is_not_there_is_said_at_once():
    found, detail = problem_of(LicenseServerClient(Address.parse(dead_url())))
    assert found is Problem.UNREACHABLE
    assert "cannot be reached" in detail


@pytest.mark.parametrize("first_bytes", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"])
def test_a_server_that_stops_in_the_middle_costs_no_more_than_the_time_given(first_bytes):
    with hanging(first_bytes) as url:
        begun = time.monotonic()
        assert "did not answer within" in problem_of(LicenseServerClient(Address.parse(url)), seconds=0.3)[1]
        assert time.monotonic() - begun < 1.5


def test_a_server_that_drips_costs_no_more_than_the_time_given():
    with dripping(threading.Event()) as url:
        begun = time.monotonic()
        assert "did not answer within" in problem_of(LicenseServerClient(Address.parse(url)), seconds=0.3)[1]
        assert time.monotonic() - begun < 1.5


def test_a_handshake_that_is_never_answered_costs_no_more_than_the_time_given():
    with hanging() as url:
        begun = time.monotonic()
        server = LicenseServerClient(Address.parse(url.replace("http", "https"), "00" * 32))
        assert "did not answer within" in problem_of(server, seconds=0.3)[1]
        assert time.monotonic() - begun < 1.5


def test_a_name_that_is_never_resolved_costs_no_more_than_the_time_given(monkeypatch):
    resolved = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: resolved.wait() and [])
    server = LicenseServerClient(Address.parse("https://ls1.example"))
    assert "did not answer within" in problem_of(server, seconds=0.3)[1]
    resolved.set()
    for thread in threading.enumerate():
        if thread.name.startswith("ask "):
            thread.join()


def test_no_time_at_all_is_no_answer(fake):
    with pytest.raises(LicensingError):
        ask(client(fake), seconds=0)


# --- ways to the server ----------------------------------------------------------------------------------------------


def test_a_unix_socket_is_a_way_too(tmp_path):
    fake = FakeLicenseServer()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, document = fake.answer(self.path, body, self.headers["Authorization"])
            sent = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def log_message(self, *arguments: object) -> None:
            pass

    path = str(tmp_path / "api.sock")
    with socketserver.UnixStreamServer(path, Handler) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert ask(LicenseServerClient(Address.parse(f"unix:{path}"), TOKEN)).full
        thread.join()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (Debian: apt-get install openssl)")
    folder = tmp_path_factory.mktemp("tls")
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=ls"
    files = ["-keyout", f"{folder}/key.pem", "-out", f"{folder}/cert.pem"]
    subprocess.run([*command.split(), *files], check=True, capture_output=True)
    return folder


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    fake = FakeLicenseServer()
    with serving(fake, lambda listener: context.wrap_socket(listener, server_side=True)):
        yield fake


def fingerprint(certificate) -> str:
    command = ["openssl", "x509", "-in", f"{certificate}/cert.pem", "-noout", "-fingerprint", "-sha256"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().partition("=")[2]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.8", "[::1]", "localhost"])
def test_this_machine_needs_no_tls(host):
    assert not Address.parse(f"http://{host}:8460").tls


def test_a_pinned_certificate_needs_no_authority(tls, certificate):
    pinned = Address.parse(tls.url, fingerprint(certificate))
    assert ask(LicenseServerClient(pinned, TOKEN)).full


@pytest.mark.parametrize("url", ["http://127.0.0.1:8460", "unix:/run/calward/calward.sock"])
def test_a_fingerprint_where_no_certificate_is_shown_is_a_mistake_that_is_named(url):
    with pytest.raises(LicensingError, match="shows no certificate") as raised:
        Address.parse(url, "00" * 32)
    assert raised.value.problem is Problem.MALFORMED


def test_another_certificate_than_the_pinned_one_gets_no_token(tls):
    found, detail = problem_of(LicenseServerClient(Address.parse(tls.url, "00" * 32), TOKEN))
    assert found is Problem.UNREACHABLE
    assert "not the pinned one" in detail
    assert tls.asked == []


def test_a_certificate_that_nobody_vouches_for_gets_no_token(tls):
    assert "cannot be reached" in problem_of(LicenseServerClient(Address.parse(tls.url), TOKEN))[1]
    assert tls.asked == []
