"""How does the log leave the ledger, so that somebody else can check it without our programs?

JSON lines: ``{"position":7,"event":{...}}`` for each event of the log in order, then ``{"checkpoint":"..."}``, the signed note whose
size and root are those of exactly these events. What stands between ``"event":`` and the line's last brace are the bytes of the leaf.
"""

import json
from collections.abc import Iterator

from calward.app.licensing.records import Records, StoredEvent
from calward.domain.notes import parse_checkpoint, parse_note

__all__ = ["event_line", "export_audit"]


def export_audit(records: Records, checkpoint: str) -> Iterator[str]:
    """The lines of an export, without line feeds; ``checkpoint``: the note that was stored for it just before."""
    size = parse_checkpoint(parse_note(checkpoint).text).size
    for stored in records.placed(0, size):
        yield event_line(stored)
    yield json.dumps({"checkpoint": checkpoint}, separators=(",", ":"), ensure_ascii=False)


def event_line(stored: StoredEvent) -> str:
    """One event as a line: its place, then its bytes as they are in the tree."""
    return f'{{"position":{stored.position},"event":{stored.body}}}'
