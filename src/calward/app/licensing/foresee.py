"""What would this client get now, and why? Asked beforehand: nothing is issued and nothing is written."""

from calward.app.licensing.issue_license import IssueLicense, decide_beforehand
from calward.app.ports import Book
from calward.domain.events import Event, decision_event
from calward.domain.licenses import Holder

__all__ = ["foresee"]


def foresee(command: IssueLicense, book: Book, *, now: int) -> Event:
    """The event that a request would make now, with the id 0; a device is taken as it is, proven or not."""
    holder = book.find_holder(command.kind, command.key) or Holder(0, command.kind, command.key, command.label, "")
    decision = decide_beforehand(command, holder, book, now=now)
    return decision_event(0, now, command.host, holder, decision)
