"""How does a store that was written before there was a register get one?

Each pack that was signed becomes a record of the register with a purchase of its own, which is claimed whole; each activation that was
planned counts as given, so that no right to issue is ever forgotten.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from calward.app.clearinghouse.ports import Book
from calward.app.clearinghouse.records import Intent, RegisteredServer
from calward.app.clearinghouse.server_fields import server_fields
from calward.domain.purchases import Purchase, make_numbers
from calward.domain.register import PackRecord
from calward.domain.register_events import RegisterEvent, pack_fields, purchase_fields
from calward.domain.statements import NO_END, Activation, KeyPackStatement, PayloadType

__all__ = ["carry_over"]


def carry_over(book: Book) -> None:
    """Make a register of the packs and activations that a store holds; nothing where it is new."""
    servers = book.parties.servers()
    if not servers:
        return
    activations = book.papers.intents(PayloadType.ACTIVATION)
    known = [_with_right(one, activations) for one in servers]
    for one in known:
        book.parties.put_server(one)
    intents = book.papers.intents(PayloadType.KEY_PACK)
    sold = [_sell(book, one) for one in intents]
    book.log.note(
        _latest(known, (*intents, *activations)),
        RegisterEvent.MADE,
        servers=[server_fields(one) for one in known],
        purchases=[purchase_fields(purchase) for purchase, _ in sold],
        packs=[pack_fields(record) for _, record in sold],
    )


def _with_right(server: RegisteredServer, intents: Sequence[Intent]) -> RegisteredServer:
    given = [Activation.from_payload(one.payload) for one in intents]
    ends = [one.issue_until or NO_END for one in given if one.server_id == server.server_id]
    return replace(server, issue_until=max(ends, default=None))


def _sell(book: Book, intent: Intent) -> tuple[Purchase, PackRecord]:
    statement = KeyPackStatement.from_payload(intent.payload)
    purchase = Purchase(
        purchase_id=secrets.token_hex(16),
        organization=None,
        program=statement.program,
        numbers=make_numbers(statement.program, secrets.token_bytes),
        ladder=statement.ladder,
        version=statement.version,
        cal_type=statement.cal_type,
        quantity=statement.total,
        expires_at=statement.expires_at,
        convertible=False,
        added_at=intent.planned_at,
    )
    record = PackRecord(statement, purchase.purchase_id)
    book.purchases.add(purchase, intent.order)
    book.register.put_packs([record])
    return purchase, record


def _latest(servers: Sequence[RegisteredServer], intents: Sequence[Intent]) -> datetime:
    return max(*(one.registered_at for one in servers), *(one.planned_at for one in intents), servers[0].registered_at)
