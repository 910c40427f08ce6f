"""Confirm the new key of a known license server, once its fingerprint was compared by telephone."""

from calward.app.clearinghouse.activate_license_server import key_fingerprint
from calward.app.clearinghouse.means import Means
from calward.app.clearinghouse.ports import Book
from calward.app.clearinghouse.records import KeyChange
from calward.domain.errors import LicensingError, Problem
from calward.domain.fields import check_name
from calward.domain.register_events import RegisterEvent

__all__ = ["confirm_key"]


def confirm_key(server_id: str, fingerprint: str, by: str, *, means: Means) -> KeyChange:
    """Let the key with this fingerprint count from the server's next activation request on.

    Raises: LicensingError: NOT_FOUND: no such key waits for this server; MALFORMED: ``by`` cannot be read.
    """
    who, now = check_name(by, "the operator's name"), means.now()

    def confirm(book: Book) -> KeyChange:
        pending = [one for one in book.parties.key_changes() if one.server_id == server_id and one.confirmed_at is None]
        found = next(
            (one for one in pending if _letters(key_fingerprint(one.public_key)) == _letters(fingerprint)), None
        )
        if found is None:
            detail = f"no new key with this fingerprint waits for the license server {server_id}: compare it once more"
            raise LicensingError(Problem.NOT_FOUND, detail, field="fingerprint")
        book.parties.confirm_key(server_id, found.public_key, who, now)
        book.log.note(now, RegisterEvent.KEY_CONFIRMED, server_id=server_id, key=found.public_key.hex(), by=who)
        return found

    return means.store.write(confirm)


def _letters(fingerprint: str) -> str:
    """As people type it: case, blanks and hyphens do not matter."""
    return "".join(fingerprint.split()).replace("-", "").upper()
