# ruff: noqa: D102, S608 - the port says what each method does; names in statements come from our own tables
"""What can an act read and write within one transaction of a real ledger?

``prefetch`` reads what a group of requests will need in a handful of statements; every method also works without it, by reading
what is missing. Nothing is written before ``flush``.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec

from calward.adapters.store import rows
from calward.adapters.store.registry import SqlRegistry
from calward.adapters.store.shared import Shared
from calward.adapters.store.statements import Many, Statements
from calward.adapters.store.tree import TreeRows
from calward.adapters.store.working_set import WorkingSet
from calward.app.licensing.issue_license import IssueLicense
from calward.app.ports import Claimed, Entropy, Remembered
from calward.domain.cals import CalType, HolderKind
from calward.domain.events import Event, read_event
from calward.domain.holders import SALT_SIZE, holder_hash, token_of
from calward.domain.key_packs import KeyPack, Shelf
from calward.domain.licenses import Ending, Holder, License, Seat
from calward.domain.parties import Server

__all__ = ["SqlBook"]

_LICENSE = ", ".join(rows.LICENSE)
_HOLDER = ", ".join(rows.HOLDER)
_NEW_HOLDER = ("id", "kind", "key", "label", "salt", "hash")
MOST_SEATS_AT_ONCE = 256


class StaleRowsError(Exception):
    """Rows were no longer what the transaction had read: roll back and do it again."""


class Cursor(Protocol):
    """What we use of a driver's cursor (DB-API)."""

    @property
    def rowcount(self) -> int: ...

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Any: ...  # noqa: ANN401
    def fetchall(self) -> list[Any]: ...
    def fetchone(self) -> Any: ...  # noqa: ANN401


