"""What does the OpenAPI document say?

Made from the routes, with those for hosts, which are written by hand beside their decoders, merged in. Committed under docs/reference,
so that a change of the API shows in its diff.
"""

from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from calward.app.licensing.hear_host import MOST_REVOKED
from calward.entrypoints.api.access import ENDPOINTS, Access, Door
from calward.entrypoints.api.agent_routes import CertificateBody, HeartbeatBody
from calward.entrypoints.api.host_routes import AskBody, BatchBody, ConfirmBody
from calward.entrypoints.api.rehearsal import DRY_RUN, NOT_TRIED, READS

__all__ = ["openapi_document"]

_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}
_REFERENCE: Final = "#/components/schemas/{name}"
_SECURITY: Final[dict[Access, list[dict[str, list[str]]]]] = {
    Door.HOST: [{"hostToken": []}],
    Door.PUBLIC: [],
}
_SCHEMES: Final = {
    "hostToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "A session host's token (calh_…), from its enrollment",
    },
    "administratorToken": {
        "type": "http",
        "scheme": "bearer",
        "description": "An administrator's token (cala_…); on the Unix socket root and the service's user need none",
    },
}
_HOST_ROUTES: Final[dict[str, tuple[str, type, str]]] = {
    "/api/v1/licenses:request": ("requestLicense", AskBody, "LicenseAnswer"),
    "/api/v1/licenses:confirm": ("confirmLicense", ConfirmBody, "Confirmed"),
    "/api/v1/licenses:batch": ("requestLicenses", BatchBody, "BatchAnswer"),
    "/api/v1/host:certificate": ("certifyHost", CertificateBody, "WireChain"),
    "/api/v1/host:heartbeat": ("hearHost", HeartbeatBody, "HeartbeatAnswer"),
}
_DRY_RUN: Final = {
    "name": DRY_RUN,
    "in": "query",
    "required": False,
    "schema": {"type": "boolean", "default": False},
    "description": "Only tell what it would come to; nothing is changed",
}
_SUMMARIES: Final = {
    "requestLicense": "Ask for a license for a user or a device; the same request id gets the same answer",
    "confirmLicense": "Say that a license's device has been logged on to: it is proven from then on",
    "requestLicenses": "Several of both in one call, answered in order",
    "certifyHost": "Have the host's RSA key certified for the licensing protocol, under this server's wire authority",
    "hearHost": "Tell which sessions are open; hear the host's policy, the keys of licenses and what is revoked",
}
_HEALTH: Final = {
    "/livez": ("live", "Say that the program runs", "text/plain"),
    "/readyz": ("ready", "Say whether licenses can be issued (503: not now)", "application/json"),
    "/metrics": ("metrics", "Count for Prometheus", "text/plain"),
}
_ANSWERS: Final[dict[str, dict[str, Any]]] = {
    "LicenseAnswer": {
        "type": "object",
        "required": ["outcome", "license", "decision", "trace", "reason", "signed"],
        "properties": {
            "outcome": {"enum": ["granted", "refused"]},
            "license": {"anyOf": [{"$ref": "#/components/schemas/Given"}, {"type": "null"}]},
            "decision": {"type": ["string", "null"], "examples": ["D12"]},
            "trace": {"type": "array", "items": {"$ref": "#/components/schemas/Trace"}},
            "reason": {"type": "array", "items": {"type": "string"}, "examples": [["no-cal-free"]]},
            "signed": {"type": ["object", "null"], "description": "The license as a signed envelope (DSSE)"},
        },
    },
    "Confirmed": {
        "type": "object",
        "required": ["outcome", "reason"],
        "properties": {
            "outcome": {"enum": ["confirmed", "refused"]},
            "reason": {"type": "array", "items": {"type": "string"}},
        },
    },
    "WireChain": {
        "type": "object",
        "required": ["chain", "expires_at"],
        "properties": {
            "chain": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Certificates (DER) in base64: the root first, the host's last",
            },
            "expires_at": {"type": "string"},
        },
    },
    "HeartbeatAnswer": {
        "type": "object",
        "required": ["host", "license_keys", "server_id", "revoked", "now"],
        "properties": {
            "host": {"$ref": "#/components/schemas/HostAnswer"},
            "license_keys": {"type": "array", "items": {"type": "string"}},
            "server_id": {"type": "string"},
            "revoked": {
                "type": "array",
                "maxItems": MOST_REVOKED,
                "items": {"type": "string"},
                "description": "Revoked licenses that would still run",
                "examples": [["L12"]],
            },
            "now": {"type": "string"},
        },
    },
    "Tried": {
        "type": "object",
        "description": "What an act would have come to, where it was only tried",
        "required": ["outcome", "reason", "detail", "dry_run"],
        "properties": {
            "outcome": {"type": "string", "examples": ["possible"]},
            "reason": {"type": "array", "items": {"type": "string"}},
            "detail": {"type": ["string", "null"]},
            "dry_run": {"const": True},
        },
    },
    "BatchAnswer": {
        "type": "object",
        "required": ["answers", "signed"],
        "properties": {
            "answers": {"type": "array", "items": {"type": "object"}},
            "signed": {"type": ["object", "null"], "description": "All licenses of the batch in one signed envelope"},
        },
    },
}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The whole document, as plain values."""
    document = get_openapi(
        title=app.title, version=app.version, openapi_version="3.1.0", description=app.description, routes=app.routes
    )
    schemas: dict[str, Any] = document["components"]["schemas"]
    document["paths"].update({path: {"post": _host_operation(*one)} for path, one in _HOST_ROUTES.items()})
    document["paths"].update({path: {"get": _health_operation(*one)} for path, one in _HEALTH.items()})
    bodies = [body for _, body, _ in _HOST_ROUTES.values()]
    schemas.update(msgspec.json.schema_components(bodies, ref_template=_REFERENCE)[1])
    schemas.update(_ANSWERS)
    document["components"]["securitySchemes"] = _SCHEMES
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _finish(operation, method.upper(), path)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    document["paths"] = dict(sorted(document["paths"].items()))
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    return document


def _host_operation(name: str, body: type, answer: str) -> dict[str, Any]:
    return {
        "tags": ["for hosts"],
        "summary": _SUMMARIES[name],
        "operationId": name,
        "requestBody": {"required": True, "content": _json(_REFERENCE.format(name=body.__name__))},
        "responses": {"200": {"description": "The answer", "content": _json(_REFERENCE.format(name=answer))}},
    }


def _health_operation(name: str, summary: str, kind: str) -> dict[str, Any]:
    content = {kind: {"schema": {"type": "object" if kind.endswith("json") else "string"}}}
    return {
        "tags": ["health"],
        "summary": summary,
        "operationId": name,
        "responses": {"200": {"description": "Yes", "content": content}},
    }


def _json(reference: str) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": reference}}}


def _finish(operation: dict[str, Any], method: str, path: str) -> None:
    """Say what it takes to call it, and that every error is a problem document."""
    access = ENDPOINTS[method, path]
    # What a handler's docstring says is the summary; its Python name says nothing here.
    said = " ".join(operation.pop("description", operation["summary"]).split())
    operation["summary"] = said.replace("``", "`").removesuffix(".")
    operation["security"] = _SECURITY.get(access, [{"administratorToken": []}])
    if not isinstance(access, Door):
        operation["x-permission"] = access.value
        if method not in READS and path not in NOT_TRIED:
            operation["parameters"] = [*operation.get("parameters", []), _DRY_RUN]
            content = operation["responses"]["200"]["content"]
            done = [kind["schema"] for name, kind in content.items() if name == "application/json"]
            content["application/json"] = {"schema": {"anyOf": [*done, {"$ref": _REFERENCE.format(name="Tried")}]}}
    operation["responses"].pop("422", None)
    content = {"application/problem+json": {"schema": _PROBLEM}}
    operation["responses"]["default"] = {"description": "A problem document (RFC 9457)", "content": content}
