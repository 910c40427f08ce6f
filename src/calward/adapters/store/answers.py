# ruff: noqa: D102 - the port says what each method without a docstring does
"""How are events kept, and what hosts were answered, so that nothing is said or written twice?"""

import hashlib
from collections.abc import Sequence

import msgspec

from calward.adapters.store.flushing import flush
from calward.adapters.store.transaction import Room
from calward.domain.events import Event, read_event

__all__ = ["Answers", "request_key"]


class Answers(Room):
    """Events, request ids, counts of equal refusals and the times of warnings, in one transaction."""

    # Events.

    def new_id(self) -> int:
        return self._shared.next_event(self._cursor, self._work.expected)

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

    # Request ids.

    def key(self, host: int, request_id: str) -> bytes:
        """See ``request_key``; computed once."""
        known = self._work.request_keys.get((host, request_id))
        if known is None:
            known = self._work.request_keys[host, request_id] = request_key(host, request_id)
        return known

    def load(self, keys: Sequence[bytes]) -> None:
        """Read what was answered under these keys."""
        if not keys:
            return
        self._work.requests.update(dict.fromkeys(keys))
        where, values = self._sql.among("r.key", keys)
        found = self._select(
            f"SELECT r.key, e.body FROM request r JOIN event e ON e.id = r.event WHERE {where}",  # noqa: S608
            values,
        )
        for key, body in found:
            self._work.requests[bytes(key)] = read_event(body)

    def remembered(self, host: int, request_id: str) -> Event | None:
        key = self.key(host, request_id)
        if key not in self._work.requests:
            self.load([key])
        return self._work.requests[key]

    def remember(self, host: int, request_id: str, event: int, at: int) -> None:
        key = self.key(host, request_id)
        self._work.new_requests.append((key, event, at))
        self._work.requests[key] = self.event(event)

    # Refusals and warnings.

    def same_refusal(self, holder: int, host: int, reasons: str, since: int) -> int | None:
        flush(self._transaction)
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
        flush(self._transaction)
        self._do(
            "DELETE FROM request WHERE key IN (SELECT key FROM request WHERE at <= ? ORDER BY at LIMIT 2000)",
            (before_requests,),
        )
        self._do("DELETE FROM refusal WHERE at <= ?", (before_refusals,))


_canonical = msgspec.json.Encoder(order="sorted").encode
"""Makes the same bytes as ``calward.domain.events.encode_event`` (a test holds them together), six times faster."""


def request_key(host: int, request_id: str) -> bytes:
    """16 bytes that stand for a host's request id."""
    return hashlib.sha256(f"{host}\0{request_id}".encode()).digest()[:16]
