"""Which host carries this token? Asked at every request, so the answer is kept for a while."""

import threading
from collections.abc import Mapping

from sqlalchemy import Engine, bindparam, select

from calward.adapters.store import rows
from calward.adapters.store.tables import host, policy
from calward.app.ports import Clock
from calward.app.registry import RegistryBook, RegistryLedger
from calward.domain.codes import HOST_PREFIX, token_hash
from calward.domain.parties import Host

__all__ = ["SqlHostTokens"]

MOST = 4096
"""Hosts kept in memory; beyond that all are looked up anew."""
FRESH_FOR = 5
"""Seconds for which a replica may not know what another one has changed (PostgreSQL)."""


class SqlHostTokens:
    """Port ``HostTokens`` over a query-only engine; safe between threads.

    On SQLite one process changes hosts, and says so by ``forget``; on PostgreSQL an answer is kept for 5 seconds at most.
    Unknown tokens are never kept: strangers cannot fill the memory.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock
        self._ages = engine.dialect.name == "postgresql"
        self._known: dict[bytes, tuple[Host, int]] = {}
        self._seen: dict[int, int] = {}
        self._kept: dict[int, int] = {}
        self._generation = 0
        self._lock = threading.Lock()

    def host_of(self, token: str) -> Host | None:
        """The host with the mode in force, or None for a token that is unknown or has ended."""
        if not token.startswith(HOST_PREFIX):
            return None
        key = token_hash(token)
        now = self._clock.now()
        known = self._known.get(key)
        if known and not (self._ages and not 0 <= now - known[1] < FRESH_FOR):
            self._seen[known[0].id] = now
            return known[0]
        return self._look_up(key, now)

    def last_seen(self, number: int) -> int | None:
        """When this process last heard of a host, by its number."""
        return self._seen.get(number)

    def keep_seen(self, ledger: RegistryLedger) -> None:
        """Write down which hosts were heard of since the last time; nothing where none was."""
        seen = {number: at for number, at in list(self._seen.items()) if self._kept.get(number) != at}
        if not seen:
            return
        ledger.write(lambda book: _note(seen, book))
        self._kept |= seen

    def forget(self) -> None:
        """Look again: a host or a policy has changed."""
        with self._lock:
            self._generation += 1
            self._known = {}

    def _look_up(self, key: bytes, now: int) -> Host | None:
        generation = self._generation
        with self._engine.connect() as connection:
            row = connection.execute(_BY_TOKEN, {"key": key}).first()
        if row is None:
            return None
        *own, mode = row
        found = rows.host_from(own, mode)
        self._seen[found.id] = now
        with self._lock:
            if generation == self._generation:  # Else it may have changed after it was read.
                if len(self._known) >= MOST:
                    self._known = {}
                self._known[key] = (found, now)
        return found


def _note(seen: Mapping[int, int], book: RegistryBook) -> None:
    for number, at in sorted(seen.items()):  # In one order, so that replicas do not lock each other out.
        book.registry.note_seen(number, at)


_COLUMNS = (host.c.id, host.c.name, host.c.version, host.c.family, host.c.mode, host.c.enrolled_at, policy.c.mode)
_BY_TOKEN = (
    select(*_COLUMNS)
    .select_from(host.outerjoin(policy, policy.c.host_group == host.c.host_group))
    .where(host.c.token_hash == bindparam("key"), host.c.removed_at.is_(None))
)
