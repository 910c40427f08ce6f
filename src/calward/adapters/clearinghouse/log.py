"""Where does the clearinghouse write down what happened? Each event gets its place in the Merkle tree in the same transaction."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from calward.adapters.clearinghouse.rows import seconds
from calward.domain.events import encode_event
from calward.domain.merkle import Frontier, leaf_hash

__all__ = ["SqliteLog"]


class SqliteLog:
    """The port ``Log`` on a connection within a transaction."""

    def __init__(self, db: Any) -> None:  # noqa: ANN401 - the driver has no types
        self._db = db

    def note(self, at: datetime, kind: str, **more: Any) -> None:  # noqa: ANN401 - an event holds any JSON
        """Write an event down and give it its place in the tree."""
        size, stored = self.tree()
        body = encode_event({"id": size + 1, "at": seconds(at), "kind": str(kind)} | more)
        self._db.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (size + 1, seconds(at), str(kind), body))
        frontier = Frontier.from_bytes(stored).append(leaf_hash(body.encode()))
        self._db.execute(
            "INSERT INTO tree VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET frontier = excluded.frontier",
            (frontier.to_bytes(),),
        )

    def events(self) -> Iterable[tuple[int, str]]:
        """All events as number and canonical text, in order."""
        return ((int(n), str(body)) for n, body in self._db.execute("SELECT n, body FROM events ORDER BY n"))

    def tree(self) -> tuple[int, bytes]:
        """Number of events in the tree, and its frontier."""
        row = self._db.execute("SELECT frontier FROM tree").fetchone()
        stored = Frontier().to_bytes() if row is None else bytes(row[0])
        return Frontier.from_bytes(stored).size, stored
