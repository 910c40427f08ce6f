"""Is what a client presents a license of a server that this host knows, for this device, and does it still run?

A client keeps its license as opaque bytes and shows them to whoever asks: they may be another product's, another device's, cut or
made up. So every "no" here is a value with a reason, and whoever asks goes on as if nothing had been presented. The order protects:
size, envelope, type, key, signature; only then is a byte of the payload read.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from calward.domain.answers import license_name, numbered
from calward.domain.cals import CalType, HolderKind
from calward.domain.canonical import decode_object, encode
from calward.domain.envelope import Envelope, decode_envelope, keyid_of
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import Fields, render_moment
from calward.domain.heard import HeldLicense
from calward.domain.licenses import Change, Status
from calward.domain.names import HOLDER_MAX, HOST_MAX
from calward.domain.statements import ID_SIZE, PayloadType
from calward.domain.trust import Verify, is_signed_by

__all__ = ["MAX_LICENSE_SIZE", "IssuedLicense", "KnownServer", "NoLicense", "PresentedRefusal", "accept_license"]

MAX_LICENSE_SIZE: Final = 8 * 1024
"""Bytes of a presented license; the longest names that a server takes make less than 5000, a common one has about 700."""

_HOLDER_FIELDS: Final = {HolderKind.DEVICE: "hardware_id", HolderKind.USER: "user"}


@dataclass(frozen=True, slots=True)
class IssuedLicense:
    """A license server says: this holder has this license, given on the question of ``host``.

    ``server`` is the license server's id, 32 hexadecimal digits; ``holder`` the device's id or the user's name as the host asked.
    """

    server: str
    host: str
    kind: HolderKind
    holder: str
    id: str
    version: str
    type: CalType
    status: Status
    expires_at: datetime
    pack: str | None
    change: Change

    def to_payload(self) -> bytes:
        """Render canonically: the very bytes that a license server signs."""
        return encode(
            {
                "holder": {_HOLDER_FIELDS[self.kind]: self.holder},
                "host": self.host,
                "license": {
                    "change": self.change,
                    "expires_at": render_moment(self.expires_at),
                    "id": self.id,
                    "pack": self.pack,
                    "status": self.status,
                    "type": self.type,
                    "version": self.version,
                },
                "server": self.server,
            }
        )

    @classmethod
    def from_payload(cls, payload: bytes) -> "IssuedLicense":
        """Read strictly; raises LicensingError(MALFORMED). Whether its version is one of a ladder's is not asked here."""
        what = "the license"
        fields = Fields(decode_object(payload, what, max_size=MAX_LICENSE_SIZE, max_depth=2), what)
        kind, holder = _holder(fields.inner("holder"))
        host, server = fields.text("host", max_length=HOST_MAX), fields.hex("server", size=ID_SIZE).hex()
        given = fields.inner("license")
        fields.end()
        issued = cls(
            server=server,
            host=host,
            kind=kind,
            holder=holder,
            id=_license_id(given),
            version=given.name("version"),
            type=given.choice("type", CalType),
            status=given.choice("status", Status),
            expires_at=given.moment("expires_at"),
            pack=given.text_or_none("pack"),
            change=given.choice("change", Change),
        )
        given.end()
        return issued

    def held(self, server: str) -> HeldLicense:
        """The license as a host handles those that it has heard of; ``server`` is the server's address in its list."""
        return HeldLicense(
            id=self.id,
            version=self.version,
            type=self.type,
            status=self.status,
            expires_at=self.expires_at,
            pack=self.pack,
            change=self.change,
            server=server,
        )


class PresentedRefusal(StrEnum):
    """Why what a client presents is no license here; the names are for good. All of them mean: as if it had shown none."""

    FOREIGN = "foreign"
    """Nothing that a license server known here has signed as a license; another product's, mostly."""
    SIGNATURE_INVALID = "signature-invalid"
    """It names a key that is known here, and was not signed with it."""
    UNREADABLE = "unreadable"
    """Signed by a server known here and yet not what this release reads: another server's name, or a form to come."""
    OTHER_DEVICE = "other-device"
    """For another device than the one that shows it, or for a user."""
    EXPIRED = "expired"
    """Its time is over."""
    REVOKED = "revoked"
    """Its server has taken it back."""


