"""Is the committed OpenAPI document what the server says, and does it say enough?"""

import json
from pathlib import Path

import pytest

from calward.entrypoints.api.access import ENDPOINTS

COMMITTED = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"
PAGES = {"/", "/setup", "/setup/style.css", "/api/openapi.json"}


@pytest.fixture
def document(server):
    return server.client.get("/api/openapi.json").json()


def test_the_committed_document_is_current(document):
    text = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    wanted = "write docs/reference/openapi.json anew from GET /api/openapi.json, and look at what has changed"
    assert COMMITTED.read_text(encoding="utf-8") == text, wanted


def test_it_holds_every_address_that_programs_use(document):
    found = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    assert found == {one for one in ENDPOINTS if one[1] not in PAGES}


def test_every_operation_says_what_it_does_and_what_it_takes(document):
    ids = set()
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["tags"]
            assert "security" in operation
            assert "application/problem+json" in operation["responses"]["default"]["content"]
            ids.add(operation["operationId"])
    assert len(ids) == sum(map(len, document["paths"].values()))


def test_every_reference_leads_somewhere(document):
    text = json.dumps(document)
    names = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert names <= set(document["components"]["schemas"])
