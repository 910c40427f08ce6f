"""Operators over HTTP: each address with each role, and what they do there."""

import json
from collections.abc import Callable, Iterator
from http import HTTPStatus
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from calward.app.clearinghouse.desk import Clearinghouse
from calward.domain.errors import LicensingError, Problem
from calward.domain.operators import OPERATOR_MAY, OperatorRole
from calward.domain.statements import Program
from calward.entrypoints.clearinghouse.app import clearinghouse_app
from calward.entrypoints.clearinghouse.operator_routes import OPERATOR_ROUTES
from tests.support.asking_server import AskingServer
from tests.support.operator_tables import operator_roles_table, operators_table

PUBLIC = {"/v1/activations", "/v1/requests", "/v1/keyring", "/livez", "/readyz"}
PURCHASE = {"program": "open", "version": "2022", "cal_type": "per-user", "quantity": 10}
NOBODY = [None, "Bearer", "Bearer cwo_00", "Basic c2hvcA=="]


@pytest.fixture
def client(desk: Clearinghouse) -> Iterator[TestClient]:
    with TestClient(clearinghouse_app(desk), raise_server_exceptions=False) as client:
        yield client


def headers_of(desk: Clearinghouse, role: OperatorRole) -> dict[str, str]:
    return {"Authorization": f"Bearer {desk.name_operator(f'a {role}', role)}"}


@pytest.fixture
def seller(desk: Clearinghouse) -> dict[str, str]:
    return headers_of(desk, OperatorRole.SELLER)


@pytest.fixture
def support(desk: Clearinghouse) -> dict[str, str]:
    return headers_of(desk, OperatorRole.SUPPORT)


def at(path: str) -> str:
    return path.format(transfer="0" * 32, server="0" * 32)


def test_every_address_is_in_the_table_or_open_to_everybody(desk: Clearinghouse) -> None:
    routes = {
        (method, route.path)
        for route in clearinghouse_app(desk).routes
        for method in (route.methods or ()) - {"HEAD"}  # type: ignore[attr-defined]
    }
    assert {one for one in routes if one[1] not in PUBLIC} == set(OPERATOR_ROUTES)


@pytest.mark.parametrize(("address", "role"), list(product(OPERATOR_ROUTES, OperatorRole)))
def test_each_role_may_what_the_table_says(
    client: TestClient, desk: Clearinghouse, address: tuple[str, str], role: OperatorRole
) -> None:
    method, path = address
    found = client.request(method, at(path), headers=headers_of(desk, role))
    allowed = OPERATOR_ROUTES[address] in OPERATOR_MAY[role]
    assert (found.status_code != HTTPStatus.FORBIDDEN) is allowed, found.text
    assert found.status_code < HTTPStatus.INTERNAL_SERVER_ERROR


@pytest.mark.parametrize(("address", "token"), list(product(OPERATOR_ROUTES, NOBODY)))
def test_nobody_else_may_anything(client: TestClient, address: tuple[str, str], token: str | None) -> None:
    method, path = address
    found = client.request(method, at(path), headers={"Authorization": token} if token else {})
    assert found.status_code == HTTPStatus.UNAUTHORIZED
    assert found.headers["www-authenticate"] == "Bearer"


def test_a_token_that_was_taken_back_is_worth_nothing(
    client: TestClient, desk: Clearinghouse, seller: dict[str, str]
) -> None:
    assert client.get("/v1/organizations", headers=seller).status_code == HTTPStatus.OK
    desk.end_operator("a seller")
    assert client.get("/v1/organizations", headers=seller).status_code == HTTPStatus.UNAUTHORIZED
    with pytest.raises(LicensingError) as caught:
        desk.end_operator("a seller")
    assert caught.value.problem is Problem.NOT_FOUND


def test_what_is_sold_has_numbers_that_a_viewer_does_not_see(
    client: TestClient, desk: Clearinghouse, seller: dict[str, str]
) -> None:
    added = client.post("/v1/organizations", json={"name": "Example Ltd"}, headers=seller).json()
    body = PURCHASE | {"organization": "Example Ltd", "order": "A-1"}
    sold = client.post("/v1/purchases", json=body, headers=seller).json()
    assert client.post("/v1/purchases", json=body, headers=seller).json() == sold
    (row,) = client.get("/v1/purchases", headers=seller).json()["items"]
    assert (row["numbers"], row["left"], row["organization"]) == (sold["numbers"], 10, added["organization_id"])
    viewer = headers_of(desk, OperatorRole.VIEWER)
    text = client.get("/v1/purchases", headers=viewer).text
    assert sold["numbers"][1] not in text
    assert json.loads(text)["items"][0]["left"] == 10


@pytest.mark.parametrize(
    "body", [{}, PURCHASE | {"quantity": 0}, PURCHASE | {"more": 1}, PURCHASE | {"expires_at": "soon"}, [], None, 7]
)
def test_what_is_no_purchase_is_refused(client: TestClient, seller: dict[str, str], body: Any) -> None:
    found = client.post("/v1/purchases", content=json.dumps(body), headers=seller)
    assert found.status_code == HTTPStatus.BAD_REQUEST


def test_support_gives_a_move_up_and_both_sides_are_in_the_register(
    client: TestClient,
    desk: Clearinghouse,
    support: dict[str, str],
    seller: dict[str, str],
    old: AskingServer,
    new: AskingServer,
) -> None:
    sold = client.post("/v1/purchases", json=PURCHASE | {"version": "2008"}, headers=seller).json()
    old.ask(old.install(Program.OPEN, *sold["numbers"]))
    new.ask(new.move(old, proof=sold["numbers"][1]))
    (moving,) = client.get("/v1/transfers", headers=support).json()["items"]
    assert moving["outcome"] is None
    done = client.post(f"/v1/transfers/{moving['transfer_id']}/cancel", headers=support)
    assert done.json() == {"transfer_id": moving["transfer_id"], "outcome": "cancelled"}
    again = client.post(f"/v1/transfers/{moving['transfer_id']}/cancel", headers=support)
    assert (again.status_code, again.json()["reason"]) == (HTTPStatus.UNPROCESSABLE_ENTITY, "transfer-ended")
    assert client.get("/v1/transfers", headers=support).json()["items"] == []
    assert len(client.get("/v1/transfers?all=true", headers=support).json()["items"]) == 1
    found = client.get("/v1/register", headers=support).json()
    assert [one["state"] for one in found["packs"]] == ["held"]
    assert len(found["servers"]) == 2


def test_the_ledger_is_verified_against_what_was_kept(client: TestClient, support: dict[str, str]) -> None:
    note = client.get("/v1/audit/checkpoint", headers=support).json()["checkpoint"]
    found = client.post("/v1/audit/verify", json={"checkpoints": [note]}, headers=support).json()
    assert (found["holds"], found["findings"]) == (True, [])
    refused = client.post("/v1/audit/verify", json={"checkpoints": ["no note"]}, headers=support)
    assert refused.status_code == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("table", [operators_table, operator_roles_table])
def test_the_reference_has_the_tables_that_are_enforced(table: Callable[[], str]) -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "http-api.md"
    assert table() in page.read_text(encoding="utf-8"), table()
