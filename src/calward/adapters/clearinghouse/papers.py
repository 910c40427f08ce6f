"""What is signed, what was answered, and what waits for whom?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from calward.adapters.clearinghouse.rows import parts_text, seconds, to_answered, to_intent, to_waiting
from calward.app.clearinghouse.records import Answered, Intent, Part, Waiting
from calward.domain.errors import LicensingError, Problem
from calward.domain.pack_requests import HeldPack
from calward.domain.statements import PayloadType

__all__ = ["SqliteOutbox", "SqlitePapers"]

_INTENT = "SELECT payload_type, intent_order, asked, payload, planned_at, envelope FROM intents"
_WAITING = "SELECT item, payload_type, intent_order, posted_at, handover FROM outbox WHERE server_id = ? AND done_at IS NULL ORDER BY n"
_WAITS = (
    "EXISTS (SELECT 1 FROM outbox WHERE outbox.payload_type = intents.payload_type"
    " AND outbox.intent_order = intents.intent_order AND outbox.item = intents.intent_order)"
)
_DONE = "UPDATE outbox SET done_at = ? WHERE server_id = ? AND done_at IS NULL AND item = ?"


class SqlitePapers:
    """The port ``Papers`` on a connection within a transaction."""

    def __init__(self, db: Any) -> None:  # noqa: ANN401 - the driver has no types
        self._db = db

    def plan(self, intent: Intent) -> Intent:
        """Store an intent, or find what is stored under its order."""
        known = self.intent(intent.part)
        if known is None:
            self._db.execute(
                "INSERT INTO intents (payload_type, intent_order, asked, payload, planned_at) VALUES (?, ?, ?, ?, ?)",
                (intent.payload_type.value, intent.order, intent.asked, intent.payload, seconds(intent.planned_at)),
            )
            return intent
        if known.asked != intent.asked:
            detail = f"the order {intent.order} was used for something else: give each sale an order of its own"
            raise LicensingError(Problem.CONFLICT, detail, field="order")
        return known

    def intent(self, part: Part) -> Intent | None:
        """An intent by type and order."""
        key = (part.payload_type.value, part.order)
        row = self._db.execute(f"{_INTENT} WHERE payload_type = ? AND intent_order = ?", key).fetchone()
        return None if row is None else to_intent(row)

    def complete(self, intent: Intent) -> bytes:
        """Store an envelope; the first one stays."""
        self._db.execute(
            "UPDATE intents SET envelope = ? WHERE payload_type = ? AND intent_order = ? AND envelope IS NULL",
            (intent.envelope, intent.payload_type.value, intent.order),
        )
        known = self.intent(intent.part)
        if known is None or known.envelope is None:
            raise LicensingError(
                Problem.CORRUPT, f"the plan of order {intent.order} is gone from the clearinghouse's store"
            )
        return known.envelope

    def intents(self, payload_type: PayloadType) -> Sequence[Intent]:
        """All intents of a type, the oldest first."""
        query = f"{_INTENT} WHERE payload_type = ? ORDER BY n"
        return [to_intent(row) for row in self._db.execute(query, (payload_type.value,))]

    def unfinished(self) -> Sequence[Intent]:
        """All intents that were to be signed at once and were not; what only waits in an outbox is signed when it is sent."""
        return [
            to_intent(row) for row in self._db.execute(f"{_INTENT} WHERE envelope IS NULL AND NOT {_WAITS} ORDER BY n")
        ]

    def answered(self, digest: str) -> Answered | None:
        """How the request with this SHA-256 was answered."""
        query = "SELECT digest, server_id, nonce, payload_type, answered_at, parts FROM answered WHERE digest = ?"
        row = self._db.execute(query, (digest,)).fetchone()
        return None if row is None else to_answered(row)

    def nonce_used(self, server_id: str, nonce: str) -> bool:
        """Whether another request with this nonce was answered."""
        query = "SELECT 1 FROM answered WHERE server_id = ? AND nonce = ?"
        return self._db.execute(query, (server_id, nonce)).fetchone() is not None

    def remember(self, answered: Answered) -> None:
        """Remember what a request was answered."""
        values = (
            answered.digest,
            answered.server_id,
            answered.nonce,
            answered.payload_type.value,
            seconds(answered.answered_at),
            parts_text(answered.parts),
        )
        self._db.execute("INSERT INTO answered VALUES (?, ?, ?, ?, ?, ?)", values)


class SqliteOutbox:
    """The port ``Outbox`` on a connection within a transaction."""

    def __init__(self, db: Any) -> None:  # noqa: ANN401 - the driver has no types
        self._db = db

    def post(self, server_id: str, item: str, part: Part, at: datetime, handover: str | None) -> None:
        """Let a signed thing wait for a server."""
        self._db.execute(
            "INSERT INTO outbox (server_id, item, payload_type, intent_order, handover, posted_at) VALUES (?, ?, ?, ?, ?, ?)",
            (server_id, item, part.payload_type.value, part.order, handover, seconds(at)),
        )

    def waiting(self, server_id: str) -> Sequence[Waiting]:
        """What waits for a server, in the order in which it was posted."""
        return [to_waiting(row) for row in self._db.execute(_WAITING, (server_id,))]

    def done(self, server_id: str, orders: Sequence[str], packs: Sequence[HeldPack], at: datetime) -> None:
        """These wait no longer, and their lists of licenses are forgotten."""
        generations = {one.pack_id: one.generation for one in packs}
        for one in self.waiting(server_id):
            pack_id, slash, generation = one.item.partition("/")
            has_pack = bool(slash) and generations.get(pack_id, 0) >= int(generation or 0)
            if one.item in orders or has_pack:
                self._end(server_id, one, at)

    def withdraw(self, server_id: str, at: datetime, *, pack_id: str | None = None) -> None:
        """Nothing waits any longer, or nothing that installs this pack."""
        for one in self.waiting(server_id):
            if pack_id is None or one.item.partition("/")[0] == pack_id:
                self._end(server_id, one, at)

    def keep_handover(self, transfer_id: str, envelope: bytes) -> None:
        """Keep a list of licenses until it is delivered."""
        self._db.execute("INSERT INTO handovers VALUES (?, ?)", (transfer_id, envelope))

    def handover(self, transfer_id: str) -> bytes | None:
        """The list of a transfer, while it is kept."""
        row = self._db.execute("SELECT envelope FROM handovers WHERE transfer_id = ?", (transfer_id,)).fetchone()
        return None if row is None else bytes(row[0])

    def _end(self, server_id: str, one: Waiting, at: datetime) -> None:
        self._db.execute(_DONE, (seconds(at), server_id, one.item))
        if one.handover is not None:
            self._db.execute("DELETE FROM handovers WHERE transfer_id = ?", (one.handover,))
