"""What can a session host ask in one call? Acts that a ledger may gather into groups, because it sees what they will need."""

from dataclasses import dataclass

from calward.app.licensing.acts import Done, RefusedAct
from calward.app.licensing.confirm_license import ConfirmLicense, confirm_license
from calward.app.licensing.issue_license import IssueLicense, issue_license
from calward.app.ports import Book, Entropy
from calward.domain.events import Event

__all__ = ["Confirmation", "Request"]


@dataclass(slots=True)
class Request:
    """A request for a license; the answer is the event to answer with."""

    command: IssueLicense
    entropy: Entropy

    def __call__(self, book: Book) -> Event:
        """Carry it out."""
        return issue_license(self.command, book, now=book.now(), entropy=self.entropy)


@dataclass(slots=True)
class Confirmation:
    """A confirmed logon."""

    command: ConfirmLicense

    def __call__(self, book: Book) -> Done | RefusedAct:
        """Carry it out."""
        return confirm_license(self.command, book, now=book.now())
