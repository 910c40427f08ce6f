"""How is what a clearinghouse knows shown to programs? The same over HTTP and on the command line; times are RFC 3339 in UTC."""

import json
from datetime import datetime
from typing import Any

from calward.app.clearinghouse.activate_license_server import key_fingerprint
from calward.app.clearinghouse.records import KeyChange, Organization, RegisteredServer
from calward.app.clearinghouse.verify_register import RegisterAudit
from calward.domain.fields import render_moment
from calward.domain.purchases import Purchase
from calward.domain.register import PackRecord, Transfer
from calward.domain.statements import NO_END

__all__ = [
    "audit_view",
    "key_change_view",
    "organization_view",
    "pack_view",
    "purchase_view",
    "server_view",
    "transfer_view",
]


def organization_view(found: Organization) -> dict[str, Any]:
    """An organization."""
    return {
        "organization_id": found.organization_id,
        "name": found.name,
        "contact": found.contact,
        "added_at": render_moment(found.added_at),
    }


def purchase_view(found: Purchase, claimed: int = 0, organization: str | None = None) -> dict[str, Any]:
    """A purchase with its numbers as papers bear them; ``left``: CALs that can still be claimed."""
    return {
        "purchase_id": found.purchase_id,
        "organization": found.organization,
        "organization_name": organization,
        "program": found.program.value,
        "numbers": list(found.numbers),
        "ladder": found.ladder,
        "version": found.version,
        "cal_type": found.cal_type.value,
        "quantity": found.quantity,
        "claimed": claimed,
        "left": found.quantity - claimed,
        "expires_at": _end(found.expires_at),
        "convertible": found.convertible,
        "added_at": render_moment(found.added_at),
    }


def server_view(found: RegisteredServer) -> dict[str, Any]:
    """A license server; ``ledger_rolled_back``: it showed less of its ledger than before."""
    return {
        "server_id": found.server_id,
        "name": found.name,
        "server_key": found.public_key.hex(),
        "version": found.version,
        "organization": found.organization,
        "registered_at": render_moment(found.registered_at),
        "issue_until": _end(found.issue_until),
        "last_contact": _when(found.last_contact),
        "ledger_rolled_back": found.rolled_back,
    }


def pack_view(found: PackRecord) -> dict[str, Any]:
    """A pack of the register: where it is, what it is, and the move that it is on."""
    body: dict[str, Any] = json.loads(found.statement.to_payload())
    moving = found.transfer
    return body | {
        "state": found.state.value,
        "purchase": found.purchase_id,
        "transfer": None if moving is None else moving.transfer_id,
        "target": None if moving is None else moving.target_id,
    }


def transfer_view(found: Transfer) -> dict[str, Any]:
    """A move of one pack; ``outcome`` null: it has not ended."""
    return {
        "transfer_id": found.transfer_id,
        "pack_id": found.pack.pack_id,
        "generation": found.pack.generation,
        "source_id": found.source_id,
        "target_id": found.target_id,
        "target_name": found.target_name,
        "source": found.source.value,
        "reason": found.reason.value,
        "ordered_at": render_moment(found.ordered_at),
        "effective_at": _when(found.effective_at),
        "outcome": None if found.outcome is None else found.outcome.value,
        "ended_at": _when(found.ended_at),
    }


def key_change_view(found: KeyChange) -> dict[str, Any]:
    """A new key of a known license server; ``confirmed_at`` null: its fingerprint has to be compared by telephone."""
    return {
        "server_id": found.server_id,
        "fingerprint": key_fingerprint(found.public_key),
        "reason": found.reason.value,
        "asked_at": render_moment(found.asked_at),
        "confirmed_by": found.confirmed_by,
        "confirmed_at": _when(found.confirmed_at),
    }


def audit_view(found: RegisterAudit) -> dict[str, Any]:
    """What verifying the ledger found; ``size`` and ``root``: of the tree that the events make."""
    findings = [{"check": x.check.value, "where": x.where, "detail": x.detail} for x in found.findings]
    return {"holds": found.passed, "size": found.size, "root": found.root.hex(), "findings": findings}


def _when(moment: datetime | None) -> str | None:
    return None if moment is None else render_moment(moment)


def _end(moment: datetime | None) -> str | None:
    return None if moment is None or moment == NO_END else render_moment(moment)
