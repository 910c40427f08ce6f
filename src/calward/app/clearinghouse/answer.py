"""Answer whatever a license server asks: one bundle of signed requests in, one bundle of signed things out.

Each request is a transaction of its own and is remembered by the digest of its envelope: the same request gets the same answer, byte
for byte, whatever happened in between; only a list of licenses that was delivered is left out. An answer begins with the newest
keyring, then comes what belongs to the request alone, then all that waits for the server. What is to be signed is stored in
that transaction and signed after it.
"""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from calward.app.clearinghouse.activate_license_server import ActivateLicenseServer, activate_license_server
from calward.app.clearinghouse.change_pack import change_pack
from calward.app.clearinghouse.claim_pack import claim_pack
from calward.app.clearinghouse.contact import hear_contact, rolled_back
from calward.app.clearinghouse.deactivate import deactivate
from calward.app.clearinghouse.end_transfer import end_due_transfers, give_up_move
from calward.app.clearinghouse.keyrings import keyring_in
from calward.app.clearinghouse.means import Asked, Means, Said, digest_of
from calward.app.clearinghouse.order_move import order_move
from calward.app.clearinghouse.ports import Book
from calward.app.clearinghouse.records import Answered, Part, RegisteredServer
from calward.app.clearinghouse.recover import recover
from calward.app.clearinghouse.sign_intent import sign_part
from calward.app.clearinghouse.take_release import read_list, take_release
from calward.domain.acceptance import AcceptanceRefusal, NotAccepted
from calward.domain.bundle import MAX_BUNDLE_SIZE, join, split
from calward.domain.envelope import decode_envelope
from calward.domain.errors import LicensingError
from calward.domain.pack_acceptance import ServerKey, ServerRequest, accept_server_request, payload_type_of
from calward.domain.pack_requests import MAX_PACKS, Contact, RecoverRequest, Release
from calward.domain.register_events import RegisterEvent
from calward.domain.statements import Channel, Deactivation, PayloadType

__all__ = ["answer"]

_R = AcceptanceRefusal
_Act: TypeAlias = Callable[[Any, Asked], Said]
_ACTS: Final[Mapping[PayloadType, _Act]] = MappingProxyType(
    {
        PayloadType.INSTALL_REQUEST: claim_pack,
        PayloadType.MOVE_REQUEST: order_move,
        PayloadType.CHANGE_REQUEST: change_pack,
        PayloadType.CANCEL_REQUEST: give_up_move,
        PayloadType.RECOVER_REQUEST: recover,
        PayloadType.CONTACT: hear_contact,
        PayloadType.DEACTIVATION: deactivate,
    }
)
"""Who answers what; a release needs the list that comes with it and stands apart."""
_WAY_OUT: Final = (Contact, RecoverRequest)
"""What a server may still ask whose ledger went back."""


def answer(bundle: bytes, channel: Channel, *, means: Means) -> bytes | NotAccepted:
    """Take the requests of a bundle in order; the first that is not accepted ends it, those before it have been taken.

    Raises: LicensingError: UNAVAILABLE: it is not known what is stored, asking again with the same bytes is safe; CONFLICT, as
    ``activate_license_server``.
    """
    try:
        envelopes = split(bundle, max_size=MAX_BUNDLE_SIZE)
    except LicensingError as error:
        return NotAccepted(_R.MALFORMED, error.detail)
    parts: dict[Part, None] = {}
    for text, handover in _pairs(envelopes):
        said = _answer_one(text, handover, channel, means)
        if isinstance(said, NotAccepted):
            return said
        parts |= dict.fromkeys(said)
    signed = (sign_part(one, means) for one in parts)
    return join(one for one in signed if one is not None)


def _pairs(envelopes: tuple[bytes, ...]) -> Iterator[tuple[bytes, bytes | None]]:
    """Each request with the list of licenses that follows it."""
    kinds = [payload_type_of(one) for one in envelopes]
    for at, kind in enumerate(kinds):
        follows = at > 0 and kinds[at - 1] is PayloadType.RELEASE
        if kind is not PayloadType.HANDOVER or not follows:
            has_list = kinds[at + 1 : at + 2] == [PayloadType.HANDOVER] and kind is PayloadType.RELEASE
            yield envelopes[at], envelopes[at + 1] if has_list else None