@dataclass(frozen=True, slots=True)
class NoLicense:
    """An expected no: ``reason`` for programs, ``detail`` a sentence for the log (lower case, no full stop)."""

    reason: PresentedRefusal
    detail: str


@dataclass(frozen=True, slots=True)
class KnownServer:
    """A license server whose licenses a host believes: from its enrollment there and what it has heard from it since.

    ``keys`` are raw Ed25519 public keys of 32 bytes; ``revoked`` names licenses of this server only (L12 of another is another).
    """

    name: str
    server_id: str
    keys: frozenset[bytes]
    revoked: frozenset[str] = frozenset()


_R = PresentedRefusal


def accept_license(
    presented: bytes, *, servers: Iterable[KnownServer], device_id: str | None, now: datetime, verify: Verify
) -> IssuedLicense | NoLicense:
    """Accept a license that a server known here signed for this device, and that still runs at ``now``.

    ``presented`` may be any bytes; ``device_id`` is the id under which this host asks for the device, None where it has none.
    Whether its version opens this host and its type fits the mode is ``heard.newest_in_hand``'s question. Never raises.
    """
    opened = _open(presented, tuple(servers), verify)
    if isinstance(opened, NoLicense):
        return opened
    issued, server = opened
    if issued.kind is not HolderKind.DEVICE or device_id is None or issued.holder != device_id:
        return NoLicense(_R.OTHER_DEVICE, f"license {issued.id} is not this device's")
    if now >= issued.expires_at:
        return NoLicense(_R.EXPIRED, f"license {issued.id} ended at {render_moment(issued.expires_at)}")
    if issued.id in server.revoked:
        return NoLicense(_R.REVOKED, f"license {issued.id} has been revoked by {server.name}")
    return issued


def _open(
    presented: bytes, servers: tuple[KnownServer, ...], verify: Verify
) -> tuple[IssuedLicense, KnownServer] | NoLicense:
    envelope = _envelope(presented)
    if isinstance(envelope, NoLicense):
        return envelope
    named = {one.keyid for one in envelope.signatures}
    candidates = [server for server in servers if named & {keyid_of(key) for key in server.keys}]
    if not candidates:
        return NoLicense(_R.FOREIGN, "it is not signed with a key of a license server that this host knows")
    signers = [server for server in candidates if is_signed_by(envelope, server.keys, verify)]
    if not signers:
        return NoLicense(_R.SIGNATURE_INVALID, "the signature does not fit the license: it was changed or damaged")
    return _read(envelope, signers)


def _envelope(presented: bytes) -> Envelope | NoLicense:
    try:
        envelope = decode_envelope(presented, max_size=MAX_LICENSE_SIZE)
    except LicensingError:
        return NoLicense(_R.FOREIGN, f"{len(presented)} bytes that are no signed thing of ours")
    if envelope.payload_type != PayloadType.LICENSE:
        return NoLicense(_R.FOREIGN, "a signed thing, and no license")
    return envelope


def _read(envelope: Envelope, signers: list[KnownServer]) -> tuple[IssuedLicense, KnownServer] | NoLicense:
    try:
        issued = IssuedLicense.from_payload(envelope.payload)
    except LicensingError as error:
        return NoLicense(_R.UNREADABLE, error.detail)
    # A server vouches for its own licenses only: the key of one must not make those of another.
    server = next((one for one in signers if one.server_id == issued.server), None)
    if server is None:
        return NoLicense(_R.UNREADABLE, f"license {issued.id} names another license server than the one that signed it")
    return issued, server


def _holder(fields: Fields) -> tuple[HolderKind, str]:
    kind = next((kind for kind, name in _HOLDER_FIELDS.items() if fields.has(name)), HolderKind.DEVICE)
    holder = fields.text(_HOLDER_FIELDS[kind], max_length=HOLDER_MAX)
    fields.end()
    return kind, holder


def _license_id(fields: Fields) -> str:
    text = fields.text("id")
    number = numbered(text, "L")
    if number is None or text != license_name(number):
        raise LicensingError(Problem.MALFORMED, "id of the license must be a name like L12", field="id")
    return text
