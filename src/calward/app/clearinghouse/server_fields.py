"""How do events bear a license server and an organization? What a contact alone changes (when, how large a ledger) is no event."""

from typing import Any

from calward.app.clearinghouse.records import Organization, RegisteredServer
from calward.domain.fields import render_moment

__all__ = ["organization_fields", "server_fields"]


def server_fields(server: RegisteredServer) -> dict[str, Any]:
    """A license server as events bear it."""
    until = server.issue_until
    return {
        "issue_until": None if until is None else render_moment(until),
        "name": server.name,
        "organization_id": server.organization,
        "public_key": server.public_key.hex(),
        "server_id": server.server_id,
        "version": server.version,
    }


def organization_fields(organization: Organization) -> dict[str, Any]:
    """An organization as events bear it; whom to call there is no event's business."""
    return {"name": organization.name, "organization_id": organization.organization_id}
