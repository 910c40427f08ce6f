"""How do rows of the clearinghouse's store become values, and values rows? Times are seconds since 1970 (UTC)."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, TypeAlias

from calward.app.clearinghouse.records import Answered, Intent, KeyChange, Organization, Part, RegisteredServer, Waiting
from calward.domain.cals import CalType
from calward.domain.pack_orders import PackRef, TransferOutcome
from calward.domain.pack_requests import MoveReason, SourceState
from calward.domain.purchases import Purchase
from calward.domain.register import Transfer
from calward.domain.statements import ActivationReason, PayloadType, Program

__all__ = [
    "Row",
    "moment",
    "moment_or_none",
    "parts_text",
    "seconds",
    "seconds_or_none",
    "to_answered",
    "to_intent",
    "to_key_change",
    "to_organization",
    "to_purchase",
    "to_server",
    "to_transfer",
    "to_waiting",
]

Row: TypeAlias = Sequence[Any]


def seconds(at: datetime) -> int:
    """A time as it is stored."""
    return int(at.timestamp())


def seconds_or_none(at: datetime | None) -> int | None:
    """The same; None stays."""
    return None if at is None else seconds(at)


def moment(stored: int) -> datetime:
    """A stored time."""
    return datetime.fromtimestamp(stored, UTC)


def moment_or_none(stored: int | None) -> datetime | None:
    """The same; None stays."""
    return None if stored is None else moment(stored)


def to_server(row: Row) -> RegisteredServer:
    """A row of ``servers``."""
    (
        server_id,
        name,
        key,
        registered_at,
        organization,
        version,
        until,
        right_asked_at,
        contact,
        heard_at,
        heard_nonce,
        size,
        root,
        rolled_back,
    ) = row
    return RegisteredServer(
        server_id=server_id,
        name=name,
        public_key=key,
        registered_at=moment(registered_at),
        organization=organization,
        version=version,
        issue_until=moment_or_none(until),
        right_asked_at=moment_or_none(right_asked_at),
        last_contact=moment_or_none(contact),
        heard_at=moment_or_none(heard_at),
        heard_nonce=heard_nonce,
        checkpoint_size=size,
        checkpoint_root=root,
        rolled_back=bool(rolled_back),
    )


def to_key_change(row: Row) -> KeyChange:
    """A row of ``key_changes``."""
    server_id, key, reason, asked_at, by, confirmed_at = row
    return KeyChange(server_id, key, ActivationReason(reason), moment(asked_at), by, moment_or_none(confirmed_at))


def to_organization(row: Row) -> Organization:
    """A row of ``organizations``."""
    organization_id, name, contact, added_at = row
    return Organization(organization_id, name, contact, moment(added_at))


def to_purchase(row: Row) -> Purchase:
    """A row of ``purchases``."""
    (
        purchase_id,
        organization,
        program,
        numbers,
        ladder,
        version,
        cal_type,
        quantity,
        expires_at,
        convertible,
        added_at,
    ) = row
    return Purchase(
        purchase_id=purchase_id,
        organization=organization,
        program=Program(program),
        numbers=tuple(json.loads(numbers)),
        ladder=ladder,
        version=version,
        cal_type=CalType(cal_type),
        quantity=quantity,
        expires_at=moment(expires_at),
        convertible=bool(convertible),
        added_at=moment(added_at),
    )


def to_transfer(row: Row) -> Transfer:
    """A row of ``transfers``."""
    (
        transfer_id,
        pack_id,
        generation,
        source_id,
        target_id,
        name,
        source,
        reason,
        ordered,
        effective,
        outcome,
        ended,
        claimed,
    ) = row
    return Transfer(
        transfer_id=transfer_id,
        pack=PackRef(pack_id, generation),
        source_id=source_id,
        target_id=target_id,
        target_name=name,
        source=SourceState(source),
        reason=MoveReason(reason),
        ordered_at=moment(ordered),
        effective_at=moment_or_none(effective),
        outcome=None if outcome is None else TransferOutcome(outcome),
        ended_at=moment_or_none(ended),
        claimed=bool(claimed),
    )


def to_intent(row: Row) -> Intent:
    """A row of ``intents``."""
    payload_type, order, asked, payload, planned_at, envelope = row
    return Intent(PayloadType(payload_type), order, asked, payload, moment(planned_at), envelope)


def to_waiting(row: Row) -> Waiting:
    """A row of ``outbox``."""
    item, payload_type, order, posted_at, handover = row
    return Waiting(item, Part(PayloadType(payload_type), order), moment(posted_at), handover)


def to_answered(row: Row) -> Answered:
    """A row of ``answered``."""
    digest, server_id, nonce, payload_type, at, parts = row
    found = tuple(Part(PayloadType(kind), order) for kind, order in json.loads(parts))
    return Answered(digest, server_id, nonce, PayloadType(payload_type), moment(at), found)


def parts_text(parts: Sequence[Part]) -> str:
    """The parts of an answer as one text."""
    return json.dumps([[one.payload_type.value, one.order] for one in parts], separators=(",", ":"))