class SqlBook:
    """A book on SQLite or PostgreSQL; ``shared`` is what one ledger knows beyond a single transaction."""

    def __init__(self, cursor: Cursor, sql: Statements, shared: Shared, entropy: Entropy, now: int) -> None:
        self._cursor = cursor
        self._sql = sql
        self._shared = shared
        self._entropy = entropy
        self._now = now
        self._work = WorkingSet()
        self._expected = 1
        self._salts = b""
        self._claimed_from: dict[Seat, int] = {}

    @property
    def registry(self) -> SqlRegistry:
        """Hosts, policies, codes and tokens, in this transaction."""
        return SqlRegistry(self._cursor, self._sql)

    @property
    def tree(self) -> TreeRows:
        """The Merkle tree of events and its checkpoints, in this transaction."""
        return TreeRows(self._cursor, self._sql)

    # Reading many at once.

    def prefetch(self, asks: Sequence[IssueLicense], licenses: Sequence[int] = ()) -> None:
        """Read what these requests will need: holders (locked on PostgreSQL, in one order), their licenses, their request ids.

        ``licenses``: numbers of those that will be confirmed.
        """
        if licenses:
            self._load_by_number(licenses)
        if not asks:
            return
        self._expected = min(MOST_SEATS_AT_ONCE, len(asks))
        keys = [self._request_key(ask.host.id, ask.request_id) for ask in asks]
        fresh = asks
        if self._sql.dialect == "sqlite":
            self._load_requests(keys)
            fresh = [ask for ask, key in zip(asks, keys, strict=True) if self._work.requests[key] is None]
        self._load_holders({(ask.kind[0], ask.key): ask.label for ask in fresh})
        if self._sql.dialect == "postgresql":
            self._load_requests(keys)  # After the locks: another replica may just have answered the same request.
        self._load_licenses([x.id for x in self._work.holders.values() if x and x.id not in self._work.licenses_of])

    def _select(self, text: str, parameters: Sequence[Any] = ()) -> list[Any]:
        self._cursor.execute(text.replace("?", self._sql.mark), parameters)
        return self._cursor.fetchall()

    def _request_key(self, host: int, request_id: str) -> bytes:
        known = self._work.request_keys.get((host, request_id))
        if known is None:
            known = self._work.request_keys[host, request_id] = request_key(host, request_id)
        return known

    def _load_requests(self, keys: Sequence[bytes]) -> None:
        self._work.requests.update(dict.fromkeys(keys))
        where, values = self._sql.among("r.key", keys)
        found = self._select(
            f"SELECT r.key, r.digest, e.body FROM request r JOIN event e ON e.id = r.event WHERE {where}", values
        )
        for key, digest, body in found:
            self._work.requests[bytes(key)] = Remembered(bytes(digest), read_event(body))

    def _load_holders(self, labels: dict[tuple[str, str], str]) -> None:
        """Find holders by kind and key. PostgreSQL: make the missing ones and lock all, so that replicas take turns."""
        for kind in sorted({kind for kind, _ in labels}):
            keys = sorted(key for k, key in labels if k == kind)
            self._work.holders.update(dict.fromkeys((kind, key) for key in keys))
            if self._sql.dialect == "postgresql":
                keys = self._make_holders(kind, keys, labels)
            if not keys:
                continue
            lock = "ORDER BY kind, key FOR UPDATE" if self._sql.dialect == "postgresql" else ""
            where, values = self._sql.among("key", keys)
            for row in self._select(f"SELECT {_HOLDER} FROM holder WHERE kind = ? AND {where} {lock}", [kind, *values]):
                self._know(rows.holder_from(row))

    def _make_holders(self, kind: str, keys: Sequence[str], labels: dict[tuple[str, str], str]) -> list[str]:
        """Make the holders that are missing, in one order; gives the keys of those that were there."""
        full = rows.kind_from(kind)
        salts = [self._salt() for _ in keys]
        hashes = [holder_hash(full, key, salt) for key, salt in zip(keys, salts, strict=True)]
        shown = [_label(labels[kind, key], key) for key in keys]
        made = self._select(
            "INSERT INTO holder (id, kind, key, label, salt, hash) SELECT nextval('holder_id'), %s, v.* "
            "FROM unnest(%s::text[], %s::text[], %s::bytea[], %s::bytea[]) AS v "
            f"ON CONFLICT (kind, key) DO NOTHING RETURNING {_HOLDER}",
            (kind, list(keys), shown, salts, hashes),
        )
        for row in made:
            holder = rows.holder_from(row)
            self._know(holder)
            self._work.licenses_of[holder.id] = []
        return [key for key in keys if self._work.holders[kind, key] is None]

    def _know(self, holder: Holder) -> None:
        if holder.key:
            self._work.holders[holder.kind[0], holder.key] = holder
        self._work.holders_by_id[holder.id] = holder

    def _load_licenses(self, holders: Sequence[int]) -> None:
        if not holders:
            return
        for holder in holders:
            self._work.licenses_of[holder] = []
        where, values = self._sql.among("holder", holders)
        for row in self._select(f"SELECT {_LICENSE} FROM license WHERE {where}", values):
            found = self._read_license(row)
            self._work.licenses_of[found.holder].append(found)

    def _read_license(self, row: Sequence[Any]) -> License:
        """A license from its row, or the one already known under its number, which may be newer than the row."""
        return self._work.licenses.setdefault(row[0], rows.license_from(row, self._shared.pack_names(self._cursor)))

    # The server and its packs.

    def now(self) -> int:
        return self._now

    def server(self) -> Server:
        return self._shared.server(self._cursor)

    def set_server(self, server: Server) -> None:
        body, read = rows.server_row(server), self._shared.server_body
        if read is None:
            self._do(
                "INSERT INTO server (k, body) VALUES (1, ?) ON CONFLICT (k) DO UPDATE SET body = excluded.body", (body,)
            )
        else:
            self._do("UPDATE server SET body = ? WHERE body = ?", (body, read))
            if self._cursor.rowcount != 1:  # Another replica has changed it since.
                raise StaleRowsError
        self._shared.changed()

    def document(self, name: str) -> bytes | None:
        found = self._select("SELECT body FROM document WHERE name = ?", (name,))
        return bytes(found[0][0]) if found else None

    def keep_document(self, name: str, body: bytes) -> None:
        self._do(
            "INSERT INTO document (name, body) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET body = excluded.body",
            (name, body),
        )

    def shelf(self) -> Shelf:
        return self._shared.shelf(self._cursor)

    def add_pack(self, pack: KeyPack, statement: bytes) -> None:
        values = (*rows.pack_row(pack), statement)
        self._cursor.execute(self._sql.insert("pack", (*rows.PACK, "statement")), values)
        self._do(_SEATS[self._sql.dialect], (pack.row, pack.total))
        self._shared.changed()

    def remove_pack(self, pack: KeyPack) -> None:
        self.flush()
        self._do("UPDATE pack SET removed_at = ? WHERE number = ?", (self._now, pack.row))
        self._do("DELETE FROM seat WHERE pack = ?", (pack.row,))
        self._work.free.pop(pack.row, None)
        self._shared.changed()

    def _do(self, text: str, parameters: Sequence[Any]) -> None:
        self._cursor.execute(text.replace("?", self._sql.mark), parameters)

    # CALs.

    def held(self, pack: KeyPack, now: int) -> int:
        self.flush()
        if self._sql.dialect == "postgresql":  # Nobody may claim one while the caller acts on the count.
            self._select("SELECT n FROM seat WHERE pack = ? ORDER BY n FOR UPDATE", (pack.row,))
        return int(self._select("SELECT count(*) FROM seat WHERE pack = ? AND held_until > ?", (pack.row, now))[0][0])

    def free(self, packs: Sequence[KeyPack], now: int, at_most: int) -> int:
        self.flush()
        left = at_most
        for pack in packs:
            if left <= 0:
                break
            found = self._select(
                "SELECT count(*) FROM (SELECT 1 FROM seat WHERE pack = ? AND held_until <= ? LIMIT ?) AS free_cals",
                (pack.row, now, left),
            )
            left -= int(found[0][0])
        return at_most - left

    def few_left(self, type_: CalType, packs: Sequence[KeyPack], now: int, low: int) -> int | None:
        key = (type_, packs[0].family)
        counted = self.free(packs, now, low + COUNT_AHEAD)
        # Few are left: half of them may go before they are counted again, so that counting never grows with the pack.
        self._shared.headroom.counted(key, counted - low - 1 if counted > low else counted // 2)
        return counted if counted <= low else None

    def plenty(self, type_: CalType, family: int) -> bool:
        return self._shared.headroom.spend((type_, family))

    def claim(self, pack: KeyPack, now: int) -> Claimed | None:
        free = self._work.free.get(pack.row)
        if not free and pack.row not in self._work.exhausted:
            free = self._work.free[pack.row] = self._more_seats(pack, now)
        if not free:
            return None
        n, expired, until = free.popleft()
        seat = Seat(pack.id, n)
        if expired is not None:
            self._note_end(expired, until, Ending.EXPIRED)
            self._claimed_from[seat] = expired
        return Claimed(seat, expired)

    def _more_seats(self, pack: KeyPack, now: int) -> deque[tuple[Any, ...]]:
        """Read some more free CALs; on PostgreSQL lock them, and before saying that none is free wait for other replicas."""
        self.flush()
        text = (
            "SELECT n, license, held_until FROM seat WHERE pack = ? AND held_until <= ? ORDER BY held_until, n LIMIT ?"
        )
        if self._sql.dialect == "sqlite":
            found = self._select(text, (pack.row, now, self._expected))
        else:
            found = self._select(f"{text} FOR UPDATE SKIP LOCKED", (pack.row, now, self._expected))
            found = found or self._select(f"{text} FOR UPDATE", (pack.row, now, 1))
        if not found:
            self._work.exhausted.add(pack.row)
        return deque(found)

    def _pass_on(self, pack: int, seat: Seat, license_: int | None, until: int, was: int) -> None:
        """Give a CAL another holder or end, once the group is written, if the database still says that ``was`` holds it."""
        key = (pack, seat.n)
        earlier = self._work.seats.get(key)
        self._work.seats[key] = (license_, until, earlier[2] if earlier else was)

    def _pack_row(self, seat: Seat) -> int:
        return self._shared.shelf(self._cursor).by_id[seat.pack].row

    # Holders.

    def find_holder(self, kind: HolderKind, key: str) -> Holder | None:
        known = (kind[0], key)
        if known not in self._work.holders:
            lock = "FOR UPDATE" if self._sql.dialect == "postgresql" else ""
            found = self._select(f"SELECT {_HOLDER} FROM holder WHERE kind = ? AND key = ? {lock}", known)
            self._work.holders[known] = None
            for row in found:
                self._know(rows.holder_from(row))
        return self._work.holders[known]

    def holder(self, kind: HolderKind, key: str, label: str) -> Holder:
        known = (kind[0], key)
        if known not in self._work.holders:
            self._load_holders({known: label})
        return self._work.holders[known] or self._new_holder(kind, key, label)

    def _new_holder(self, kind: HolderKind, key: str, label: str) -> Holder:
        salt = self._salt()
        digest = holder_hash(kind, key, salt)
        made = Holder(self._shared.next_holder(self._cursor), kind, key, label, token_of(kind, digest))
        self._work.new_holders.append((made.id, kind[0], key, _label(label, key), salt, digest))
        self._work.licenses_of[made.id] = []
        self._know(made)
        return made

    def holder_of(self, license_: License) -> Holder:
        if license_.holder not in self._work.holders_by_id:
            found = self._select(f"SELECT {_HOLDER} FROM holder WHERE id = ?", (license_.holder,))
            self._know(rows.holder_from(found[0]))
        return self._work.holders_by_id[license_.holder]

    def _salt(self) -> bytes:
        """A salt; drawn for the whole group at once, because asking the system costs as much for one as for many."""
        if not self._salts:
            self._salts = self._entropy.token(SALT_SIZE * self._expected)
        salt, self._salts = self._salts[:SALT_SIZE], self._salts[SALT_SIZE:]
        return salt

    def prove(self, holder: Holder, at: int) -> None:
        holder.proven_at = at
        self._work.proven[holder.id] = at

    def erase(self, holder: Holder) -> None:
        self.flush()
        self._do("UPDATE holder SET key = NULL, label = NULL, salt = NULL WHERE id = ?", (holder.id,))
        self._work.holders.pop((holder.kind[0], holder.key), None)

    # Licenses.

    def licenses_of(self, holder: Holder) -> Sequence[License]:
        if holder.id not in self._work.licenses_of:
            self._load_licenses([holder.id])
        return self._work.licenses_of[holder.id]

    def license(self, number: int) -> License | None:
        if number not in self._work.licenses:
            self._load_by_number([number])
        return self._work.licenses.get(number)

    def _load_by_number(self, numbers: Sequence[int]) -> None:
        """Read licenses and their holders; on PostgreSQL lock the holders first, so that nobody changes the licenses meanwhile."""
        lock = "ORDER BY h.id FOR UPDATE OF h" if self._sql.dialect == "postgresql" else ""
        columns = ", ".join(f"h.{name}" for name in rows.HOLDER)
        where, values = self._sql.among("l.id", numbers)
        text = f"SELECT {columns} FROM holder h JOIN license l ON l.holder = h.id WHERE {where} {lock}"
        for row in self._select(text, values):
            if row[0] not in self._work.holders_by_id:
                self._know(rows.holder_from(row))
        for row in self._license_rows(numbers):
            self._read_license(row)

    def _license_rows(self, numbers: Sequence[int]) -> list[Any]:
        where, values = self._sql.among("id", numbers)
        return self._select(f"SELECT {_LICENSE} FROM license WHERE {where}", values)

    def add_license(self, license_: License) -> None:
        seat = license_.seat
        pack = self._pack_row(seat) if seat else None
        self._work.new_licenses[license_.id] = (license_, pack)
        self._work.licenses[license_.id] = license_
        self._work.licenses_of.setdefault(license_.holder, []).append(license_)
        if seat and pack:
            self._pass_on(pack, seat, license_.id, license_.expires_at, self._claimed_from.pop(seat, 0))

    def extend(self, license_: License, expires_at: int, decision: int) -> None:
        license_.expires_at, license_.decision = expires_at, decision
        if license_.id not in self._work.new_licenses:
            self._work.extended[license_.id] = license_
        if license_.seat:
            self._pass_on(self._pack_row(license_.seat), license_.seat, license_.id, expires_at, license_.id)

    def end(self, license_: License, at: int, ending: Ending) -> None:
        if license_.seat:
            pack = self._pack_row(license_.seat)
            self._work.exhausted.discard(pack)
            self._pass_on(pack, license_.seat, None, 0, license_.id)
        self._work.licenses.setdefault(license_.id, license_)
        self._note_end(license_.id, at, ending)

    def _note_end(self, number: int, at: int, ending: Ending) -> None:
        known = self._work.licenses.get(number)
        if known:
            known.ended_at, known.ending = at, ending
        if number not in self._work.new_licenses:
            self._work.ended[number] = (number, at, ending.value)

    def expired(self, now: int, limit: int) -> Sequence[License]:
        self.flush()
        found = self._select(
            f"SELECT {_LICENSE} FROM license WHERE ended_at IS NULL AND seat IS NULL AND expires_at <= ? "
            "ORDER BY expires_at LIMIT ?",
            (now, limit),
        )
        for pack in self.shelf().packs:
            found += self._expired_cals(pack, now, max(0, limit - len(found)))
        return [self._read_license(row) for row in found]

    def _expired_cals(self, pack: KeyPack, now: int, limit: int) -> list[Any]:
        """Rows of licenses whose CAL has come free by their end; other replicas leave these CALs alone meanwhile."""
        lock = "FOR UPDATE SKIP LOCKED" if self._sql.dialect == "postgresql" else ""
        text = f"SELECT license FROM seat WHERE pack = ? AND held_until > 0 AND held_until <= ? LIMIT ? {lock}"
        numbers = [number for (number,) in self._select(text, (pack.row, now, limit))]
        return self._license_rows(numbers) if numbers else []

    def revoked_until(self, family: int, now: int) -> Sequence[int]:
        self.flush()
        if self._sql.dialect == "postgresql":  # Who revokes waits for who is revoking, and sees what that left.
            self._select(f"SELECT pg_advisory_xact_lock({_REVOKING})")
        text = "SELECT expires_at FROM license WHERE ending = 'revoked' AND family = ? AND expires_at > ?"
        return [row[0] for row in self._select(text, (family, now))]

    # Events and answers.

    def new_id(self) -> int:
        return self._shared.next_event(self._cursor, self._expected)

    def append(self, event: Event) -> None:
        number = event["id"]
        self._work.events[number] = event
        position = self._shared.next_position(self._cursor)
        self._work.new_events.append((number, position, _canonical(event).decode()))

    def event(self, number: int) -> Event | None:
        if number not in self._work.events:
            for (body,) in self._select("SELECT body FROM event WHERE id = ?", (number,)):
                self._work.events[number] = read_event(body)
        return self._work.events.get(number)

    def remembered(self, host: int, request_id: str) -> Remembered | None:
        key = self._request_key(host, request_id)
        if key not in self._work.requests:
            self._load_requests([key])
        return self._work.requests[key]

    def remember(self, host: int, request_id: str, digest: bytes, event: int, at: int) -> None:
        key = self._request_key(host, request_id)
        self._work.new_requests.append((key, digest, event, at))
        self._work.requests[key] = Remembered(digest, self.event(event) or {})

    def same_refusal(self, holder: int, host: int, reasons: str, since: int) -> int | None:
        self.flush()
        found = self._select(
            "UPDATE refusal SET times = times + 1 WHERE holder = ? AND host = ? AND reasons = ? AND at > ? RETURNING event",
            (holder, host, reasons, since),
        )
        return int(found[0][0]) if found else None

    def note_refusal(self, holder: int, host: int, reasons: str, event: int, at: int) -> None:
        self._do(
            "INSERT INTO refusal (holder, host, reasons, event, at, times) VALUES (?, ?, ?, ?, ?, 1) "
            "ON CONFLICT (holder, host, reasons) DO UPDATE SET event = excluded.event, at = excluded.at, times = 1",
            (holder, host, reasons, event, at),
        )

    def due(self, warning: str, now: int, every: int) -> bool:
        found = self._select(
            "INSERT INTO warning (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET at = excluded.at "
            "WHERE warning.at <= ? RETURNING at",
            (warning, now, now - every),
        )
        return bool(found)

    def forget(self, before_requests: int, before_refusals: int) -> None:
        self.flush()
        self._do(
            "DELETE FROM request WHERE key IN (SELECT key FROM request WHERE at <= ? ORDER BY at LIMIT 2000)",
            (before_requests,),
        )
        self._do("DELETE FROM refusal WHERE at <= ?", (before_refusals,))

    # Writing.

    def flush(self) -> None:
        """Write what was gathered. Ends come before new licenses, because a CAL may pass from one to the other."""
        work, sql = self._work, self._sql
        write = self._write
        write(work.new_holders, lambda some: sql.insert_many("holder", _NEW_HOLDER, some))
        write(list(work.proven.items()), lambda some: sql.update_many("holder", ("id",), ("proven_at",), some))
        write(list(work.ended.values()), lambda some: sql.update_many("license", ("id",), ("ended_at", "ending"), some))
        new = [rows.license_row(license_, pack) for license_, pack in work.new_licenses.values()]
        write(new, lambda some: sql.insert_many("license", rows.LICENSE, some))
        longer = [(x.id, x.expires_at, x.decision) for x in work.extended.values()]
        write(longer, lambda some: sql.update_many("license", ("id",), ("expires_at", "decision"), some))
        write([key + value for key, value in work.seats.items()], sql.pass_on)
        write(work.new_events, lambda some: sql.insert_many("event", ("id", "position", "body"), some))
        write(work.new_requests, lambda some: sql.insert_many("request", ("key", "digest", "event", "at"), some))
        for buffer in (work.new_holders, work.new_events, work.new_requests):
            buffer.clear()
        for by_key in (work.proven, work.ended, work.new_licenses, work.extended, work.seats):
            by_key.clear()

    def _write(self, values: Sequence[Sequence[Any]], statement: Callable[[Sequence[Sequence[Any]]], Many]) -> None:
        for start in range(0, len(values), MOST_ROWS):
            some = values[start : start + MOST_ROWS]
            self._cursor.execute(*statement(some))
            if self._cursor.rowcount != len(some):
                raise StaleRowsError(len(some) - self._cursor.rowcount)


MOST_ROWS = 256
"""Rows in one statement: few parameters enough for every build of both databases."""

_REVOKING = 7_310_419
"""PostgreSQL's advisory lock of those who revoke."""

COUNT_AHEAD = 4096
"""How far beyond the warning's threshold free CALs are counted, so that they need not be counted at every issue."""

_SEATS = {
    "sqlite": (
        "WITH RECURSIVE numbers(pack, n, total) AS "
        "(SELECT ?, 1, ? UNION ALL SELECT pack, n + 1, total FROM numbers WHERE n < total) "
        "INSERT INTO seat (pack, n) SELECT pack, n FROM numbers"
    ),
    "postgresql": "INSERT INTO seat (pack, n) SELECT ?, n FROM generate_series(1, ?) AS numbers(n)",
}


_canonical = msgspec.json.Encoder(order="sorted").encode
"""Makes the same bytes as ``calward.domain.events.encode_event`` (a test holds them together), six times faster."""


def request_key(host: int, request_id: str) -> bytes:
    """16 bytes that stand for a host's request id."""
    return hashlib.sha256(f"{host}\0{request_id}".encode()).digest()[:16]


def _label(label: str, key: str) -> str | None:
    """A label that says nothing beyond the key is not stored."""
    return None if label == key else label
