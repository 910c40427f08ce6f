"""Which licenses go along when a pack moves to another license server, and what is the one way to list them?

The source signs the list as ``PayloadType.HANDOVER``; its release, and then the clearinghouse's new key pack, bear the SHA-256 of
the envelope, so that the target takes exactly this list. It names holders and is therefore kept nowhere longer than needed.
"""

from dataclasses import dataclass
from typing import Final

from calward.domain.cals import HolderKind
from calward.domain.canonical import decode_object, encode
from calward.domain.fields import Fields
from calward.domain.pack_orders import PackRef
from calward.domain.statements import ID_SIZE, MAX_TOTAL

__all__ = ["MAX_HANDOVER_SIZE", "HandedLicense", "Handover"]

MAX_HANDOVER_SIZE: Final = 256 * 1024 * 1024
"""Bytes of a list of a million licenses, which may take 200 each."""
_MAX_KEY = 1_000
_MAX_TIME = 2**40


@dataclass(frozen=True, slots=True)
class HandedLicense:
    """A running full license: CAL ``seat`` of the pack, held by a device or user. Times are seconds since 1970 (UTC)."""

    kind: HolderKind
    key: str
    label: str
    seat: int
    issued_at: int
    expires_at: int
    proven_at: int | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """All running licenses of a pack that the source has frozen for a transfer."""

    server_id: str
    transfer_id: str
    pack: PackRef
    licenses: tuple[HandedLicense, ...]

    def to_payload(self) -> bytes:
        """Render canonically."""
        body: dict[str, object] = {"licenses": [_fields(one) for one in self.licenses], "server_id": self.server_id}
        return encode(self.pack.fields() | body | {"transfer_id": self.transfer_id})

    @classmethod
    def from_payload(cls, payload: bytes) -> "Handover":
        """Read strictly; raises LicensingError(MALFORMED), also where one CAL is held twice."""
        what = "the handover"
        fields = Fields(decode_object(payload, what, max_size=MAX_HANDOVER_SIZE, max_depth=3), what)
        found = cls(
            server_id=fields.hex("server_id", size=ID_SIZE).hex(),
            transfer_id=fields.hex("transfer_id", size=ID_SIZE).hex(),
            pack=PackRef.take(fields),
            licenses=tuple(_license(one) for one in fields.objects("licenses", most=MAX_TOTAL, least=0)),
        )
        fields.end()
        fields.unique("licenses", [one.seat for one in found.licenses])
        return found


def _fields(one: HandedLicense) -> dict[str, object]:
    return {
        "expires_at": one.expires_at,
        "issued_at": one.issued_at,
        "key": one.key,
        "kind": one.kind,
        "label": one.label,
        "proven_at": one.proven_at,
        "seat": one.seat,
    }


def _license(fields: Fields) -> HandedLicense:
    found = HandedLicense(
        kind=fields.choice("kind", HolderKind),
        key=fields.text("key", max_length=_MAX_KEY),
        label=fields.text_or_empty("label", max_length=_MAX_KEY),
        seat=fields.integer("seat", low=1, high=MAX_TOTAL),
        issued_at=fields.integer("issued_at", low=0, high=_MAX_TIME),
        expires_at=fields.integer("expires_at", low=0, high=_MAX_TIME),
        proven_at=fields.integer_or_none("proven_at", low=0, high=_MAX_TIME),
    )
    fields.end()
    return found
