"""Add an organization that buys CALs."""

from dataclasses import dataclass

from calward.app.clearinghouse.means import Means
from calward.app.clearinghouse.ports import Book
from calward.app.clearinghouse.records import Organization
from calward.app.clearinghouse.server_fields import organization_fields
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import check_name
from calward.domain.register_events import RegisterEvent

__all__ = ["AddOrganization", "add_organization", "organization_named"]


@dataclass(frozen=True, slots=True)
class AddOrganization:
    """Its name, and whom to call there (for people; may be empty)."""

    name: str
    contact: str = ""


def add_organization(command: AddOrganization, *, means: Means) -> Organization:
    """Add it; raises LicensingError: MALFORMED: a name cannot be read; CONFLICT: there is one of that name."""
    contact = check_name(command.contact, "the contact") if command.contact else ""
    added = Organization(means.new_id(), check_name(command.name, "the organization's name"), contact, means.now())

    def add(book: Book) -> None:
        book.parties.add_organization(added)
        book.log.note(added.added_at, RegisterEvent.ORGANIZATION_ADDED, organizations=[organization_fields(added)])

    means.store.write(add)
    return added


def organization_named(text: str, book: Book) -> Organization:
    """The organization with this id or name; raises LicensingError(NOT_FOUND)."""
    found = next((one for one in book.parties.organizations() if text in {one.organization_id, one.name}), None)
    if found is None:
        detail = f"there is no organization {text!a} here: add it first by calward clearinghouse organization add"
        raise LicensingError(Problem.NOT_FOUND, detail, field="organization")
    return found