def _answer_one(text: bytes, handover: bytes | None, channel: Channel, means: Means) -> Said:
    kind = payload_type_of(text)
    if kind is PayloadType.ACTIVATION_REQUEST:
        return _activate(text, channel, means)
    if kind is PayloadType.RELEASE:
        return _release(text, handover, channel, means)
    if kind is None or kind not in _ACTS:
        return _no_request(text)
    act = _ACTS[kind]
    return means.store.write(lambda book: _take(text, kind, act, channel, means, book))


def _no_request(text: bytes) -> NotAccepted:
    try:
        decode_envelope(text)
    except LicensingError as error:
        return NotAccepted(_R.MALFORMED, error.detail)
    detail = "this is no request of a license server: send what it made for the clearinghouse"
    return NotAccepted(_R.WRONG_PAYLOAD_TYPE, detail)


def _activate(text: bytes, channel: Channel, means: Means) -> Said:
    given = activate_license_server(ActivateLicenseServer(text, channel), means=means)
    if isinstance(given, NotAccepted):
        return given
    return means.store.read(lambda book: keyring_in(book)[1].part), given


def _release(text: bytes, handover: bytes | None, channel: Channel, means: Means) -> Said:
    """The list is read before the transaction begins: it may take long, and nobody else shall wait for it."""
    known = means.store.read(lambda book: book.papers.answered(digest_of(text)))
    if known is not None:
        return known.parts
    release = means.store.read(lambda book: _accepted(text, PayloadType.RELEASE, means, book))
    if isinstance(release, NotAccepted):
        return release
    assert isinstance(release, Release)  # noqa: S101 - the payload type decides
    listed = read_list(release, handover)
    if isinstance(listed, NotAccepted):
        return listed

    def act(request: Release, asked: Asked) -> Said:
        return take_release(request, listed, asked)

    return means.store.write(lambda book: _take(text, PayloadType.RELEASE, act, channel, means, book))


def _take(text: bytes, kind: PayloadType, act: _Act, channel: Channel, means: Means, book: Book) -> Said:
    digest, now = digest_of(text), means.now()
    known = book.papers.answered(digest)
    if known is not None:
        return known.parts
    request = _accepted(text, kind, means, book)
    if isinstance(request, NotAccepted):
        return request
    server_id, nonce = _head(request)
    server = book.parties.server(server_id)
    assert server is not None  # noqa: S101 - its key was found among those of the servers
    end_due_transfers(book, means.new_id, now)
    asked = Asked(means, book, server, channel, digest, now)
    said = _why_not(server, nonce, request, book) or act(request, asked)
    if isinstance(said, NotAccepted):
        book.log.note(now, RegisterEvent.REFUSED, server_id=server_id, request=digest, asked=kind, reason=said.reason)
        return said
    parts = (keyring_in(book)[1].part, *said, *_waiting(server_id, book))
    book.papers.remember(Answered(digest, server_id, nonce, kind, now, parts))
    return parts


def _accepted(text: bytes, kind: PayloadType, means: Means, book: Book) -> ServerRequest | NotAccepted:
    def key_of(keyid: str) -> ServerKey | None:
        found = book.parties.server_with_key(keyid)
        return None if found is None else ServerKey(found.server_id, found.public_key)

    return accept_server_request(text, kind, key_of=key_of, verify=means.verify)


def _why_not(server: RegisteredServer, nonce: str, request: ServerRequest, book: Book) -> NotAccepted | None:
    if book.papers.nonce_used(server.server_id, nonce):
        detail = "another request with the same nonce was answered before: make a new request"
        return NotAccepted(_R.REPLAYED, detail)
    if server.rolled_back and not isinstance(request, _WAY_OUT):
        return rolled_back(server, None)
    return None


def _head(request: ServerRequest) -> tuple[str, str]:
    head = request if isinstance(request, Deactivation) else request.head
    return head.server_id, head.nonce


def _waiting(server_id: str, book: Book) -> Iterator[Part]:
    """What waits for a server, as many as one answer holds and one contact can report as done."""
    for one in book.outbox.waiting(server_id)[:MAX_PACKS]:
        yield one.part
        if one.handover is not None:
            yield Part(PayloadType.HANDOVER, one.handover)
