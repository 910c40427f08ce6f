"""Erase a holder: forget whose licenses they were, so that nobody can say it from the ledger any more.

The events stand, and the audit trail still verifies: they name the holder by a salted hash, and the salt goes too (design 4).
"""

from dataclasses import dataclass

from calward.app.licensing.acts import Done, RefusedAct, refuse_act, write_act
from calward.app.ports import Book
from calward.domain.cals import HolderKind
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Kind
from calward.domain.reasons import Reason

__all__ = ["EraseHolder", "erase_holder"]


@dataclass(frozen=True, slots=True)
class EraseHolder:
    """A device by its hardware id or a user by name, and who asks."""

    kind: HolderKind
    key: str
    by: str


def erase_holder(command: EraseHolder, book: Book, *, now: int) -> Done | RefusedAct:
    """Erase a holder that has no running license; raises LicensingError(NOT_FOUND)."""
    holder = book.find_holder(command.kind, command.key)
    if holder is None:
        raise LicensingError(
            Problem.NOT_FOUND, f"no {command.kind.value} of this name is known here", field=command.kind.value
        )
    running = sum(x.runs(now) for x in book.licenses_of(holder))
    if running:
        detail = (
            f"the {command.kind.value} holds {running} running licenses: they end, or are revoked or released, first"
        )
        return refuse_act(book, "erase", now, command.by, Reason.LICENSE_RUNNING, detail, holder=holder.token)
    number = write_act(book, Kind.HOLDER_ERASED, now, command.by, holder=holder.token)
    book.erase(holder)
    return Done("erased", number)
