"""Keep what a session host tells of itself: its agent's release and its open sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from calward.app.heartbeats import MAX_SESSIONS, Heartbeat, Session
from calward.app.registry import RegistryBook
from calward.domain.errors import LicensingError, Problem
from calward.domain.names import check_holder, check_token_name
from calward.domain.parties import Host

__all__ = ["MOST_REVOKED", "HearHost", "checked_heartbeat", "hear_host"]

MOST_REVOKED: Final = 20_000
"""Revoked licenses that one answer names; those with the longest left first. At a share of 20 %, as many as 100,000 CALs of a
family can have, so that the rest of an even larger estate is known to the license server alone."""


@dataclass(frozen=True, slots=True)
class HearHost:
    """Which host tells what; ``heartbeat.at`` is when it was heard, by the license server's clock."""

    host: Host
    heartbeat: Heartbeat


def checked_heartbeat(agent: str, sessions: Sequence[Session], at: int) -> Heartbeat:
    """A heartbeat whose names people can read in lists and terminals; raises LicensingError(MALFORMED)."""
    if len(sessions) > MAX_SESSIONS:
        detail = f"a heartbeat holds at most {MAX_SESSIONS} sessions, this one {len(sessions)}"
        raise LicensingError(Problem.MALFORMED, detail, field="sessions")
    for one in sessions:
        check_token_name(one.line, "line of a session")
        check_holder(one.user, "user of a session")
        if one.license is not None:
            check_token_name(one.license, "license of a session")
        if one.hardware_id is not None:
            check_holder(one.hardware_id, "hardware_id of a session")
    return Heartbeat(at, check_token_name(agent, "agent"), len(sessions), tuple(sessions))


def hear_host(command: HearHost, book: RegistryBook) -> None:
    """Keep it in place of what was heard before. A host removed meanwhile leaves nothing behind."""
    if book.registry.host_by_id(command.host.id) is not None:
        book.registry.put_heartbeat(command.host.id, command.heartbeat)
