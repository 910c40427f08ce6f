"""Does the client of the administration API believe only what it should?"""

import httpx2
import pytest

from calward.adapters.network.admin_client import HttpAdminClient
from calward.adapters.network.http_exchange import Address
from calward.domain.errors import LicensingError, Problem


def client(handle, token="secret", url="https://ls1.example:8460"):
    return HttpAdminClient(Address.parse(url), token, transport=httpx2.MockTransport(handle))


def answering(status=200, **kwargs):
    return lambda _: httpx2.Response(status, **kwargs)


def test_the_token_goes_along_and_nothing_without_one():
    seen = []

    def handle(request):
        seen.append(request.headers.get("authorization"))
        return httpx2.Response(200, json={})

    client(handle).ask("GET", "status")
    client(handle, token=None).ask("GET", "status")
    assert seen == ["Bearer secret", None]


def test_a_query_leaves_out_what_is_not_said():
    seen = []

    def handle(request):
        seen.append(str(request.url))
        return httpx2.Response(200, json={})

    client(handle).ask("GET", "licenses", query={"ended": True, "holder": "a b&c", "pack": None, "limit": 3})
    assert seen == ["https://ls1.example:8460/api/v1/licenses?ended=true&holder=a+b%26c&limit=3"]


@pytest.mark.parametrize("content", [b"<html>", b"[1]", b"\xff", b"[" * 100_000])
def test_an_answer_that_is_no_object_is_not_believed(content):
    with pytest.raises(LicensingError, match="does not speak the administration API") as raised:
        client(answering(content=content)).ask("GET", "status")
    assert raised.value.problem is Problem.UNREACHABLE


@pytest.mark.parametrize(
    ("status", "content", "problem", "words"),
    [
        (404, b"<html>", Problem.NOT_FOUND, "answered with status 404 and no reason"),
        (302, b"", Problem.UNREACHABLE, "answered with status 302 and no reason"),
        (502, b"Bad gateway", Problem.UNREACHABLE, "status 502"),
        (503, b'{"title": "Unavailable"}', Problem.UNAVAILABLE, "Unavailable"),
        (500, b'{"type": "urn:calward:problem:corrupt", "detail": "seat 3"}', Problem.CORRUPT, "seat 3"),
        (418, b'{"type": 7, "detail": "tea", "field": 7}', Problem.UNAVAILABLE, "tea"),
        (400, b'{"detail": ["x"]}', Problem.MALFORMED, "status 400"),
    ],
)
def test_a_problem_becomes_the_error_that_was_meant(status, content, problem, words):
    with pytest.raises(LicensingError) as raised:
        client(answering(status, content=content)).ask("GET", "status")
    assert raised.value.problem is problem
    assert words in raised.value.detail


def test_a_problem_before_a_stream_is_an_error_too():
    with pytest.raises(LicensingError, match="not you"):
        list(client(answering(403, json={"detail": "not you"})).lines("audit/export"))


def test_no_answer_is_said_with_the_server_s_address():
    def handle(_):
        raise httpx2.ConnectError("refused")

    with pytest.raises(LicensingError, match=r"https://ls1.example:8460 cannot be reached: refused") as raised:
        client(handle).ask("GET", "status")
    assert raised.value.problem is Problem.UNREACHABLE


def test_certificates_that_are_not_there_are_named(tmp_path):
    with pytest.raises(LicensingError, match=r"ca\.pem") as raised:
        HttpAdminClient(Address.parse("https://ls1.example"), ca_file=tmp_path / "ca.pem")
    assert raised.value.problem is Problem.NOT_FOUND


def test_parameters_in_a_target_stay():
    seen = []

    def handle(request):
        seen.append(str(request.url).partition("?")[2])
        return httpx2.Response(200, json={})

    client(handle).text("server/recover-request?reason=rebuild")
    client(handle).deliver("POST", "packs?dry_run=true", b"{}")
    client(handle).made("clearinghouse:request?dry_run=true", {})
    assert seen == ["reason=rebuild", "dry_run=true", "dry_run=true"]
