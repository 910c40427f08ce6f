"""What is told to every license server now and then, and what is learned from their answers?"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from calward.app.sessionhost.heartbeats import AgentServer, HeartbeatAnswer, HeartbeatReport
from calward.app.sessionhost.ports import HostMemory, HostPolicy
from calward.app.sessionhost.server_health import ServerHealth
from calward.domain.errors import LicensingError

__all__ = ["HEARTBEAT_SECONDS", "tell_servers"]

HEARTBEAT_SECONDS: Final = 5.0
"""What a server may take for an answer; nobody waits for it."""


def tell_servers(
    report: HeartbeatReport,
    *,
    servers: Sequence[AgentServer],
    memory: Callable[[], HostMemory],
    health: ServerHealth,
    heard: Callable[[AgentServer, HeartbeatAnswer], None],
    now: datetime,
) -> None:
    """Tell each, hand on what it says, and keep what the first of the list that answers says of this host. Never raises."""
    first: HostPolicy | None = None
    for server in servers:
        try:
            answer = server.heartbeat(report, seconds=HEARTBEAT_SECONDS, now=now)
        except LicensingError as error:
            health.heartbeat(server.name, error)
            continue
        health.heartbeat(server.name, None)
        heard(server, answer)
        first = first or answer.policy
    if first is not None:
        policy = first
        memory().change("", lambda known: (replace(known, policy=policy), None))
