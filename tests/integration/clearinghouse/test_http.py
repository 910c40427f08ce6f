"""The clearinghouse over HTTP, asked as license servers and operators ask."""

import json
from collections.abc import Iterator
from http import HTTPStatus

import httpx2
import pytest
from starlette.testclient import TestClient

from calward.app.clearinghouse.desk import Clearinghouse
from calward.domain.envelope import MAX_ENVELOPE_SIZE
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.clearinghouse.app import ENVELOPE_TYPE, clearinghouse_app
from calward.entrypoints.clearinghouse.problems import STATUS, on_licensing_error
from tests.support.signed import SERVER_ID, STRANGER, a_request, sealed

REQUEST = sealed(a_request())
SALE = {
    "order": "A-1",
    "server_id": SERVER_ID,
    "ladder": "windows-server",
    "version": "2022",
    "cal_type": "per-user",
    "total": 5,
}


@pytest.fixture
def client(desk: Clearinghouse) -> Iterator[TestClient]:
    with TestClient(clearinghouse_app(desk)) as client:
        yield client


@pytest.fixture
def operator(desk: Clearinghouse) -> dict[str, str]:
    return {"Authorization": f"Bearer {desk.name_operator('shop')}"}


def problem_of(response: httpx2.Response, status: HTTPStatus) -> dict[str, object]:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()
    assert found["status"] == status
    assert isinstance(found, dict)
    return found


def test_a_license_server_gets_its_activation_and_the_same_again(client: TestClient) -> None:
    first = client.post("/v1/activations", content=REQUEST)
    assert first.status_code == HTTPStatus.OK
    assert first.headers["content-type"] == ENVELOPE_TYPE
    assert client.post("/v1/activations", content=REQUEST).content == first.content


def test_an_operator_gets_a_pack_and_the_same_again(client: TestClient, operator: dict[str, str]) -> None:
    client.post("/v1/activations", content=REQUEST)
    first = client.post("/v1/key-packs", json=SALE, headers=operator)
    assert first.status_code == HTTPStatus.OK
    assert client.post("/v1/key-packs", json=SALE, headers=operator).content == first.content
    again = client.post("/v1/key-packs", json=SALE | {"total": 6}, headers=operator)
    assert problem_of(again, HTTPStatus.CONFLICT)["type"] == "urn:calward:problem:conflict"


@pytest.mark.parametrize("token", [None, "", "Bearer", "Bearer ", "Bearer cwo_00", "Basic c2hvcA==", "Bearer \xff"])
def test_nobody_sells_without_an_operator_s_token(client: TestClient, desk: Clearinghouse, token: str | None) -> None:
    client.post("/v1/activations", content=REQUEST)
    headers = {} if token is None else {"Authorization": token.encode("latin-1")}
    refused = client.post("/v1/key-packs", json=SALE, headers=headers)
    problem_of(refused, HTTPStatus.UNAUTHORIZED)
    assert refused.headers["www-authenticate"] == "Bearer"
    assert not desk.overview().packs


@pytest.mark.parametrize(
    "change",
    [
        {"total": 0},
        {"total": "5"},
        {"total": 5.5},
        {"total": 10**9},
        {"cal_type": "per-cat"},
        {"version": "../../x"},
        {"server_id": "x"},
        {"more": 1},
        {"expires_at": "soon"},
        {"expires_at": "2001-01-01T00:00:00Z"},
        {"order": "\u202e"},
    ],
)
def test_a_sale_that_makes_no_sense_is_refused(
    client: TestClient, operator: dict[str, str], change: dict[str, object]
) -> None:
    client.post("/v1/activations", content=REQUEST)
    problem_of(client.post("/v1/key-packs", json=SALE | change, headers=operator), HTTPStatus.BAD_REQUEST)


def test_an_end_of_a_pack_can_be_asked_for(client: TestClient, operator: dict[str, str], desk: Clearinghouse) -> None:
    client.post("/v1/activations", content=REQUEST)
    client.post("/v1/key-packs", json=SALE | {"expires_at": "2027-01-31T00:00:00Z"}, headers=operator)
    assert [one.expires_at.year for one in desk.overview().packs] == [2027]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[]", b'"\\ud800"', b"null"])
