"""What does a clearinghouse write down, and how does its register follow from it?

An event is a JSON object, stored once as canonical bytes (``calward.domain.events.encode_event``) and never changed; it bears the
records as they are from then on, so that folding the events in order gives the register again. Times are RFC 3339 in UTC.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from calward.domain.fields import render_moment
from calward.domain.purchases import Purchase
from calward.domain.register import PackRecord, Transfer

__all__ = ["Folded", "RegisterEvent", "fold_register", "pack_fields", "purchase_fields", "transfer_fields"]


class RegisterEvent(StrEnum):
    """What happened at a clearinghouse. Frozen: a new kind is added, none changes its meaning."""

    MADE = "made"
    """Its ledger began, or was carried over from a store that had none: ``packs`` that were there."""
    ORGANIZATION_ADDED = "organization-added"
    PURCHASE_ADDED = "purchase-added"
    SERVER_REGISTERED = "server-registered"
    SERVER_CHANGED = "server-changed"
    KEY_ASKED = "key-asked"
    """A known license server came with a new key; nothing changed yet."""
    KEY_CONFIRMED = "key-confirmed"
    ACTIVATED = "activated"
    DEACTIVATED = "deactivated"
    PACK_SOLD = "pack-sold"
    """Signed straight for a license server, by an order of the seller's."""
    PACK_CLAIMED = "pack-claimed"
    """Installed by its numbers."""
    MOVE_ORDERED = "move-ordered"
    MOVE_PRESSED = "move-pressed"
    MOVE_CANCELLED = "move-cancelled"
    MOVE_COMPLETED = "move-completed"
    PACK_CHANGED = "pack-changed"
    RECOVERED = "recovered"
    ROLLED_BACK = "rolled-back"
    """A license server showed an older or another ledger than before."""
    REFUSED = "refused"


@dataclass(slots=True)
class Folded:
    """What all events together say: packs, transfers, purchases, organizations and servers by id, as events bear them."""

    packs: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    transfers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    purchases: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    organizations: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    servers: dict[str, Mapping[str, Any]] = field(default_factory=dict)


_KEYS = {"packs": "pack_id", "transfers": "transfer_id", "purchases": "purchase_id", "organizations": "organization_id"}
_KEYS["servers"] = "server_id"


def fold_register(events: Iterable[Mapping[str, Any]]) -> Folded:
    """Fold events in their order: of each thing, the last record counts."""
    folded = Folded()
    for event in events:
        for name, key in _KEYS.items():
            getattr(folded, name).update({one[key]: one for one in event.get(name, ())})
    return folded


def pack_fields(record: PackRecord) -> dict[str, Any]:
    """A pack as events bear it."""
    transfer = None if record.transfer is None else record.transfer.transfer_id
    return record.statement.fields() | {"purchase_id": record.purchase_id, "transfer_id": transfer}


def transfer_fields(transfer: Transfer) -> dict[str, Any]:
    """A transfer as events bear it."""
    return transfer.pack.fields() | {
        "claimed": transfer.claimed,
        "effective_at": _moment(transfer.effective_at),
        "ended_at": _moment(transfer.ended_at),
        "ordered_at": render_moment(transfer.ordered_at),
        "outcome": transfer.outcome,
        "reason": transfer.reason,
        "source": transfer.source,
        "source_id": transfer.source_id,
        "target_id": transfer.target_id,
        "target_name": transfer.target_name,
        "transfer_id": transfer.transfer_id,
    }


def purchase_fields(purchase: Purchase) -> dict[str, Any]:
    """A purchase as events bear it; of its numbers only a hash, since who knows them may claim it."""
    return {
        "cal_type": purchase.cal_type,
        "convertible": purchase.convertible,
        "expires_at": render_moment(purchase.expires_at),
        "ladder": purchase.ladder,
        "numbers": sha256("\n".join(purchase.numbers).encode()).hexdigest(),
        "organization_id": purchase.organization,
        "program": purchase.program,
        "purchase_id": purchase.purchase_id,
        "quantity": purchase.quantity,
        "version": purchase.version,
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else render_moment(at)
