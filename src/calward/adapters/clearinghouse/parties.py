"""Whom does the clearinghouse know: license servers, their keys, organizations, operators?"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from calward.adapters.clearinghouse.rows import seconds, seconds_or_none, to_key_change, to_organization, to_server
from calward.app.clearinghouse.records import KeyChange, Organization, RegisteredServer
from calward.domain.errors import LicensingError, Problem
from calward.domain.operators import Operator, OperatorRole

__all__ = ["SqliteParties"]

_SERVER = (
    "SELECT server_id, name, public_key, registered_at, organization_id, version, issue_until, right_asked_at, last_contact,"
    " heard_at, heard_nonce, checkpoint_size, checkpoint_root, rolled_back FROM servers"
)
_PUT_SERVER = (
    "INSERT INTO servers (server_id, name, public_key, registered_at, organization_id, version, issue_until, right_asked_at,"
    " last_contact, heard_at, heard_nonce, checkpoint_size, checkpoint_root, rolled_back, keyid)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (server_id) DO UPDATE SET name = excluded.name, public_key = excluded.public_key, keyid = excluded.keyid,"
    " organization_id = excluded.organization_id, version = excluded.version, issue_until = excluded.issue_until,"
    " right_asked_at = excluded.right_asked_at, last_contact = excluded.last_contact, heard_at = excluded.heard_at,"
    " heard_nonce = excluded.heard_nonce, checkpoint_size = excluded.checkpoint_size, checkpoint_root = excluded.checkpoint_root,"
    " rolled_back = excluded.rolled_back"
)
_KEY_CHANGE = "SELECT server_id, public_key, reason, asked_at, confirmed_by, confirmed_at FROM key_changes"
_ORGANIZATION = "SELECT organization_id, name, contact, added_at FROM organizations"


class SqliteParties:
    """The port ``Parties`` on a connection within a transaction."""

    def __init__(self, db: Any) -> None:  # noqa: ANN401 - the driver has no types
        self._db = db

    def server(self, server_id: str) -> RegisteredServer | None:
        """A license server by its id."""
        row = self._db.execute(f"{_SERVER} WHERE server_id = ?", (server_id,)).fetchone()
        return None if row is None else to_server(row)

    def server_with_key(self, keyid: str) -> RegisteredServer | None:
        """The license server whose present key has this name."""
        row = self._db.execute(f"{_SERVER} WHERE keyid = ?", (keyid,)).fetchone()
        return None if row is None else to_server(row)

    def servers(self) -> Sequence[RegisteredServer]:
        """All license servers, the oldest first."""
        return [to_server(row) for row in self._db.execute(f"{_SERVER} ORDER BY registered_at, rowid")]

    def put_server(self, server: RegisteredServer) -> None:
        """Remember a license server as it is now."""
        values = (
            server.server_id,
            server.name,
            server.public_key,
            seconds(server.registered_at),
            server.organization,
            server.version,
            seconds_or_none(server.issue_until),
            seconds_or_none(server.right_asked_at),
            seconds_or_none(server.last_contact),
            seconds_or_none(server.heard_at),
            server.heard_nonce,
            server.checkpoint_size,
            server.checkpoint_root,
            int(server.rolled_back),
            server.keyid,
        )
        self._db.execute(_PUT_SERVER, values)

    def key_changes(self) -> Sequence[KeyChange]:
        """All new keys that known license servers came with, the oldest first."""
        return [to_key_change(row) for row in self._db.execute(f"{_KEY_CHANGE} ORDER BY asked_at, rowid")]

    def ask_key(self, change: KeyChange) -> None:
        """Remember that a known license server came with a new key."""
        self._db.execute(
            "INSERT INTO key_changes (server_id, public_key, reason, asked_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
            (change.server_id, change.public_key, change.reason.value, seconds(change.asked_at)),
        )

    def confirm_key(self, server_id: str, public_key: bytes, by: str, at: datetime) -> None:
        """Remember that an operator compared the fingerprint of a new key."""
        self._db.execute(
            "UPDATE key_changes SET confirmed_by = ?, confirmed_at = ? WHERE server_id = ? AND public_key = ?",
            (by, seconds(at), server_id, public_key),
        )

    def add_organization(self, organization: Organization) -> None:
        """Remember an organization."""
        if self._db.execute("SELECT 1 FROM organizations WHERE name = ?", (organization.name,)).fetchone():
            detail = f"there is an organization {organization.name} already: choose another name"
            raise LicensingError(Problem.CONFLICT, detail, field="name")
        values = (organization.organization_id, organization.name, organization.contact, seconds(organization.added_at))
        self._db.execute("INSERT INTO organizations VALUES (?, ?, ?, ?)", values)

    def organization(self, organization_id: str) -> Organization | None:
        """An organization by its id."""
        row = self._db.execute(f"{_ORGANIZATION} WHERE organization_id = ?", (organization_id,)).fetchone()
        return None if row is None else to_organization(row)

    def organizations(self) -> Sequence[Organization]:
        """All organizations, the oldest first."""
        return [to_organization(row) for row in self._db.execute(f"{_ORGANIZATION} ORDER BY added_at, rowid")]

    def add_operator(self, operator: Operator, token_hash: bytes, at: datetime) -> None:
        """Remember an operator."""
        if self._db.execute("SELECT 1 FROM operators WHERE name = ?", (operator.name,)).fetchone():
            detail = f"there is an operator {operator.name} already: choose another name"
            raise LicensingError(Problem.CONFLICT, detail)
        values = (token_hash, operator.name, seconds(at), operator.role.value)
        self._db.execute("INSERT INTO operators (token_hash, name, named_at, role) VALUES (?, ?, ?, ?)", values)

    def operator(self, token_hash: bytes) -> Operator | None:
        """Whose token it is."""
        row = self._db.execute("SELECT name, role FROM operators WHERE token_hash = ?", (token_hash,)).fetchone()
        return None if row is None else Operator(str(row[0]), OperatorRole(row[1]))

    def operators(self) -> Sequence[Operator]:
        """All operators by name."""
        rows = self._db.execute("SELECT name, role FROM operators ORDER BY name")
        return [Operator(str(name), OperatorRole(role)) for name, role in rows]

    def end_operator(self, name: str) -> bool:
        """Forget an operator's token; whether there was one."""
        return bool(self._db.execute("DELETE FROM operators WHERE name = ?", (name,)).rowcount)
