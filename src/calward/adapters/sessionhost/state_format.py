"""What stands in a session host's state files?

``host.json``::

    {"format": 1, "first_connection": TIME|null, "first_full": TIME|null, "spent_seconds": 0, "observed_at": TIME|null,
     "answering": true, "policy": {"version", "mode", "grace_days", "heard_at": TIME}|null}

``users/HASH.json``::

    {"format": 1, "user": "alice", "license": {…}|null, "proven": false,
     "sessions": [{"line": ":10", "opened_at": TIME, "license": "L1"|null, "device": ID|null}]}

``proven`` and ``device`` may be missing: earlier releases did not write them.

TIME is UTC in whole seconds, ``2026-11-24T06:22:46Z``.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from calward.app.sessionhost.ports import BoundSession, HostPolicy, Memory
from calward.domain.cals import CalType
from calward.domain.grace import GraceState
from calward.domain.heard import HeldLicense

__all__ = ["FormatError", "host_document", "host_part", "user_document", "user_part"]

_FORMAT: Final = 1
_BROKEN: Final = (KeyError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading a document of another shape can end in."""


class FormatError(Exception):
    """A state file holds something else than what we write."""


def host_document(memory: Memory) -> dict[str, Any]:
    """Write the host's part."""
    grace, policy = memory.grace, memory.policy
    return {
        "format": _FORMAT,
        "first_connection": _time(grace.first_connection),
        "first_full": _time(grace.first_full),
        "spent_seconds": int(grace.spent.total_seconds()),
        "observed_at": _time(grace.observed_at),
        "answering": grace.answering,
        "policy": policy and _policy_document(policy),
    }


def host_part(document: Any) -> Memory:  # noqa: ANN401 - whatever JSON holds.
    """Read the host's part; raises FormatError."""
    try:
        _check_format(document)
        grace = GraceState(
            first_connection=_moment(document["first_connection"]),
            first_full=_moment(document["first_full"]),
            spent=timedelta(seconds=int(document["spent_seconds"])),
            observed_at=_moment(document["observed_at"]),
            answering=bool(document["answering"]),
        )
        policy = document["policy"]
        return Memory(grace=grace, policy=None if policy is None else _policy(policy))
    except _BROKEN as error:
        raise FormatError(_reason(error)) from error


def user_document(user: str, memory: Memory) -> dict[str, Any]:
    """Write a user's part."""
    return {
        "format": _FORMAT,
        "user": user,
        "license": memory.last and _license_document(memory.last),
        "proven": memory.proven,
        "sessions": [_session_document(session) for session in memory.sessions],
    }


def user_part(document: Any) -> Memory:  # noqa: ANN401 - whatever JSON holds.
    """Read a user's part; raises FormatError."""
    try:
        _check_format(document)
        held = document["license"]
        sessions = tuple(_session(session) for session in document["sessions"])
        proven = bool(document.get("proven", False))
        return Memory(last=None if held is None else _license(held), sessions=sessions, proven=proven)
    except _BROKEN as error:
        raise FormatError(_reason(error)) from error


def _check_format(document: Any) -> None:  # noqa: ANN401 - whatever JSON holds.
    if document["format"] != _FORMAT:
        raise ValueError(f"it is of format {document['format']}, this release knows {_FORMAT}")


def _policy_document(policy: HostPolicy) -> dict[str, Any]:
    fields = {"version": policy.version, "mode": policy.mode, "grace_days": policy.grace_days}
    return {**fields, "heard_at": _time(policy.heard_at)}


def _policy(fields: dict[str, Any]) -> HostPolicy:
    grace_days = int(fields["grace_days"])
    return HostPolicy(str(fields["version"]), str(fields["mode"]), grace_days, _required(fields["heard_at"]))


def _license_document(held: HeldLicense) -> dict[str, Any]:
    names = ("id", "version", "type", "status", "pack", "change", "server")
    return {name: getattr(held, name) for name in names} | {"expires_at": _time(held.expires_at)}


def _license(fields: dict[str, Any]) -> HeldLicense:
    expires_at = _required(fields["expires_at"])
    return HeldLicense(**{**fields, "type": CalType(fields["type"]), "expires_at": expires_at})


def _session_document(session: BoundSession) -> dict[str, Any]:
    opened_at = _time(session.opened_at)
    return {"line": session.line, "opened_at": opened_at, "license": session.license, "device": session.device}


def _session(fields: dict[str, Any]) -> BoundSession:
    opened_at = _required(fields["opened_at"])
    return BoundSession(str(fields["line"]), opened_at, fields["license"], fields.get("device"))


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str | None) -> datetime | None:
    return None if text is None else _required(text)


def _required(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} is a time without its zone")
    return moment.astimezone(UTC)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
