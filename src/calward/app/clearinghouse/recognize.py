"""Who sent a request, before it is answered? For doors that count requests and let nobody but known servers send much."""

from dataclasses import dataclass

from calward.app.clearinghouse.means import Means
from calward.app.clearinghouse.ports import Book
from calward.domain.acceptance import NotAccepted
from calward.domain.pack_acceptance import ServerKey, accept_server_request, payload_type_of
from calward.domain.pack_requests import Release
from calward.domain.statements import Deactivation, PayloadType

__all__ = ["Sender", "recognize"]

_UNKNOWN = frozenset({None, PayloadType.ACTIVATION_REQUEST, PayloadType.HANDOVER})
"""What nobody has signed whose name is known by now."""


@dataclass(frozen=True, slots=True)
class Sender:
    """The license server whose key signed a request; ``licenses``: how many a list that follows it may hold, 0 where none does."""

    server_id: str
    licenses: int = 0


def recognize(envelope: bytes, *, means: Means) -> Sender | None:
    """Whose request it is, by its signature; None where that cannot be said. Nothing is stored."""
    kind = payload_type_of(envelope)
    if kind is None or kind in _UNKNOWN:
        return None

    def look(book: Book) -> Sender | None:
        def key_of(keyid: str) -> ServerKey | None:
            found = book.parties.server_with_key(keyid)
            return None if found is None else ServerKey(found.server_id, found.public_key)

        try:
            found = accept_server_request(envelope, kind, key_of=key_of, verify=means.verify)
        except KeyError:  # Signed by a clearinghouse, not by a license server.
            return None
        if isinstance(found, NotAccepted):
            return None
        if isinstance(found, Deactivation):
            return Sender(found.server_id)
        return Sender(found.head.server_id, found.licenses if isinstance(found, Release) else 0)

    return means.store.read(look)
