"""Write down which licenses have ended, and forget what is kept for a time only.

A license ends at its ``expires_at`` by itself; the sweep changes nothing that anyone could notice (design 3).
"""

from calward.app.ports import Book
from calward.domain.events import Kind
from calward.domain.licenses import Ending
from calward.domain.settings import SECONDS_PER_DAY

__all__ = ["BATCH", "REQUESTS_KEPT_FOR", "settle", "sweep"]

REQUESTS_KEPT_FOR = SECONDS_PER_DAY
"""Seconds for which request ids are kept (design 4)."""

REFUSALS_KEPT_FOR = 30 * SECONDS_PER_DAY
"""Seconds for which it can be asked who was refused lately, and how often; the events stay for good."""

BATCH = 500
"""Licenses in one event, so that no transaction keeps others waiting."""


def sweep(book: Book, *, now: int) -> int:
    """End up to ``BATCH`` expired licenses in the books; returns how many, so that a caller can go on until 0."""
    book.forget(now - REQUESTS_KEPT_FOR, now - REFUSALS_KEPT_FOR)
    expired = book.expired(now, BATCH)
    if not expired:
        return 0
    for license_ in expired:
        book.end(license_, license_.expires_at, Ending.EXPIRED)
    book.append({"id": book.new_id(), "at": now, "kind": Kind.EXPIRED.value, "licenses": [x.id for x in expired]})
    return len(expired)


def settle(book: Book, *, now: int) -> None:
    """End all expired licenses in the books, so that every license on a pack that has not ended runs."""
    while sweep(book, now=now):
        pass
