"""How long may a license server's right to issue last, so that no pack is usable in two places?"""

from dataclasses import replace
from datetime import datetime

from calward.app.clearinghouse.keyrings import keyring_in
from calward.app.clearinghouse.means import Asked, put_server
from calward.app.clearinghouse.ports import Book
from calward.app.clearinghouse.records import Part, RegisteredServer
from calward.domain.pack_orders import TransferEnd
from calward.domain.pack_requests import RequestHead
from calward.domain.register import RIGHT_DAYS, latest_right
from calward.domain.register_events import RegisterEvent
from calward.domain.statements import Activation, PayloadType

__all__ = ["RIGHT_DAYS", "give_right", "longest_right", "with_right"]


def longest_right(server: RegisteredServer, wanted: datetime, book: Book, now: datetime) -> datetime | None:
    """The end of a right that may be given now, ``wanted`` at most; None where none may be given.

    While a pack of this server is about to become another's by itself, no right may outlast that day. Once it has become
    another's, and until the server says that it knows, there is no new right at all: it might still use the pack.
    """
    if _may_use_what_is_not_its(server, book):
        return None
    leaving = [one for one in book.register.transfers(pending=True) if one.source_id == server.server_id]
    end = latest_right(tuple(leaving))
    until = wanted if end is None else min(wanted, end)
    return until if until > now else None


def give_right(head: RequestHead, until: datetime, asked: Asked) -> Part:
    """Plan an activation in answer to this request, and remember until when the server may issue."""
    server = with_right(asked.server, until, head.requested_at, asked.now)
    activation = Activation(
        server_id=server.server_id,
        server_name=server.name,
        server_key=server.public_key,
        clearinghouse=keyring_in(asked.book)[0].clearinghouse,
        channel=asked.channel,
        nonce=head.nonce,
        issued_at=asked.now,
        issue_until=until,
    )
    put_server(asked.book, server, RegisterEvent.ACTIVATED, asked.now, request=asked.digest)
    return asked.plan(PayloadType.ACTIVATION, f"{asked.digest}/renewal", activation.to_payload())


def with_right(server: RegisteredServer, until: datetime, asked_at: datetime, now: datetime) -> RegisteredServer:
    """The server with a right until then; one that lasts longer was given and cannot be taken back."""
    end = until if server.issue_until is None else max(until, server.issue_until)
    newest = min(asked_at, now)
    if server.right_asked_at is not None:
        newest = max(newest, server.right_asked_at)
    return replace(server, issue_until=end, right_asked_at=newest)


def _may_use_what_is_not_its(server: RegisteredServer, book: Book) -> bool:
    """Whether a word waits for the server that takes packs away which it did not release itself."""
    for one in book.outbox.waiting(server.server_id):
        if one.part.payload_type is PayloadType.REGISTER:
            return True
        intent = book.papers.intent(one.part) if one.part.payload_type is PayloadType.TRANSFER_END else None
        if intent is not None:
            transfer = book.register.transfer(TransferEnd.from_payload(intent.payload).transfer_id)
            if transfer is not None and transfer.claimed:
                return True
    return False
