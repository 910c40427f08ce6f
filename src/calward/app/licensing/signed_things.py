"""Ask for the right to issue, take the answer, take keyrings and key packs: all that comes signed from a clearinghouse."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.change_server import activate_server
from calward.app.licensing.install_key_pack import InstallKeyPack, install_key_pack
from calward.app.ports import Book, Entropy
from calward.domain.acceptance import (
    AcceptanceRefusal,
    NotAccepted,
    ServerIdentity,
    accept_activation,
    accept_key_pack,
    accept_keyring,
)
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import parse_moment
from calward.domain.key_packs import PackId
from calward.domain.ladder import Ladder
from calward.domain.licenses import NEVER
from calward.domain.statements import Activation, ActivationReason, ActivationRequest, KeyPackStatement, PayloadType
from calward.domain.trust import Keyring, Trust, Verify

__all__ = [
    "Clearinghouse",
    "Signatures",
    "accept_pack",
    "install_command",
    "install_signed_pack",
    "moment_of",
    "request_activation",
    "take_activation",
    "take_keyring",
    "trust_of",
]

KEYRING = "keyring"
NONCE = "activation-nonce"
DEACTIVATION = "deactivation"
REGISTER = "register"
"""What the clearinghouse said last of what this server holds: packs by id, their generations, and when it said so."""
CONTACT_NONCE = "contact-nonce"
"""Of the last contact, which may be answered with a new right to issue too."""


@dataclass(frozen=True, slots=True)
class Signatures:
    """Whom this license server believes, and how it signs.

    ``roots``: the clearinghouse's root keys, from the settings. ``seal``: sign a payload of a type with the server's own key.
    """

    roots: frozenset[bytes]
    verify: Verify
    public_key: bytes
    seal: Callable[[str, bytes], bytes]


class Clearinghouse(Protocol):
    """A clearinghouse that can be reached; all raise LicensingError(UNREACHABLE)."""

    def keyring(self) -> bytes:
        """Its newest keyring."""

    def activate(self, request: bytes) -> bytes:
        """The answer to an activation request."""

    def close(self) -> None:
        """Give the connection back."""


def request_activation(
    book: Book,
    signatures: Signatures,
    entropy: Entropy,
    *,
    now: int,
    reason: ActivationReason = ActivationReason.FIRST,
) -> bytes:
    """Make a signed activation request; the answer to an earlier one is not taken any more."""
    server = book.server()
    nonce = entropy.token(16).hex()
    book.keep_document(NONCE, nonce.encode())
    who = (server.id, server.name, signatures.public_key)
    request = ActivationRequest(*who, nonce, moment_of(now), server.version, reason)
    return signatures.seal(PayloadType.ACTIVATION_REQUEST, request.to_payload())


def take_keyring(text: bytes, book: Book, signatures: Signatures, *, now: int) -> NotAccepted | None:
    """Keep a keyring that a trusted root signed; None when it is kept."""
    if not signatures.roots:
        detail = "no clearinghouse is trusted: name its root key in the setting roots"
        raise LicensingError(Problem.MALFORMED, detail, field="roots")
    known = _keyring(book, signatures, now)
    newest = known.version if isinstance(known, Keyring) else 0
    found = accept_keyring(text, roots=signatures.roots, now=moment_of(now), verify=signatures.verify, newest=newest)
    if isinstance(found, NotAccepted):
        return found
    book.keep_document(KEYRING, text)
    return None


def take_activation(text: bytes, book: Book, signatures: Signatures, *, now: int, by: str) -> Done | NotAccepted:
    """Take the right to issue that a clearinghouse gave this license server."""
    found = _accepted_activation(text, book, signatures, now)
    if isinstance(found, NotAccepted):
        return found
    until = NEVER if found.issue_until is None else int(found.issue_until.timestamp())
    if until == book.server().issue_until:
        return Done("activated")  # Taken before: nothing changes.
    book.drop_document(DEACTIVATION)
    return activate_server(until, book, now=now, by=by, clearinghouse=found.clearinghouse)


def _accepted_activation(text: bytes, book: Book, signatures: Signatures, now: int) -> Activation | NotAccepted:
    """The answer to the last activation request or to the last contact; where neither was made, any for this server."""
    known = [book.document(name) for name in (NONCE, CONTACT_NONCE)]
    nonces: list[str | None] = [nonce.decode() for nonce in known if nonce]
    trust, moment = trust_of(book, signatures, now), moment_of(now)

    def accepted(nonce: str | None) -> Activation | NotAccepted:
        identity = ServerIdentity(book.server().id, signatures.public_key, nonce)
        return accept_activation(text, trust=trust, server=identity, now=moment, verify=signatures.verify)

    found = accepted(nonces[0] if nonces else None)
    for nonce in nonces[1:]:
        if isinstance(found, NotAccepted) and found.reason is AcceptanceRefusal.ANSWERS_ANOTHER_REQUEST:
            found = accepted(nonce)
    return found


def install_signed_pack(
    text: bytes, book: Book, signatures: Signatures, ladder: Ladder, *, now: int, by: str
) -> Done | RefusedAct | NotAccepted:
    """Install a key pack that a clearinghouse signed for this license server."""
    found = accept_pack(text, book, signatures, ladder, now=now)
    if isinstance(found, NotAccepted):
        return found
    return install_key_pack(install_command(found, text, by), book, ladder, now=now)


def accept_pack(
    text: bytes, book: Book, signatures: Signatures, ladder: Ladder, *, now: int
) -> KeyPackStatement | NotAccepted:
    """A key pack that a clearinghouse signed for this license server and that it may hold."""
    server = book.server()
    found = accept_key_pack(
        text,
        trust=trust_of(book, signatures, now),
        server_id=server.id,
        ladder=ladder,
        server_version=server.version,
        now=moment_of(now),
        verify=signatures.verify,
    )
    return found if isinstance(found, NotAccepted) else _no_older_than_the_register(found, book)


def _no_older_than_the_register(found: KeyPackStatement, book: Book) -> KeyPackStatement | NotAccepted:
    """A ledger that went back has forgotten which packs have left it since: what was signed before the register is void."""
    register = book.document(REGISTER)
    if register is None or found.issued_at >= parse_moment(json.loads(register)["issued_at"], "the register"):
        return found
    detail = f"pack {found.pack_id} was signed before the clearinghouse said what this server holds: contact it for a new one"
    return NotAccepted(AcceptanceRefusal.REPLAYED, detail)


def install_command(found: KeyPackStatement, text: bytes, by: str) -> InstallKeyPack:
    """What an accepted key pack asks to install; ``text``: its envelope."""
    return InstallKeyPack(
        id=PackId(found.pack_id),
        version=found.version,
        type=found.cal_type,
        total=found.total,
        expires_at=int(found.expires_at.timestamp()),
        by=by,
        statement=text,
        generation=found.generation,
        bought_as=found.bought_as,
    )


def trust_of(book: Book, signatures: Signatures, now: int) -> Trust:
    """Whom to believe now: the roots of the settings and the kept keyring."""
    known = _keyring(book, signatures, now)
    return Trust(signatures.roots, known if isinstance(known, Keyring) else None)


def _keyring(book: Book, signatures: Signatures, now: int) -> Keyring | NotAccepted | None:
    """The kept keyring, believed only as far as it still deserves it."""
    text = book.document(KEYRING)
    if text is None:
        return None
    return accept_keyring(text, roots=signatures.roots, now=moment_of(now), verify=signatures.verify)


def moment_of(now: int) -> datetime:
    """A second since 1970 as signed things say it."""
    return datetime.fromtimestamp(now, UTC)
