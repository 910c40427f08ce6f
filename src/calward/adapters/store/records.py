# ruff: noqa: D102 - the port says what each method does
"""How is a whole ledger read at one moment, for an audit?

One read-only transaction that sees one snapshot (PostgreSQL: REPEATABLE READ; SQLite: a read transaction on the WAL). Rows are
streamed, never gathered. On SQLite the WAL grows until the audit has ended; issuing goes on meanwhile.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import Connection, Engine, Select, and_, func, or_, select

from calward.adapters.store import rows, tables
from calward.adapters.store.moves import ASIDE
from calward.adapters.store.tables import checkpoint, event, holder, host, license_, pack, refusal, request, seat
from calward.app.licensing.records import HolderRow, LicenseRow, PackRow, SeatRow, StoredEvent
from calward.domain.holders import token_of
from calward.domain.replay_state import Share

__all__ = ["SqlRecords", "open_records"]

_PACK = (
    "number", "id", "version", "type", "family", "total", "installed_at", "expires_at", "removed_at",
    "generation", "bought_as", "transfer", "frozen_at", "aside",
)  # fmt: skip
_ALL = Share()
_AT_ONCE = 2_000
"""Rows fetched together."""


@contextmanager
def open_records(reader: Engine) -> Iterator["SqlRecords"]:
    """One snapshot of the ledger behind a reading engine (``engines.open_reader``), closed at the end of the block."""
    level = {"isolation_level": "REPEATABLE READ"} if reader.dialect.name == "postgresql" else {}
    with reader.connect().execution_options(**level) as connection:
        yield SqlRecords(connection)


class SqlRecords:
    """Port ``Records`` on a connection whose transaction sees one snapshot."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def _stream(self, query: Select[Any]) -> Iterator[Any]:
        yield from self._connection.execution_options(yield_per=_AT_ONCE).execute(query)

    def _all(self, query: Select[Any]) -> list[Any]:
        return list(self._connection.execute(query))

    # The log.

    @property
    def placed_at_once(self) -> bool:
        return self._connection.dialect.name == "sqlite"

    def count(self) -> int:
        return int(self._connection.scalar(select(func.count()).select_from(event)) or 0)

    def events(self) -> Iterator[StoredEvent]:
        return map(
            StoredEvent._make, self._stream(select(event.c.id, event.c.position, event.c.body).order_by(event.c.id))
        )

    def placed(self, after: int = 0, up_to: int | None = None) -> Iterator[StoredEvent]:
        query = select(event.c.id, event.c.position, event.c.body).where(event.c.position > after)
        if up_to is not None:
            query = query.where(event.c.position <= up_to)
        return map(StoredEvent._make, self._stream(query.order_by(event.c.position)))

    def frontier(self) -> bytes | None:
        found = self._connection.scalar(select(tables.tree.c.frontier))
        return None if found is None else bytes(found)

    def checkpoints(self) -> list[tuple[int, str]]:
        return [
            (size, note)
            for size, note in self._all(select(checkpoint.c.size, checkpoint.c.note).order_by(checkpoint.c.size))
        ]

    # What is.

    def server(self) -> dict[str, Any] | None:
        body = self._connection.scalar(select(tables.server.c.body))
        if body is None:
            return None
        found: dict[str, Any] = json.loads(body)
        return found | {"settings": {key: str(value) for key, value in found["settings"].items()}}

    def packs(self) -> list[PackRow]:
        query = (
            select(*(pack.c[x] for x in _PACK), func.count(seat.c.n), func.min(seat.c.n), func.max(seat.c.n),
                   func.count(seat.c.n).filter(seat.c.license == ASIDE))
            .outerjoin(seat, seat.c.pack == pack.c.number)
            .group_by(pack.c.number)
            .order_by(pack.c.number)
        )  # fmt: skip
        return [
            PackRow(number, name, version, _type(type_), *rest)
            for number, name, version, type_, *rest in self._all(query)
        ]

    def licenses(self, share: Share = _ALL) -> Iterator[LicenseRow]:
        own = [license_.c[x] for x in ("seat", "issued_at", "expires_at", "decision", "ended_at", "ending")]
        query = (
            select(
                license_.c.id,
                holder.c.kind,
                holder.c.hash,
                license_.c.type,
                license_.c.status,
                license_.c.version,
                license_.c.family,
                pack.c.id,
                *own,
            )
            .outerjoin(holder, holder.c.id == license_.c.holder)
            .outerjoin(pack, pack.c.number == license_.c.pack)
            .where(license_.c.id % share.parts == share.part)
            .order_by(license_.c.id)
        )
        for number, kind, digest, type_, status, *rest in self._stream(query):
            yield LicenseRow(number, _token(kind, digest), _type(type_), _status(status), *rest)

    def seats(self) -> Iterator[SeatRow]:
        query = (
            select(seat.c.pack, seat.c.n, seat.c.license, seat.c.held_until,
                   license_.c.pack, license_.c.seat, license_.c.ended_at, license_.c.expires_at)
            .outerjoin(license_, license_.c.id == seat.c.license)
            .where(or_(seat.c.license.is_(None), seat.c.license != ASIDE))
            .order_by(seat.c.pack, seat.c.n)
        )  # fmt: skip
        for row, n, number, until, held_pack, held_n, ended_at, expires_at in self._stream(query):
            holds = (held_pack, held_n) if held_pack is not None and ended_at is None else None
            yield SeatRow(row, n, number, until, holds, expires_at)

    def unseated(self) -> Iterator[tuple[int, int | None, int | None]]:
        named = and_(seat.c.pack == license_.c.pack, seat.c.n == license_.c.seat)
        running = and_(license_.c.ended_at.is_(None), license_.c.seat.is_not(None))
        query = (
            select(license_.c.id, license_.c.pack, license_.c.seat)
            .outerjoin(seat, named)
            .where(running, or_(seat.c.license.is_(None), seat.c.license != license_.c.id))
        )
        yield from self._stream(query)

    def holders(self) -> Iterator[HolderRow]:
        columns = [holder.c[x] for x in ("id", "kind", "key", "salt", "hash", "proven_at")]
        for number, kind, key, salt, digest, proven_at in self._stream(select(*columns).order_by(holder.c.id)):
            yield HolderRow(number, _kind(kind), key, salt, _token(kind, digest) or "", proven_at)

    def hosts(self) -> dict[str, dict[str, Any]]:
        columns = [host.c[x] for x in ("name", "mode", "version", "family", "host_group", "enrolled_at", "removed_at")]
        names = ("version", "family", "group", "enrolled_at", "removed_at")
        return {
            name: {"mode": _type(mode)} | dict(zip(names, rest, strict=True))
            for name, mode, *rest in self._all(select(*columns))
        }

    def policies(self) -> dict[str, dict[str, Any]]:
        columns = [tables.policy.c[x] for x in ("host_group", "mode", "servers")]
        return {
            group: {"mode": mode and _type(mode), "servers": json.loads(servers)}
            for group, mode, servers in self._all(select(*columns))
        }

    def tokens(self) -> dict[int, dict[str, Any]]:
        names = ("name", "role", "made_at", "expires_at", "ended_at")
        columns = [tables.token.c[x] for x in ("id", *names)]
        return {number: dict(zip(names, rest, strict=True)) for number, *rest in self._all(select(*columns))}

    def strays(self) -> list[tuple[str, int]]:
        found: list[tuple[str, int]] = []
        for table in (request, refusal):
            query = select(table.c.event).outerjoin(event, event.c.id == table.c.event).where(event.c.id.is_(None))
            found += [(table.name, number) for (number,) in self._all(query.limit(_AT_ONCE))]
        return found


def _kind(letter: str) -> str:
    return _word(rows.kind_from, letter)


def _type(letter: str) -> str:
    return _word(rows.type_from, letter)


def _status(letter: str) -> str:
    return _word(rows.status_from, letter)


@cache
def _word(read: Callable[[str], StrEnum], letter: str) -> str:
    """The domain's word for a letter; a letter that has none is a finding of the audit, no error."""
    try:
        return read(letter).value
    except KeyError:
        return f"unknown {letter!r}"


def _token(kind: str | None, digest: bytes | None) -> str | None:
    try:
        return None if kind is None or digest is None else token_of(rows.kind_from(kind), bytes(digest))
    except KeyError:
        return None
