"""Put a license server into quarantine whose ledger may be an old one, and take it out again.

In quarantine it gives temporary licenses only (``Server.blocked``): a CAL that the ledger takes for free may be in use.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from calward.app.licensing.acts import Done, write_act
from calward.app.ports import Book
from calward.domain.answers import rfc3339
from calward.domain.events import Kind
from calward.domain.notes import Checkpoint
from calward.domain.quarantine import Cause, Quarantine

__all__ = [
    "WAYS_OUT",
    "confirm",
    "confirmed",
    "enter_quarantine",
    "explain",
    "leave_quarantine",
    "quarantine_of",
    "shown",
]

_DOCUMENT, _CONFIRMED = "quarantine", "quarantine-confirmed"

REBUILD = "calward server rebuild: the clearinghouse signs all packs anew"
_NEWER, _NOTHING, _LOSS = (
    "stop the server and restore the newest backup (calward backup restore): quarantine ends by itself once every host has confirmed it",
    "calward server recover --nothing-lost: if the backup was made after the server had been stopped for good",
    "calward server recover --accept-loss: give up what was issued in between; the clearinghouse signs all packs anew",
)
WAYS_OUT: Mapping[Cause, tuple[str, ...]] = MappingProxyType(
    {
        Cause.RESTORED: (_NEWER, _NOTHING, _LOSS),
        Cause.ANEW: (_NEWER, REBUILD),
        Cause.OLDER: (_NEWER, _LOSS),
        Cause.OTHER: (_NEWER, _LOSS),
    }
)
"""What ends a quarantine, the best first."""


def enter_quarantine(found: Quarantine, book: Book, *, now: int, by: str) -> Done:
    """Give temporary licenses only from now on. Found again, or worse, it is the same quarantine; ``by``: who has shown it."""
    known = quarantine_of(book)
    whole = found if known is None else known.worse(found)
    if whole == known:
        return Done("quarantined")
    book.keep_document(_DOCUMENT, whole.encode())
    book.set_server(replace(book.server(), quarantined_at=whole.since))
    facts = {"since": whole.since, "cause": whole.cause.value, "own": whole.own}
    seen = {"seen": whole.seen, "seen_at": whole.seen_at} if whole.seen else {}
    return Done("quarantined", write_act(book, Kind.QUARANTINED, now, by, **facts, **seen))


def leave_quarantine(book: Book, *, now: int, by: str, how: str) -> Done:
    """Full licenses are given again. ``how``: "confirmed" (every host), "nothing-lost" (an administrator) or "recovered"."""
    server = book.server()
    if server.quarantined_at is None:
        return Done("released")
    book.drop_document(_DOCUMENT)
    book.drop_document(_CONFIRMED)
    book.set_server(replace(server, quarantined_at=None))
    return Done("released", write_act(book, Kind.QUARANTINE_ENDED, now, by, how=how))


def quarantine_of(book: Book) -> Quarantine | None:
    """Why the server is in quarantine, if it is."""
    body = book.document(_DOCUMENT)
    return None if body is None or book.server().quarantined_at is None else Quarantine.decode(body)


def confirm(host: int, book: Book) -> None:
    """Remember that a host has seen nothing newer than this ledger."""
    known = confirmed(book)
    if host not in known:
        book.keep_document(_CONFIRMED, json.dumps(sorted({*known, host})).encode())


def confirmed(book: Book) -> frozenset[int]:
    """The hosts that have confirmed a restored ledger, by number."""
    body = book.document(_CONFIRMED)
    return frozenset(json.loads(body)) if body else frozenset()


def shown(cause: Cause, seen: Checkpoint, own: int, *, now: int, by: str) -> Quarantine:
    """The quarantine for which somebody has shown a checkpoint."""
    at = None if seen.at is None else int(seen.at.timestamp())
    return Quarantine(cause, now, own, seen.size, at, by)


def explain(found: Quarantine) -> tuple[str, ...]:
    """What has happened, in sentences for people: what others have seen, since when, what may have been issued meanwhile."""
    since, own = rfc3339(found.since), found.own
    if found.cause is Cause.ANEW:
        return (
            f"the ledger began anew at {since} under the id of a license server that had another one",
            "what that one has issued, this one does not know: it gets its packs back from the clearinghouse",
        )
    if found.cause is Cause.RESTORED and not found.seen:
        return (
            f"the ledger was restored from a backup of {own} events at {since}, and not every host has confirmed that it is the newest",
            "what the license server issued after that backup was made, it does not know",
        )
    if not found.seen:
        return (
            f"{found.by} said at {since} that it has seen a newer ledger of this license server",
            "licenses may have been issued, renewed or revoked, packs installed or moved of which this ledger does not know",
        )
    when = "at a time that is not known" if found.seen_at is None else f"at {rfc3339(found.seen_at)}"
    first = f"{found.by} has seen a ledger of {found.seen} events, signed {when}; at {since} this one had {own}"
    if found.cause is Cause.OTHER:
        return (
            f"{first}, and its first {min(own, found.seen)} events are others",
            "two copies of this license server went on apart: stop the other one before anything else",
        )
    missing = found.seen - own
    return (
        first,
        f"at least {missing} events are missing here: licenses issued, renewed or revoked, packs installed or moved",
    )
