"""Where do hosts, policies, codes and tokens stand in the database?

They change a few times a day, so each method is one plain statement in the book's transaction.
"""
# ruff: noqa: D102 - the port says what each method does

import json
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from calward.adapters.store import rows
from calward.adapters.store.statements import Statements
from calward.app.heartbeats import Heartbeat, Session
from calward.app.registry import AdminToken, Code, HostRecord, Policy, Purpose
from calward.domain.roles import Role

__all__ = ["HOST", "TOKEN", "SqlRegistry", "host_record_from", "policy_from", "sessions_from", "token_from"]

HOST = ("id", "name", "version", "family", "mode", "host_group", "enrolled_at", "removed_at", "seen_at")
TOKEN = ("id", "name", "role", "made_at", "expires_at", "ended_at")

_HOST = ", ".join(HOST)
_TOKEN = ", ".join(TOKEN)


class Cursor(Protocol):
    """What we use of a driver's cursor (DB-API)."""

    def execute(self, statement: str, parameters: Sequence[Any] = ..., /) -> Any: ...  # noqa: ANN401
    def fetchone(self) -> Any: ...  # noqa: ANN401


class SqlRegistry:
    """A registry on SQLite or PostgreSQL."""

    def __init__(self, cursor: Cursor, sql: Statements) -> None:
        self._cursor = cursor
        self._sql = sql

    def host(self, name: str) -> HostRecord | None:
        return self._one_host("lower(name) = ? AND removed_at IS NULL", name.lower())

    def removed_host(self, name: str) -> HostRecord | None:
        return self._one_host("lower(name) = ? AND removed_at IS NOT NULL", name.lower())

    def host_by_id(self, number: int) -> HostRecord | None:
        return self._one_host("id = ? AND removed_at IS NULL", number)

    def put_host(self, host: HostRecord) -> None:
        values = (
            host.id, host.name, host.version, host.family, rows.type_letter(host.mode), host.group, host.enrolled_at,
            host.removed_at, host.seen_at,
        )  # fmt: skip
        sets = ", ".join(f"{x} = excluded.{x}" for x in HOST[1:])
        self._do(f"{self._sql.insert('host', HOST)} ON CONFLICT (id) DO UPDATE SET {sets}", *values)

    def set_host_token(self, number: int, token_hash: bytes | None) -> None:
        self._do("UPDATE host SET token_hash = ? WHERE id = ?", token_hash, number)

    def note_seen(self, number: int, at: int) -> None:
        self._do("UPDATE host SET seen_at = ? WHERE id = ? AND coalesce(seen_at, 0) < ?", at, number, at)

    def put_heartbeat(self, host: int, heartbeat: Heartbeat) -> None:
        columns = ("host", "at", "agent", "live", "sessions")
        sets = ", ".join(f"{x} = excluded.{x}" for x in columns[1:])
        self._do(
            # Two connections of a host that is cut off and comes back may overtake each other.
            f"{self._sql.insert('heartbeat', columns)} ON CONFLICT (host) DO UPDATE SET {sets} "
            "WHERE heartbeat.at <= excluded.at",
            host,
            heartbeat.at,
            heartbeat.agent,
            heartbeat.live,
            _sessions_text(heartbeat.sessions),
        )

    def forget_heartbeat(self, host: int) -> None:
        self._do("DELETE FROM heartbeat WHERE host = ?", host)

    def policy(self, group: str) -> Policy | None:
        row = self._one("SELECT host_group, mode, servers FROM policy WHERE host_group = ?", group)
        return policy_from(row) if row else None

    def put_policy(self, policy: Policy) -> None:
        text = "INSERT INTO policy (host_group, mode, servers) VALUES (?, ?, ?) ON CONFLICT (host_group) DO UPDATE SET "
        mode = rows.type_letter(policy.mode) if policy.mode else None
        self._do(
            f"{text} mode = excluded.mode, servers = excluded.servers", policy.group, mode, json.dumps(policy.servers)
        )

    def remove_policy(self, group: str) -> None:
        self._do("DELETE FROM policy WHERE host_group = ?", group)

    def add_code(self, code_hash: bytes, code: Code) -> None:
        # Without a host the code is for the server itself: 0 stands for it, because NULL equals nothing.
        self._do("DELETE FROM code WHERE purpose = ? AND coalesce(host, 0) = ?", code.purpose.value, code.host or 0)
        columns = ("hash", "purpose", "host", "expires_at")
        self._do(self._sql.insert("code", columns), code_hash, code.purpose.value, code.host, code.expires_at)

    def use_code(self, code_hash: bytes, purpose: Purpose, at: int) -> Code | None:
        row = self._one(
            "UPDATE code SET used_at = ? WHERE hash = ? AND purpose = ? AND used_at IS NULL AND expires_at > ? "
            "RETURNING purpose, expires_at, host",
            at,
            code_hash,
            purpose.value,
            at,
        )
        return Code(Purpose(row[0]), row[1], row[2]) if row else None

    def end_codes(self, host: int) -> None:
        self._do("DELETE FROM code WHERE host = ?", host)

    def token(self, number: int) -> AdminToken | None:
        row = self._one(f"SELECT {_TOKEN} FROM token WHERE id = ?", number)  # noqa: S608
        return token_from(row) if row else None

    def token_named(self, name: str, now: int) -> AdminToken | None:
        where = "name = ? AND ended_at IS NULL AND expires_at > ?"
        row = self._one(f"SELECT {_TOKEN} FROM token WHERE {where}", name, now)  # noqa: S608
        return token_from(row) if row else None

    def has_administrator(self, now: int) -> bool:
        where = "role = ? AND ended_at IS NULL AND expires_at > ?"
        return self._one(f"SELECT {_TOKEN} FROM token WHERE {where}", Role.LICENSE_ADMINISTRATOR.value, now) is not None  # noqa: S608

    def add_token(self, token: AdminToken, token_hash: bytes) -> None:
        values = (token.id, token.name, token.role.value, token.made_at, token.expires_at, token.ended_at, token_hash)
        self._do(self._sql.insert("token", (*TOKEN, "hash")), *values)

    def end_token(self, number: int, at: int) -> None:
        self._do("UPDATE token SET ended_at = ? WHERE id = ?", at, number)

    def _one_host(self, where: str, value: object) -> HostRecord | None:
        row = self._one(f"SELECT {_HOST} FROM host WHERE {where}", value)  # noqa: S608
        return host_record_from(row) if row else None

    def _do(self, text: str, *parameters: object) -> None:
        self._cursor.execute(text.replace("?", self._sql.mark), parameters)

    def _one(self, text: str, *parameters: object) -> Any:  # noqa: ANN401
        self._do(text, *parameters)
        return self._cursor.fetchone()


def host_record_from(row: Sequence[Any]) -> HostRecord:
    """A host from a row of ``HOST`` columns."""
    number, name, version, family, mode, group, enrolled_at, removed_at, seen_at = row
    return HostRecord(number, name, version, family, rows.type_from(mode), group, enrolled_at, removed_at, seen_at)


def policy_from(row: Sequence[Any]) -> Policy:
    """A policy from (group, mode, servers)."""
    group, mode, servers = row
    return Policy(group, rows.type_from(mode) if mode else None, tuple(json.loads(servers)))


def sessions_from(text: str) -> tuple[Session, ...]:
    """Sessions from their text, a list of lists in the order of ``Session``'s fields."""
    return tuple(Session(*row) for row in json.loads(text))


def _sessions_text(sessions: Iterable[Session]) -> str:
    listed = [[one.line, one.user, one.license, one.hardware_id, one.since] for one in sessions]
    return json.dumps(listed, separators=(",", ":"))


def token_from(row: Sequence[Any]) -> AdminToken:
    """A token from a row of ``TOKEN`` columns."""
    number, name, role, made_at, expires_at, ended_at = row
    return AdminToken(number, name, Role(role), made_at, expires_at, ended_at)
