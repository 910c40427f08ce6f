"""How does the ledger stand, beside what others have seen of it? For ``app.licensing.watch_checkpoints``."""

from collections import deque
from collections.abc import Collection, Generator, Mapping
from contextlib import closing
from itertools import islice

from sqlalchemy import Engine, select

from calward.adapters.store import rows, tables
from calward.domain.merkle import Frontier, leaf_hash
from calward.domain.quarantine import Standing

__all__ = ["SqlTree"]

_KEPT = 64
_AT_ONCE = 2_000
"""Rows fetched together."""


class SqlTree:
    """Port ``watch_checkpoints.Tree`` on a reading engine; safe between threads."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader
        self._known: deque[Frontier] = deque(maxlen=_KEPT)
        """Frontiers of late, from which others are reached without folding everything: replicas differ by a few events."""

    def standing(self) -> Standing:
        """How the ledger stands now, as it is committed."""
        with self._reader.connect() as connection:
            stored = connection.scalar(select(tables.tree.c.frontier))
            body = connection.scalar(select(tables.server.c.body))
        frontier = Frontier() if stored is None else Frontier.from_bytes(bytes(stored))
        if any(one.size > frontier.size for one in list(self._known)):
            self._known.clear()  # The database itself went back, as in a failover: what was known is of another history.
        self._remember(frontier)
        recovered_at = rows.server_from(body).recovered_at if body else None
        return Standing(frontier.size, frontier.root(), recovered_at)

    def roots_at(self, sizes: Collection[int]) -> Mapping[int, bytes]:
        """What the root was at these smaller sizes: one pass over the events, from the last known place before the smallest."""
        fitting = [one for one in list(self._known) if one.size <= min(sizes)]
        frontier, found = max(fitting, key=lambda one: one.size, default=Frontier()), {}
        with closing(self._leaves(frontier.size, max(sizes))) as leaves:
            for size in sorted(sizes):
                frontier = frontier.extend(islice(leaves, size - frontier.size))
                found[size] = frontier.root()
                self._remember(frontier)
        return found

    def _remember(self, frontier: Frontier) -> None:
        if frontier not in list(self._known):
            self._known.append(frontier)

    def enrolled(self) -> Collection[int]:
        """The numbers of all hosts that are enrolled and were ever seen."""
        host = tables.host.c
        query = select(host.id).where(
            host.enrolled_at.is_not(None), host.removed_at.is_(None), host.seen_at.is_not(None)
        )
        with self._reader.connect() as connection:
            return frozenset(connection.scalars(query))

    def _leaves(self, after: int, last: int) -> Generator[bytes, None, None]:
        event = tables.event.c
        query = select(event.body).where(event.position.between(after + 1, last)).order_by(event.position)
        with (
            self._reader.connect() as connection,
            connection.execution_options(yield_per=_AT_ONCE).scalars(query) as bodies,
        ):
            for body in bodies:
                yield leaf_hash(body.encode())
