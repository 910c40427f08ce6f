# ruff: noqa: D102 - the port says what each method does
"""What can an act read and write within one transaction of a real ledger?

The book opens the doors; behind them are three rooms: ``holders``, ``seats`` (CALs) and ``answers`` (events, request ids,
refusals). ``loading`` reads what a group of requests will need in a handful of statements; every method also works without it,
by reading what is missing. Nothing is written before ``flushing``.
"""

from collections.abc import Mapping, Sequence

from calward.adapters.store import rows
from calward.adapters.store.answers import Answers
from calward.adapters.store.flushing import StaleRowsError, flush
from calward.adapters.store.holders import Holders
from calward.adapters.store.loading import Loader
from calward.adapters.store.moves import Moves
from calward.adapters.store.registry import SqlRegistry
from calward.adapters.store.seats import Seats
from calward.adapters.store.shared import Shared
from calward.adapters.store.statements import Statements
from calward.adapters.store.transaction import Cursor, Transaction
from calward.adapters.store.tree import TreeRows
from calward.app.ports import Entropy
from calward.domain.key_packs import KeyPack, Shelf
from calward.domain.licenses import Ending, Holder, License
from calward.domain.parties import Server

__all__ = ["SqlBook"]

_REVOKING = 7_310_419
"""PostgreSQL's advisory lock of those who revoke."""


class SqlBook:
    """A book on SQLite or PostgreSQL; ``shared`` is what one ledger knows beyond a single transaction."""

    def __init__(
        self, cursor: Cursor, sql: Statements, shared: Shared, entropy: Entropy, now: int, *, alone: bool = False
    ) -> None:
        self._transaction = transaction = Transaction(cursor, sql, shared, now, alone)
        self._cursor, self._sql, self._shared, self._now = cursor, sql, shared, now
        self._work, self._select, self._do = transaction.work, transaction.select, transaction.do
        holders, answers = Holders(transaction, entropy), Answers(transaction)
        self._seats = seats = Seats(transaction)
        self._loader = loader = Loader(transaction, holders, answers)

        self._moves = moves = Moves(transaction)

        # The port's methods that a room does alone; bound here, so that a door costs no call on the hot path.
        self.prefetch, self.licenses_of, self.license = loader.prefetch, loader.licenses_of, loader.license
        self.find_holder, self.holder, self.holder_of = holders.find_holder, holders.holder, holders.holder_of
        self.held, self.free, self.claim = seats.held, seats.free, seats.claim
        self.few_left, self.plenty = seats.few_left, seats.plenty
        self.new_id, self.append, self.event = answers.new_id, answers.append, answers.event
        self.remembered, self.remember, self.forget = answers.remembered, answers.remember, answers.forget
        self.same_refusal, self.note_refusal, self.due = answers.same_refusal, answers.note_refusal, answers.due
        self.alone, self.lowest_generation = moves.alone, moves.lowest_generation
        self.change_pack, self.set_aside, self.end_all = moves.change_pack, moves.set_aside, moves.end_all
        self.holdings, self.reseat, self.meet = moves.holdings, moves.reseat, loader.meet

    @property
    def registry(self) -> SqlRegistry:
        """Hosts, policies, codes and tokens, in this transaction."""
        return SqlRegistry(self._cursor, self._sql)

    @property
    def tree(self) -> TreeRows:
        """The Merkle tree of events and its checkpoints, in this transaction."""
        return TreeRows(self._cursor, self._sql)

    def flush(self) -> None:
        """Write what was gathered; raises StaleRowsError where rows are no longer what was read."""
        flush(self._transaction)

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

    def documents(self, prefix: str) -> Mapping[str, bytes]:
        found = self._select(
            "SELECT name, body FROM document WHERE substr(name, 1, ?) = ? ORDER BY name", (len(prefix), prefix)
        )
        return {name: bytes(body) for name, body in found}

    def drop_document(self, name: str) -> None:
        self._do("DELETE FROM document WHERE name = ?", (name,))

    def shelf(self) -> Shelf:
        return self._shared.shelf(self._cursor)

    def add_pack(self, pack: KeyPack, statement: bytes) -> None:
        values = (*rows.pack_row(pack), statement)
        self._cursor.execute(self._sql.insert("pack", (*rows.PACK, "statement")), values)
        self._seats.add(pack)
        self._shared.changed()

    def remove_pack(self, pack: KeyPack) -> None:
        self.flush()
        self._do("UPDATE pack SET removed_at = ? WHERE number = ?", (self._now, pack.row))
        self._seats.remove(pack)
        self._shared.changed()

    # Holders.

    def prove(self, holder: Holder, at: int) -> None:
        holder.proven_at = at
        self._work.proven[holder.id] = at

    def erase(self, holder: Holder) -> None:
        self.flush()
        self._do("UPDATE holder SET key = NULL, label = NULL, salt = NULL WHERE id = ?", (holder.id,))
        self._work.holders.pop((holder.kind[0], holder.key), None)

    # Licenses.

    def add_license(self, license_: License) -> None:
        seat = license_.seat
        pack = self._seats.hold(seat, license_) if seat else None
        self._work.new_licenses[license_.id] = (license_, pack)
        self._work.licenses[license_.id] = license_
        self._work.licenses_of.setdefault(license_.holder, []).append(license_)

    def extend(self, license_: License, expires_at: int, decision: int) -> None:
        license_.expires_at, license_.decision = expires_at, decision
        if license_.id not in self._work.new_licenses:
            self._work.extended[license_.id] = license_
        if license_.seat:
            self._seats.hold_until(license_.seat, license_, expires_at)

    def end(self, license_: License, at: int, ending: Ending) -> None:
        if license_.seat:
            self._seats.give_back(license_.seat, license_)
        self._work.licenses.setdefault(license_.id, license_)
        self._work.note_end(license_.id, at, ending)

    def expired(self, now: int, limit: int) -> Sequence[License]:
        self.flush()
        found = self._loader.ended_without_cal(now, limit)
        for pack in self.shelf().packs:
            numbers = self._seats.expired(pack, now, max(0, limit - len(found)))
            found += self._loader.rows_of(numbers)
        return [self._loader.known(row) for row in found]

    def revoked_until(self, family: int, now: int) -> Sequence[int]:
        self.flush()
        if self._sql.dialect == "postgresql":  # Who revokes waits for who is revoking, and sees what that left.
            self._select(f"SELECT pg_advisory_xact_lock({_REVOKING})")
        text = "SELECT expires_at FROM license WHERE ending = 'revoked' AND family = ? AND expires_at > ?"
        return [row[0] for row in self._select(text, (family, now))]
