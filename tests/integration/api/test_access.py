"""Is every address exactly as open as the table says? Each one is tried by each role, by nobody, and by a host."""

import re

import pytest
from starlette.routing import Mount, Route

from calward.domain.roles import ALLOWED, Role
from calward.entrypoints.api.access import ENDPOINTS, PEER_UID, Door
from tests.support.api_server import SERVICE_UID

OUTSIDE = {("GET", "/livez"), ("GET", "/readyz"), ("GET", "/metrics")}
"""Served by the outer application, with routes of their own tests."""
ADDRESSES = sorted(set(ENDPOINTS) - OUTSIDE)
GUARDED = [one for one in ADDRESSES if not isinstance(ENDPOINTS[one], Door)]


def routes(found):
    for route in found:
        inner = getattr(route, "app", None)
        if isinstance(route, Mount):
            yield from routes(inner.router.routes if hasattr(inner, "router") else inner.routes)
        elif hasattr(route, "original_router"):
            yield from routes(route.original_router.routes)
        elif isinstance(route, Route) or hasattr(route, "methods"):
            yield from ((method, route.path) for method in (route.methods or ()) if method != "HEAD")
        else:
            raise AssertionError(route)


def call(server, method, path, headers=None):
    """With nothing in it: whoever may is told that it is wrong, whoever may not never comes that far."""
    target = re.sub(r"\{(\w+)\}", "X1", path)
    return server.client.request(method, target, headers=headers or {}, content=b"")


def test_every_route_stands_in_the_table_and_every_line_is_a_route(server):
    assert set(routes(server.app.routes)) == set(ENDPOINTS) - OUTSIDE


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_nobody_gets_nowhere_without_a_token(server, method, path):
    answer = call(server, method, path)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("role", Role)
def test_a_role_gets_where_the_table_lets_it_and_nowhere_else(server, role):
    headers = server.admin(role)
    got_in = {one for one in GUARDED if call(server, *one, headers).status_code not in {401, 403}}
    assert got_in == {one for one in GUARDED if ENDPOINTS[one] in ALLOWED[role]}


def test_a_host_gets_to_hosts_addresses_only(server):
    headers = server.host()
    got_in = {one for one in ADDRESSES if call(server, *one, headers).status_code not in {401, 403}}
    assert got_in == {one for one in ADDRESSES if isinstance(ENDPOINTS[one], Door)}


def test_an_administrator_is_no_host(server, admin):
    hosts = [one for one in ADDRESSES if ENDPOINTS[one] is Door.HOST]
    assert {call(server, *one, admin).status_code for one in hosts} == {401}


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Basic YTpi", "Bearer cala_", "Bearer cala_ä", "calh_x", "Bearer  x y"]
)
def test_a_token_that_is_none_is_unauthorized(server, header):
    answer = server.client.get("/api/v1/status", headers={"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


def test_a_token_ends_with_its_time_and_at_once_when_it_is_ended(server, admin):
    viewer = server.admin(Role.VIEWER)
    assert server.client.get("/api/v1/packs", headers=viewer).status_code == 200
    [token] = [x for x in server.client.get("/api/v1/tokens", headers=admin).json()["items"] if x["role"] == "viewer"]
    assert server.client.delete(f"/api/v1/tokens/{token['id']}", headers=admin).json()["outcome"] == "ended"
    assert server.client.get("/api/v1/packs", headers=viewer).status_code == 401
    server.clock.pass_days(91)
    assert server.client.get("/api/v1/packs", headers=admin).status_code == 401


@pytest.mark.parametrize(("uid", "status"), [(0, 200), (SERVICE_UID, 200), (1000, 401), ("0", 401), (None, 401)])
def test_on_the_local_socket_root_and_the_service_administer_and_nobody_else(server, uid, status):
    assert as_peer(server, uid).get("/api/v1/status").status_code == status


def test_a_wrong_token_is_not_helped_by_the_socket(server):
    headers = {"Authorization": "Bearer cala_gone"}
    assert as_peer(server, 0).get("/api/v1/status", headers=headers).status_code == 401


def as_peer(server, uid):
    from starlette.testclient import TestClient

    async def told(scope, receive, send):
        await server.app({**scope, "extensions": {PEER_UID: uid}}, receive, send)

    return TestClient(told)
