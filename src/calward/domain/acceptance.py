"""Does this license server accept this signed thing, and if not, why not and what would help?

The order is always the same and is what protects: size, envelope, type, key, signature; only then is a byte of the payload read. All
functions take the bytes of a file or request as they came and answer with the statement or with ``NotAccepted``, never with an error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from calward.domain.envelope import MAX_ENVELOPE_SIZE, Envelope, decode_envelope, keyid_of
from calward.domain.errors import LicensingError
from calward.domain.fields import render_moment
from calward.domain.ladder import Ladder
from calward.domain.statements import Activation, ActivationRequest, KeyPackStatement, PayloadType
from calward.domain.trust import Keyring, Trust, Verify, is_signed_by

__all__ = [
    "AcceptanceRefusal",
    "NotAccepted",
    "ServerIdentity",
    "accept_activation",
    "accept_activation_request",
    "accept_key_pack",
    "accept_keyring",
    "for_another",
    "open_delegated",
    "parse_payload",
    "read_envelope",
    "why_unsigned",
]


class AcceptanceRefusal(StrEnum):
    """Why a signed thing is not accepted; the names are for good."""

    TOO_LARGE = "too-large"
    MALFORMED = "malformed"
    WRONG_PAYLOAD_TYPE = "wrong-payload-type"
    KEY_NOT_TRUSTED = "key-not-trusted"
    SIGNATURE_INVALID = "signature-invalid"
    KEYRING_EXPIRED = "keyring-expired"
    KEYRING_OUTDATED = "keyring-outdated"
    FOR_ANOTHER_SERVER = "for-another-server"
    SERVER_NOT_KNOWN = "server-not-known"
    ANSWERS_ANOTHER_REQUEST = "answers-another-request"
    ACTIVATION_EXPIRED = "activation-expired"
    PACK_EXPIRED = "pack-expired"
    UNKNOWN_LADDER = "unknown-ladder"
    UNKNOWN_VERSION = "unknown-version"
    SERVER_VERSION_TOO_LOW = "server-version-too-low"
    NUMBER_UNKNOWN = "number-unknown"
    NOTHING_LEFT = "nothing-left"
    PACK_NOT_HELD = "pack-not-held"
    PACK_MOVING = "pack-moving"
    NOT_SAME_ORGANIZATION = "not-same-organization"
    ABOVE_WHAT_WAS_BOUGHT = "above-what-was-bought"
    NOT_CONVERTIBLE = "not-convertible"
    REPLAYED = "replayed"
    LEDGER_ROLLED_BACK = "ledger-rolled-back"
    TRANSFER_ENDED = "transfer-ended"
    SERVER_NOT_ACTIVATED = "server-not-activated"
    KEY_NOT_CONFIRMED = "key-not-confirmed"
    HANDOVER_MISSING = "handover-missing"


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """An expected no: ``reason`` for programs, ``detail`` a sentence for people (lower case, no full stop)."""

    reason: AcceptanceRefusal
    detail: str


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """Who a license server is. ``nonce`` is that of the request it waits for, None if it takes the answer to any."""

    server_id: str
    public_key: bytes
    nonce: str | None = None


StatementT = TypeVar("StatementT")
_R = AcceptanceRefusal

_TITLES = {
    PayloadType.ACTIVATION_REQUEST: "an activation request",
    PayloadType.ACTIVATION: "an activation",
    PayloadType.KEY_PACK: "a key pack",
    PayloadType.KEYRING: "a keyring",
    PayloadType.LICENSE: "an issued license",
    PayloadType.LICENSES: "a batch of issued licenses",
    PayloadType.DEACTIVATION: "a deactivation",
    PayloadType.INSTALL_REQUEST: "an install request",
    PayloadType.MOVE_REQUEST: "a move request",
    PayloadType.CHANGE_REQUEST: "a change request",
    PayloadType.CANCEL_REQUEST: "a cancel request",
    PayloadType.RECOVER_REQUEST: "a recover request",
    PayloadType.CONTACT: "a contact",
    PayloadType.RELEASE: "a release",
    PayloadType.HANDOVER: "a handover",
    PayloadType.INSTALL_OFFER: "an offer",
    PayloadType.TRANSFER_ORDER: "a transfer order",
    PayloadType.TRANSFER_END: "the end of a transfer",
    PayloadType.PACK_CHANGE: "a pack change",
    PayloadType.REGISTER: "a register",
}


def accept_keyring(
    text: bytes, *, roots: frozenset[bytes], now: datetime, verify: Verify, newest: int = 0
) -> Keyring | NotAccepted:
    """Accept a keyring that a root signed; ``newest`` is the highest version accepted so far."""
    keyring = _open(text, PayloadType.KEYRING, Trust(roots), verify, Keyring.from_payload)
    if isinstance(keyring, NotAccepted):
        return keyring
    if keyring.version < newest:
        detail = f"the keyring has version {keyring.version}, version {newest} was accepted before: fetch the newest"
        return NotAccepted(_R.KEYRING_OUTDATED, detail)
    return _expired_keyring(keyring, now) or keyring


def accept_activation(
    text: bytes, *, trust: Trust, server: ServerIdentity, now: datetime, verify: Verify
) -> Activation | NotAccepted:
    """Accept the right to issue if the activation key signed it for exactly this server and it has not run out."""
    activation = open_delegated(text, PayloadType.ACTIVATION, trust, now, verify, Activation.from_payload)
    if isinstance(activation, NotAccepted):
        return activation
    if (activation.server_id, activation.server_key) != (server.server_id, server.public_key):
        return for_another("activation", activation.server_id, server.server_id)
    if server.nonce not in (None, activation.nonce):
        detail = "the activation answers another request: use the answer to the request that was made last"
        return NotAccepted(_R.ANSWERS_ANOTHER_REQUEST, detail)
    if activation.issue_until is not None and not activation.may_issue(now):
        ended = render_moment(activation.issue_until)
        return NotAccepted(_R.ACTIVATION_EXPIRED, f"the right to issue ended at {ended}: make a new activation request")
    return activation


def accept_key_pack(
    text: bytes,
    *,
    trust: Trust,
    server_id: str,
    ladder: Ladder,
    server_version: str,
    now: datetime,
    verify: Verify,
) -> KeyPackStatement | NotAccepted:
    """Accept a pack that the pack key signed for this server, of a version that the server may hold.

    Whether it is installed already is for the ledger to say. ``server_version`` is one of the ladder's.
    """
    pack = open_delegated(text, PayloadType.KEY_PACK, trust, now, verify, KeyPackStatement.from_payload)
    if isinstance(pack, NotAccepted):
        return pack
    if pack.server_id != server_id:
        return for_another(f"key pack {pack.pack_id}", pack.server_id, server_id)
    if pack.expires_at <= now:
        detail = f"key pack {pack.pack_id} expired at {render_moment(pack.expires_at)}: it would issue nothing"
        return NotAccepted(_R.PACK_EXPIRED, detail)
    return _not_for_version(pack, ladder, server_version) or pack


def accept_activation_request(text: bytes, *, verify: Verify) -> ActivationRequest | NotAccepted:
    """Accept a request of a license server that is signed with the key in it (the clearinghouse's side).

    The one statement that is read before its signature is verified: the key stands inside. It proves only that who sent it has the key.
    """
    envelope = read_envelope(text, PayloadType.ACTIVATION_REQUEST)
    if isinstance(envelope, NotAccepted):
        return envelope
    request = parse_payload(envelope, ActivationRequest.from_payload)
    if isinstance(request, NotAccepted):
        return request
    return why_unsigned(envelope, frozenset({request.server_key}), "the key of its license server", verify) or request


def open_delegated(
    text: bytes,
    payload_type: PayloadType,
    trust: Trust,
    now: datetime,
    verify: Verify,
    parse: Callable[[bytes], StatementT],
) -> StatementT | NotAccepted:
    """Read a statement that a key of the keyring signed."""
    if trust.keyring is None:
        detail = "no keyring of the clearinghouse is known here yet: take it first (calward server keyring keyring.json), or ask online"
        return NotAccepted(_R.KEY_NOT_TRUSTED, detail)
    expired = _expired_keyring(trust.keyring, now)
    return _open(text, payload_type, trust, verify, parse) if expired is None else expired


def _open(
    text: bytes, payload_type: PayloadType, trust: Trust, verify: Verify, parse: Callable[[bytes], StatementT]
) -> StatementT | NotAccepted:
    envelope = read_envelope(text, payload_type)
    if isinstance(envelope, NotAccepted):
        return envelope
    who = f"a key that may sign {_TITLES[payload_type]}"
    refused = why_unsigned(envelope, trust.keys_for(payload_type), who, verify)
    return parse_payload(envelope, parse) if refused is None else refused


def read_envelope(
    text: bytes, payload_type: PayloadType, *, max_size: int = MAX_ENVELOPE_SIZE
) -> Envelope | NotAccepted:
    """Read an envelope and compare its type; nothing of the payload."""
    if len(text) > max_size:
        return NotAccepted(_R.TOO_LARGE, f"the file is {len(text)} bytes long, {max_size} are allowed")
    try:
        envelope = decode_envelope(text, max_size=max_size)
    except LicensingError as error:
        return NotAccepted(_R.MALFORMED, error.detail)
    if envelope.payload_type != payload_type:
        # The type is not repeated where it is not one of ours: whoever wrote the file chose it.
        known = next((title for kind, title in _TITLES.items() if kind == envelope.payload_type), "something else")
        return NotAccepted(_R.WRONG_PAYLOAD_TYPE, f"{_TITLES[payload_type]} is wanted, this is {known}")
    return envelope


def why_unsigned(envelope: Envelope, keys: frozenset[bytes], who: str, verify: Verify) -> NotAccepted | None:
    """Why the envelope does not count as signed by one of these keys; None if it does."""
    if not {keyid_of(key) for key in keys} & {one.keyid for one in envelope.signatures}:
        return NotAccepted(_R.KEY_NOT_TRUSTED, f"it is not signed with {who}: is it from the right clearinghouse")
    if not is_signed_by(envelope, keys, verify):
        detail = "the signature does not fit the content: the file was damaged or changed, ask for it again"
        return NotAccepted(_R.SIGNATURE_INVALID, detail)
    return None


def parse_payload(envelope: Envelope, parse: Callable[[bytes], StatementT]) -> StatementT | NotAccepted:
    """Read the payload of an envelope whose signature holds."""
    try:
        return parse(envelope.payload)
    except LicensingError as error:
        return NotAccepted(_R.MALFORMED, error.detail)


def _expired_keyring(keyring: Keyring, now: datetime) -> NotAccepted | None:
    if now < keyring.expires_at:
        return None
    ended = render_moment(keyring.expires_at)
    detail = f"the keyring of the clearinghouse ended at {ended}: fetch or import the one that follows it"
    return NotAccepted(_R.KEYRING_EXPIRED, detail)


def for_another(what: str, theirs: str, ours: str) -> NotAccepted:
    """The refusal of what names another license server."""
    detail = f"the {what} is for the license server {theirs}, this is {ours}: ask the clearinghouse for one of your own"
    return NotAccepted(_R.FOR_ANOTHER_SERVER, detail)


def _not_for_version(pack: KeyPackStatement, ladder: Ladder, server_version: str) -> NotAccepted | None:
    if pack.ladder != ladder.name:
        detail = f"key pack {pack.pack_id} is for the ladder {pack.ladder}, this server runs {ladder.name}"
        return NotAccepted(_R.UNKNOWN_LADDER, detail)
    if pack.version not in ladder.versions:
        detail = f"{pack.version} is no version of the ladder {ladder.name}, it has {', '.join(ladder.versions)}"
        return NotAccepted(_R.UNKNOWN_VERSION, detail)
    if ladder.family_of(pack.version) > ladder.family_of(server_version):
        detail = (
            f"a license server of version {server_version} cannot hold CALs of {pack.version}: "
            f"a server of {' or '.join(ladder.at_least(pack.version))} can"
        )
        return NotAccepted(_R.SERVER_VERSION_TOO_LOW, detail)
    return None
