"""A healthy session host as a value, licensed per device behind a relay, and small changes of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from calward.app.sessionhost.diagnosis import (
    AgentFacts,
    CertificateFacts,
    HostFacts,
    PamLine,
    Reached,
    RelayFacts,
    ServerFacts,
    StateFacts,
    TokenFacts,
    TokenState,
    Told,
)
from calward.app.sessionhost.ports import HostPolicy, Memory
from calward.domain.grace import GraceState
from tests.support.ladders import windows_server

NOW = datetime(2026, 11, 24, 6, 22, 46, tzinfo=UTC)
SETTINGS = Path("/etc/calward/host.toml")
TOKEN = TokenFacts(TokenState.USABLE, Path("/etc/calward/host.token"), written_at=NOW - timedelta(days=3))
TOLD = Told("SH1", "2022", "per-device", "host", 120, (), "1" * 32, "2025", activated=True, issue_until=None)
PIN = "ab" * 32
POLICY = HostPolicy("2022", "per-device", 120, NOW)
USED = GraceState(first_connection=NOW - timedelta(days=60), first_full=NOW - timedelta(days=50), observed_at=NOW)


def a_server(number: int = 1, **changes: Any) -> ServerFacts:
    """A license server that answers, with a certificate that is pinned; ``told`` as a mapping changes what it tells."""
    told = changes.pop("told", {})
    found = ServerFacts(
        f"https://ls{number}.example:8460",
        TOKEN,
        Reached.HOST,
        places=(f"192.0.2.{number}:8460",),
        pinned=PIN,
        shown=PIN,
        ready=True,
        seconds=0.05,
        ahead=timedelta(),
        told=None if told is None else replace(TOLD, server_id=str(number) * 32, **told),
    )
    return replace(found, **changes)


def stopped(reached: Reached, **changes: Any) -> ServerFacts:
    """The first license server, where questions came no further."""
    before = Reached.LICENSE_SERVER
    return a_server(
        reached=reached,
        **{"told": None, "trouble": "as it was seen", "ready": True if reached >= before else None, "seconds": None}
        | changes,
    )


def a_relay(**changes: Any) -> RelayFacts:
    """A relay whose certificates hold for a year."""
    later = NOW + timedelta(days=365)
    certificate, wire = (CertificateFacts(Path("/var/lib/calward-host") / name, later) for name in ("tls.pem", "wire"))
    return replace(RelayFacts(("0.0.0.0", 3389), ("127.0.0.1", 3390), "plain", certificate, wire), **changes)


def a_state(grace: GraceState = USED, policy: HostPolicy | None = POLICY, **changes: Any) -> StateFacts:
    """A memory that is in use."""
    return replace(StateFacts(Path("/var/lib/calward-host"), memory=Memory(grace=grace, policy=policy)), **changes)


def an_agent(**changes: Any) -> AgentFacts:
    """An agent that asks both license servers."""
    servers = tuple((a_server(number).name, "") for number in (1, 2))
    found = AgentFacts(Path("/run/calward/agent.sock"), answers=True, there=True, release="1.0", servers=servers)
    return replace(found, **changes)


def a_pam_line(stack: str = "account", **changes: Any) -> PamLine:
    """A line whose program is there."""
    return replace(PamLine("xrdp-sesman", stack, Path("/usr/bin/python3"), runs=True), **changes)


def a_host(**changes: Any) -> HostFacts:
    """The host; nothing is wrong with it."""
    found = HostFacts(
        settings=SETTINGS,
        now=NOW,
        user="root",
        release="1.0",
        servers=(a_server(1), a_server(2)),
        ladder=windows_server(),
        agent=an_agent(),
        relay=a_relay(),
        state=a_state(),
        pam=(a_pam_line(), a_pam_line("session")),
        listening=(("0.0.0.0", 22), ("0.0.0.0", 3389), ("127.0.0.1", 3390)),
    )
    return replace(found, **changes)


def with_server(server: ServerFacts) -> HostFacts:
    """The host with another first license server, and the second as it was."""
    return a_host(servers=(server, a_server(2)))
