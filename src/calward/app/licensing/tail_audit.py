"""What has happened lately? Events in the order of the log."""

from itertools import islice

from calward.app.licensing.records import Records, StoredEvent

__all__ = ["tail_audit"]


def tail_audit(records: Records, *, after: int | None = None, limit: int = 100) -> list[StoredEvent]:
    """At most ``limit`` events after a place in the log, oldest first; ``after`` None: the last ones.

    Ask again with the last one's ``position`` to go on. On PostgreSQL an event appears when it has its place, within a second.
    """
    start = max(0, records.last_position() - limit) if after is None else after
    return list(islice(records.placed(start, start + limit), limit))
