"""What can be said in a signed thing, and what is the one way to write it down?

Each statement is a frozen value with ``to_payload`` and ``from_payload``; what one writes is the only thing the other reads. A field
that is not known, missing, of another type or out of bounds is LicensingError(MALFORMED).
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from calward.domain.cals import CalType
from calward.domain.canonical import decode_object, encode
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import Fields, render_moment

__all__ = [
    "MAX_PAYLOAD_SIZE",
    "MAX_TOTAL",
    "NO_END",
    "Activation",
    "ActivationReason",
    "ActivationRequest",
    "Channel",
    "Deactivation",
    "KeyPackStatement",
    "PayloadType",
    "Program",
    "check_public_key",
    "check_server_id",
]

MAX_PAYLOAD_SIZE = 8 * 1024
"""Bytes of a statement; the largest, a keyring of 16 keys, takes less than 3000."""

MAX_TOTAL = 1_000_000
"""CALs in one pack. Each is a row of the ledger from the moment of installing, so a pack cannot be boundless."""

NO_END = datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
"""When a pack that was bought for good ends; a date that every system can still compute with."""

ID_SIZE = 16
KEY_SIZE = 32
DIGEST_SIZE = 32


class PayloadType(StrEnum):
    """One type for each meaning; it is signed together with the payload. A changed meaning gets a new type."""

    ACTIVATION_REQUEST = "application/vnd.calward.activation-request+json"
    ACTIVATION = "application/vnd.calward.activation+json"
    DEACTIVATION = "application/vnd.calward.deactivation+json"
    KEY_PACK = "application/vnd.calward.key-pack+json"
    KEYRING = "application/vnd.calward.keyring+json"
    INSTALL_REQUEST = "application/vnd.calward.install-request+json"
    MOVE_REQUEST = "application/vnd.calward.move-request+json"
    CHANGE_REQUEST = "application/vnd.calward.change-request+json"
    CANCEL_REQUEST = "application/vnd.calward.cancel-request+json"
    RECOVER_REQUEST = "application/vnd.calward.recover-request+json"
    CONTACT = "application/vnd.calward.contact+json"
    RELEASE = "application/vnd.calward.release+json"
    HANDOVER = "application/vnd.calward.handover+json"
    INSTALL_OFFER = "application/vnd.calward.install-offer+json"
    TRANSFER_ORDER = "application/vnd.calward.transfer-order+json"
    TRANSFER_END = "application/vnd.calward.transfer-end+json"
    PACK_CHANGE = "application/vnd.calward.pack-change+json"
    REGISTER = "application/vnd.calward.register+json"
    LICENSE = "application/vnd.calward.license+json"
    LICENSES = "application/vnd.calward.licenses+json"


class Channel(StrEnum):
    """How an activation was asked for; it decides how long it lasts unless someone says otherwise."""

    ONLINE = "online"
    FILE = "file"


class ActivationReason(StrEnum):
    """Why a license server asks to be activated (rd-licensing 6.2)."""

    FIRST = "first"
    RENEWAL = "renewal"
    REDEPLOYED = "redeployed"
    KEY_LOST = "key-lost"
    KEY_EXPOSED = "key-exposed"
    SERVER_UPGRADED = "server-upgraded"


class Program(StrEnum):
    """How the CALs of a pack were bought; shown, and without influence on what they open."""

    RETAIL = "retail"
    """A code that is claimed whole and once."""
    OPEN = "open"
    """A license number and an authorization number; claimed in parts."""
    VOLUME = "volume"
    """An agreement's number; claimed in parts."""
    SUBSCRIPTION = "subscription"
    """An agreement with an end date."""