def test_what_is_no_sale_is_refused(client: TestClient, operator: dict[str, str], body: bytes) -> None:
    problem_of(client.post("/v1/key-packs", content=body, headers=operator), HTTPStatus.BAD_REQUEST)


def test_a_server_that_is_not_known_is_sold_nothing(client: TestClient, operator: dict[str, str]) -> None:
    problem_of(client.post("/v1/key-packs", json=SALE, headers=operator), HTTPStatus.NOT_FOUND)


@pytest.mark.parametrize("body", [b"", b"{}", REQUEST[:-3], b"x" * MAX_ENVELOPE_SIZE])
def test_a_damaged_request_is_refused_with_its_reason(client: TestClient, body: bytes) -> None:
    found = problem_of(client.post("/v1/activations", content=body), HTTPStatus.UNPROCESSABLE_ENTITY)
    assert found["reason"] == "malformed"


def test_a_request_signed_by_somebody_else_is_refused(client: TestClient) -> None:
    response = client.post("/v1/activations", content=sealed(a_request(), STRANGER))
    assert problem_of(response, HTTPStatus.UNPROCESSABLE_ENTITY)["reason"] == "key-not-trusted"


@pytest.mark.parametrize("path", ["/v1/activations", "/v1/key-packs"])
def test_a_body_without_end_is_cut_off(client: TestClient, operator: dict[str, str], path: str) -> None:
    response = client.post(path, content=b"x" * (MAX_ENVELOPE_SIZE + 2), headers=operator)
    found = problem_of(response, HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    assert found["type"] == "urn:calward:problem:too-large"


def test_everybody_may_have_the_keyring(client: TestClient, desk: Clearinghouse) -> None:
    assert client.get("/v1/keyring").content == desk.keyring()[1]


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
def test_it_says_that_it_is_well(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == HTTPStatus.OK


def test_every_kind_of_error_has_a_status() -> None:
    assert set(STATUS) == set(Problem)


@pytest.mark.parametrize("kind", [Problem.UNAVAILABLE, Problem.CORRUPT])
def test_what_is_wrong_inside_is_not_told_outside(kind: Problem) -> None:
    response = on_licensing_error(None, LicensingError(kind, "the file /srv/secret"))  # type: ignore[arg-type]
    assert "secret" not in bytes(response.body).decode()
    assert json.loads(bytes(response.body))["status"] == STATUS[kind]


def test_another_error_is_no_answer_but_a_bug() -> None:
    with pytest.raises(KeyError):
        on_licensing_error(None, KeyError())  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/", "/nothing", "/v1", "/metrics", "/%00"])
def test_an_address_that_is_not_there_is_a_problem_document(client: TestClient, path: str) -> None:
    assert problem_of(client.get(path), HTTPStatus.NOT_FOUND)["type"] == "urn:calward:problem:not-found"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/requests", "POST"),
        ("DELETE", "/v1/purchases", "GET, POST"),
        ("POST", "/v1/keyring", "GET"),
        ("PUT", "/v1/transfers/x/cancel", "POST"),
    ],
)
def test_an_address_says_which_methods_it_takes(client: TestClient, method: str, path: str, allowed: str) -> None:
    answer = client.request(method, path)
    assert problem_of(answer, HTTPStatus.METHOD_NOT_ALLOWED)["type"] == "urn:calward:problem:method-not-allowed"
    assert answer.headers["allow"] == allowed


def test_a_bug_shows_nothing_of_the_inside(desk: Clearinghouse, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_desk: Clearinghouse) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr(type(desk), "keyring", broken)
    answer = TestClient(clearinghouse_app(desk), raise_server_exceptions=False).get("/v1/keyring")
    assert "secret" not in answer.text
    assert problem_of(answer, HTTPStatus.INTERNAL_SERVER_ERROR)["type"] == "urn:calward:problem:bug"
