"""Does the clearinghouse accept this request about packs, and does a license server accept this order?

The order of checks is that of ``calward.domain.acceptance``: size, envelope, type, key, signature; only then the payload.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Final, TypeAlias

from calward.domain.acceptance import (
    AcceptanceRefusal,
    NotAccepted,
    for_another,
    open_delegated,
    parse_payload,
    read_envelope,
    why_unsigned,
)
from calward.domain.envelope import decode_envelope
from calward.domain.errors import LicensingError
from calward.domain.handover import MAX_HANDOVER_SIZE, Handover
from calward.domain.pack_orders import InstallOffer, PackChange, Register, TransferEnd, TransferOrder
from calward.domain.pack_requests import (
    CancelRequest,
    ChangeRequest,
    Contact,
    InstallRequest,
    MoveRequest,
    RecoverRequest,
    Release,
)
from calward.domain.statements import Deactivation, PayloadType
from calward.domain.trust import Trust, Verify

__all__ = [
    "KeyOf",
    "Order",
    "ServerKey",
    "ServerRequest",
    "accept_handover",
    "accept_order",
    "accept_server_request",
    "payload_type_of",
]

ServerRequest: TypeAlias = (
    InstallRequest | MoveRequest | ChangeRequest | CancelRequest | RecoverRequest | Contact | Release | Deactivation
)
Order: TypeAlias = InstallOffer | TransferOrder | TransferEnd | PackChange | Register

_REQUESTS: Final[Mapping[PayloadType, Callable[[bytes], ServerRequest]]] = MappingProxyType(
    {
        PayloadType.INSTALL_REQUEST: InstallRequest.from_payload,
        PayloadType.MOVE_REQUEST: MoveRequest.from_payload,
        PayloadType.CHANGE_REQUEST: ChangeRequest.from_payload,
        PayloadType.CANCEL_REQUEST: CancelRequest.from_payload,
        PayloadType.RECOVER_REQUEST: RecoverRequest.from_payload,
        PayloadType.CONTACT: Contact.from_payload,
        PayloadType.RELEASE: Release.from_payload,
        PayloadType.DEACTIVATION: Deactivation.from_payload,
    }
)
_ORDERS: Final[Mapping[PayloadType, Callable[[bytes], Order]]] = MappingProxyType(
    {
        PayloadType.INSTALL_OFFER: InstallOffer.from_payload,
        PayloadType.TRANSFER_ORDER: TransferOrder.from_payload,
        PayloadType.TRANSFER_END: TransferEnd.from_payload,
        PayloadType.PACK_CHANGE: PackChange.from_payload,
        PayloadType.REGISTER: Register.from_payload,
    }
)


@dataclass(frozen=True, slots=True)
class ServerKey:
    """A license server that the clearinghouse knows, and the key to which its id is bound."""

    server_id: str
    public_key: bytes


KeyOf: TypeAlias = Callable[[str], ServerKey | None]
"""Which license server has the key of this key id."""


def accept_server_request(
    text: bytes, payload_type: PayloadType, *, key_of: KeyOf, verify: Verify
) -> ServerRequest | NotAccepted:
    """Accept a request of a license server that is known here, signed with its key and in its own name.

    Whether it came before, and what it may have, is for the clearinghouse's ledger to say. Raises KeyError for a type that is
    no request.
    """
    envelope = read_envelope(text, payload_type)
    if isinstance(envelope, NotAccepted):
        return envelope
    known = next((found for one in envelope.signatures if (found := key_of(one.keyid)) is not None), None)
    if known is None:
        detail = "no license server with this key was activated here: activate it first"
        return NotAccepted(AcceptanceRefusal.SERVER_NOT_KNOWN, detail)
    refused = why_unsigned(envelope, frozenset({known.public_key}), "the key of its license server", verify)
    if refused is not None:
        return refused
    request = parse_payload(envelope, _REQUESTS[payload_type])
    if isinstance(request, NotAccepted):
        return request
    named = request.server_id if isinstance(request, Deactivation) else request.head.server_id
    return request if named == known.server_id else for_another("request", named, known.server_id)


def accept_order(
    text: bytes, payload_type: PayloadType, *, trust: Trust, server_id: str, now: datetime, verify: Verify
) -> Order | NotAccepted:
    """Accept what the pack key ordered this license server to do. Raises KeyError for a type that is no order."""
    order = open_delegated(text, payload_type, trust, now, verify, _ORDERS[payload_type])
    if isinstance(order, NotAccepted):
        return order
    return order if order.server_id == server_id else for_another("order", order.server_id, server_id)


def accept_handover(text: bytes, *, digest: bytes) -> Handover | NotAccepted:
    """Accept the list of licenses that a key pack's ``handover`` names. Whose key signed it is not asked: the digest says more."""
    if sha256(text.removesuffix(b"\n")).digest() != digest:
        detail = "the list of licenses is not the one that was released with the pack: copy the whole answer again"
        return NotAccepted(AcceptanceRefusal.SIGNATURE_INVALID, detail)
    envelope = read_envelope(text, PayloadType.HANDOVER, max_size=MAX_HANDOVER_SIZE)
    return envelope if isinstance(envelope, NotAccepted) else parse_payload(envelope, Handover.from_payload)


def payload_type_of(text: bytes) -> PayloadType | None:
    """What an envelope claims to be, unverified, to choose who reads it; None where it is nothing of ours."""
    try:
        return PayloadType(decode_envelope(text, max_size=MAX_HANDOVER_SIZE).payload_type)
    except (LicensingError, ValueError):
        return None
