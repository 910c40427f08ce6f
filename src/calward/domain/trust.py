"""Which keys may sign what?

A license server is told the root keys in its settings and believes nothing else by itself. The root, which is kept offline, signs a
*keyring*: which keys sign key packs and which sign activations. So a key of one role that is stolen is worth nothing in the other, and
both can be replaced without touching a license server.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from calward.domain.canonical import decode_object, encode
from calward.domain.envelope import Envelope, keyid_of
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import Fields, render_moment
from calward.domain.statements import KEY_SIZE, MAX_PAYLOAD_SIZE, PayloadType, check_public_key

__all__ = ["ROLE_OF", "Keyring", "Role", "RoleKey", "Trust", "Verify", "is_signed_by"]

Verify: TypeAlias = Callable[[bytes, bytes, bytes], bool]
"""``verify(public_key, message, signature)``: whether an Ed25519 signature is good. Comes from outside: no cryptography here."""

_MAX_KEYS = 16
_MAX_VERSION = 1_000_000


class Role(StrEnum):
    """What a key of the clearinghouse may sign, and nothing else."""

    ROOT = "root"
    PACK = "pack"
    ACTIVATION = "activation"


ROLE_OF = {
    PayloadType.KEYRING: Role.ROOT,
    PayloadType.KEY_PACK: Role.PACK,
    PayloadType.INSTALL_OFFER: Role.PACK,
    PayloadType.TRANSFER_ORDER: Role.PACK,
    PayloadType.TRANSFER_END: Role.PACK,
    PayloadType.PACK_CHANGE: Role.PACK,
    PayloadType.REGISTER: Role.PACK,
    PayloadType.ACTIVATION: Role.ACTIVATION,
}
"""The role whose keys may sign a payload of each type that a clearinghouse signs."""

_DELEGATED = frozenset({Role.PACK, Role.ACTIVATION})


@dataclass(frozen=True, slots=True)
class RoleKey:
    """One key of 32 bytes and the one role that it has."""

    role: Role
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Keyring:
    """The root says: these keys act for the clearinghouse named here, until ``expires_at``.

    ``version`` rises with each keyring; a license server never goes back to a lower one, so that a key taken out stays out.
    """

    clearinghouse: str
    version: int
    issued_at: datetime
    expires_at: datetime
    keys: tuple[RoleKey, ...]

    def to_payload(self) -> bytes:
        """Render canonically."""
        return encode(
            {
                "clearinghouse": self.clearinghouse,
                "expires_at": render_moment(self.expires_at),
                "issued_at": render_moment(self.issued_at),
                "keys": [{"public_key": one.public_key.hex(), "role": one.role} for one in self.keys],
                "version": self.version,
            }
        )

    @classmethod
    def from_payload(cls, payload: bytes) -> "Keyring":
        """Read strictly; raises LicensingError(MALFORMED), also where one key has two roles."""
        what = "the keyring"
        fields = Fields(decode_object(payload, what, max_size=MAX_PAYLOAD_SIZE, max_depth=3), what)
        keyring = cls(
            clearinghouse=fields.name("clearinghouse"),
            version=fields.integer("version", low=1, high=_MAX_VERSION),
            issued_at=fields.moment("issued_at"),
            expires_at=fields.moment("expires_at"),
            keys=tuple(_role_key(one) for one in fields.objects("keys", most=_MAX_KEYS)),
        )
        fields.end()
        if len({one.public_key for one in keyring.keys}) != len(keyring.keys):
            raise LicensingError(Problem.MALFORMED, "a key stands in the keyring twice: each key has one role")
        return keyring

    def keys_of(self, role: Role) -> frozenset[bytes]:
        """The keys with this role."""
        return frozenset(one.public_key for one in self.keys if one.role is role)


@dataclass(frozen=True, slots=True)
class Trust:
    """What a license server believes: the root keys of its settings and the newest keyring that one of them signed."""

    roots: frozenset[bytes]
    keyring: Keyring | None = None

    def keys_for(self, payload_type: PayloadType) -> frozenset[bytes]:
        """The keys whose signature counts for a payload of this type; none where there is no keyring yet."""
        role = ROLE_OF.get(payload_type)
        if role is Role.ROOT:
            return self.roots
        return frozenset() if role is None or self.keyring is None else self.keyring.keys_of(role)


def is_signed_by(envelope: Envelope, keys: Iterable[bytes], verify: Verify) -> bool:
    """Whether one of ``keys`` signed the envelope; signatures of other keys are passed over."""
    message = envelope.signed_bytes()
    tried = ((key, one) for key in keys for one in envelope.signatures if one.keyid == keyid_of(key))
    return any(verify(key, message, one.value) for key, one in tried)


def _role_key(fields: Fields) -> RoleKey:
    key = fields.hex("public_key", size=KEY_SIZE)
    role = fields.choice("role", Role)
    fields.end()
    if role not in _DELEGATED:
        raise LicensingError(Problem.MALFORMED, "a keyring cannot name a root key: those stand in the settings")
    return RoleKey(role, check_public_key(key, "public_key of a key of the keyring"))