# The y coordinates of the points of order 1, 2, 4 and 8, with and without sign bit, and their spellings beyond the field's prime.
# A key of small order verifies signatures that nobody made.
_SMALL_ORDER = frozenset(
    y[:-1] + bytes([y[-1] | sign])
    for sign in (0x00, 0x80)
    for y in map(
        bytes.fromhex,
        (
            "01" + 31 * "00",
            "00" + 31 * "00",
            "ec" + 30 * "ff" + "7f",
            "ed" + 30 * "ff" + "7f",
            "ee" + 30 * "ff" + "7f",
            "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        ),
    )
)


def check_public_key(key: bytes, what: str) -> bytes:
    """Return a raw Ed25519 public key of 32 bytes; raises LicensingError(MALFORMED), also for one of small order."""
    if len(key) != KEY_SIZE or key in _SMALL_ORDER:
        raise LicensingError(Problem.MALFORMED, f"{what} is no Ed25519 public key that may be used")
    return key


def check_server_id(text: str) -> str:
    """Return a license server's id, 32 hexadecimal digits in lower case; raises LicensingError(MALFORMED)."""
    found = Fields({"id": text}, "the license server")
    return found.hex("id", size=ID_SIZE).hex()


@dataclass(frozen=True, slots=True)
class ActivationRequest:
    """A license server asks for the right to issue. Signed with the key that it carries: who sent it owns that key, no more.

    ``server_id`` and ``nonce`` are 32 hexadecimal digits; the nonce is new in each request and comes back in the answer.
    """

    server_id: str
    server_name: str
    server_key: bytes
    nonce: str
    requested_at: datetime
    server_version: str
    reason: ActivationReason = ActivationReason.FIRST

    def to_payload(self) -> bytes:
        """Render canonically."""
        return encode(
            {
                "nonce": self.nonce,
                "reason": self.reason,
                "requested_at": render_moment(self.requested_at),
                "server_id": self.server_id,
                "server_key": self.server_key.hex(),
                "server_name": self.server_name,
                "server_version": self.server_version,
            }
        )

    @classmethod
    def from_payload(cls, payload: bytes) -> "ActivationRequest":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the activation request")
        request = cls(
            server_id=fields.hex("server_id", size=ID_SIZE).hex(),
            server_name=fields.name("server_name"),
            server_key=check_public_key(
                fields.hex("server_key", size=KEY_SIZE), "server_key of the activation request"
            ),
            nonce=fields.hex("nonce", size=ID_SIZE).hex(),
            requested_at=fields.moment("requested_at"),
            server_version=fields.name("server_version"),
            reason=fields.choice("reason", ActivationReason),
        )
        fields.end()
        return request


@dataclass(frozen=True, slots=True)
class Deactivation:
    """A license server gives up its right to issue, for good: it has written so into its ledger before it says it."""

    server_id: str
    nonce: str
    deactivated_at: datetime

    def to_payload(self) -> bytes:
        """Render canonically."""
        at = render_moment(self.deactivated_at)
        return encode({"deactivated_at": at, "nonce": self.nonce, "server_id": self.server_id})

    @classmethod
    def from_payload(cls, payload: bytes) -> "Deactivation":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the deactivation")
        found = cls(
            server_id=fields.hex("server_id", size=ID_SIZE).hex(),
            nonce=fields.hex("nonce", size=ID_SIZE).hex(),
            deactivated_at=fields.moment("deactivated_at"),
        )
        fields.end()
        return found


@dataclass(frozen=True, slots=True)
class Activation:
    """A clearinghouse gives one license server the right to issue full licenses.

    ``issue_until`` is the first second at which the right is gone; None is a right without end. ``nonce`` is the request's.
    """

    server_id: str
    server_name: str
    server_key: bytes
    clearinghouse: str
    channel: Channel
    nonce: str
    issued_at: datetime
    issue_until: datetime | None

    def to_payload(self) -> bytes:
        """Render canonically."""
        return encode(
            {
                "channel": self.channel,
                "clearinghouse": self.clearinghouse,
                "issue_until": None if self.issue_until is None else render_moment(self.issue_until),
                "issued_at": render_moment(self.issued_at),
                "nonce": self.nonce,
                "server_id": self.server_id,
                "server_key": self.server_key.hex(),
                "server_name": self.server_name,
            }
        )

    @classmethod
    def from_payload(cls, payload: bytes) -> "Activation":
        """Read strictly; raises LicensingError(MALFORMED)."""
        fields = _open(payload, "the activation")
        activation = cls(
            server_id=fields.hex("server_id", size=ID_SIZE).hex(),
            server_name=fields.name("server_name"),
            server_key=check_public_key(fields.hex("server_key", size=KEY_SIZE), "server_key of the activation"),
            clearinghouse=fields.name("clearinghouse"),
            channel=fields.choice("channel", Channel),
            nonce=fields.hex("nonce", size=ID_SIZE).hex(),
            issued_at=fields.moment("issued_at"),
            issue_until=fields.moment_or_none("issue_until"),
        )
        fields.end()
        _check_order(activation.issued_at, activation.issue_until, "the activation")
        return activation

    def may_issue(self, now: datetime) -> bool:
        """Whether full licenses may be issued and renewed at ``now``."""
        return self.issue_until is None or now < self.issue_until


@dataclass(frozen=True, slots=True)
class KeyPackStatement:
    """A clearinghouse sells ``total`` CALs of one version and type to the license server named here and to no other.

    ``pack_id`` is 32 hexadecimal digits; ``generation`` counts the times the pack was signed anew (moved, changed), from 1.
    The pack issues and renews until ``expires_at``, which a pack bought for good has too (``NO_END``). ``bought_as`` is the version
    that was paid for, up to which a downgraded pack can be raised again. ``handover``: the SHA-256 of the list of licenses that come
    with a pack which was moved here, None where none do.
    """

    pack_id: str
    generation: int
    server_id: str
    ladder: str
    version: str
    cal_type: CalType
    total: int
    program: Program
    issued_at: datetime
    expires_at: datetime
    bought_as: str
    handover: bytes | None = None

    def fields(self) -> dict[str, object]:
        """As payloads write it."""
        return {
            "bought_as": self.bought_as,
            "cal_type": self.cal_type,
            "expires_at": render_moment(self.expires_at),
            "generation": self.generation,
            "handover": None if self.handover is None else self.handover.hex(),
            "issued_at": render_moment(self.issued_at),
            "ladder": self.ladder,
            "pack_id": self.pack_id,
            "program": self.program,
            "server_id": self.server_id,
            "total": self.total,
            "version": self.version,
        }

    def to_payload(self) -> bytes:
        """Render canonically."""
        return encode(self.fields())

    @classmethod
    def from_payload(cls, payload: bytes) -> "KeyPackStatement":
        """Read strictly; raises LicensingError(MALFORMED). Whether ladder and version exist is not asked here."""
        return cls.take(_open(payload, "the key pack"))

    @classmethod
    def take(cls, fields: Fields) -> "KeyPackStatement":
        """Read one from its fields, all of them."""
        pack = cls(
            pack_id=fields.hex("pack_id", size=ID_SIZE).hex(),
            generation=fields.integer("generation", low=1, high=1_000_000),
            server_id=fields.hex("server_id", size=ID_SIZE).hex(),
            ladder=fields.name("ladder"),
            version=fields.name("version"),
            cal_type=fields.choice("cal_type", CalType),
            total=fields.integer("total", low=1, high=MAX_TOTAL),
            program=fields.choice("program", Program),
            issued_at=fields.moment("issued_at"),
            expires_at=fields.moment("expires_at"),
            bought_as=fields.name("bought_as"),
            handover=fields.hex_or_none("handover", size=DIGEST_SIZE),
        )
        fields.end()
        _check_order(pack.issued_at, pack.expires_at, "the key pack")
        return pack


def _open(payload: bytes, what: str) -> Fields:
    return Fields(decode_object(payload, what, max_size=MAX_PAYLOAD_SIZE, max_depth=1), what)


def _check_order(issued_at: datetime, end: datetime | None, what: str) -> None:
    if end is not None and end <= issued_at:
        raise LicensingError(Problem.MALFORMED, f"{what} ends at {render_moment(end)}, not after it was issued")
