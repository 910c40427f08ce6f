"""Does anything that the OpenAPI document allows, or nearly allows, make the server fail?

Schemathesis makes the requests from the document; a license administrator (the local socket) and a host send them.
"""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from calward.entrypoints.api.access import ENDPOINTS, PEER_UID, Door
from tests.support.api_server import an_api_server
from tests.support.builders import USER

pytestmark = [
    pytest.mark.slow,
    # Schemathesis' own; they say nothing about the server.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning"),
]
SLOW = {("POST", "/api/v1/audit/verify"), ("GET", "/api/v1/audit/export")}
OUTSIDE = {"/livez", "/readyz", "/metrics"}


@pytest.mark.timeout(300)
def test_no_request_that_the_document_allows_makes_the_server_fail(tmp_path):
    try_everything(tmp_path, GenerationMode.POSITIVE)


@pytest.mark.postgresql
@pytest.mark.timeout(300)
def test_no_request_beside_the_document_makes_the_server_fail(tmp_path, postgresql_database):
    # On PostgreSQL, which is the stricter of the two about what a text may hold.
    try_everything(tmp_path, GenerationMode.NEGATIVE, url=postgresql_database)


def try_everything(folder, mode, **options):
    with an_api_server(folder, **options) as server:
        server.install("P1", total=3, type_=USER)
        host = server.host(mode=USER)
        server.ask(host, "alice")
        schema = schemathesis.openapi.from_dict(server.client.get("/api/openapi.json").json())
        tried = 0
        for found in schema.get_all_operations():
            operation = found.ok()
            if operation.path not in OUTSIDE:
                attack(server, operation, mode, host)
                tried += 1
        assert tried >= 40


def attack(server, operation, mode, host):
    address = (operation.method.upper(), operation.path)
    headers = host if ENDPOINTS[address] is Door.HOST else {}

    async def as_root(scope, receive, send_):
        await server.app({**scope, "extensions": {PEER_UID: 0}}, receive, send_)

    @settings(
        max_examples=5 if address in SLOW else 25, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(operation.as_strategy(generation_mode=mode))
    def send(case):
        case.headers.pop("Authorization", None)
        answer = case.call(app=as_root, headers=headers)
        assert answer.status_code < 500, (case.as_curl_command(), answer.text)

    send()
