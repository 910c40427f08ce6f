"""How is the agent of a session host put together? ``run_agent`` is what ``calward agent run`` runs."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, Final

from calward.adapters.ladders import load_ladder
from calward.adapters.network.license_server_client import LicenseServerClient
from calward.adapters.sessionhost.agent_socket import ask_agent, peer_of
from calward.adapters.sessionhost.checkpoints import HostCheckpoints
from calward.adapters.sessionhost.config import DEFAULT_CONFIG, HostConfig, load_host_config, read_token
from calward.adapters.sessionhost.known_servers import KnownServers
from calward.adapters.sessionhost.log import HostLog
from calward.adapters.sessionhost.peers import callers
from calward.adapters.sessionhost.process import groups_of
from calward.adapters.sessionhost.state import StateFolder
from calward.adapters.sessionhost.terminals import is_gone
from calward.adapters.sessionhost.wire_chain import HostWireChain
from calward.adapters.signing.ed25519 import verify
from calward.app.sessionhost.heartbeats import AgentServer
from calward.app.sessionhost.ports import Journal, TimeLeft
from calward.bootstrap.relay import relay_server, wire_key
from calward.domain.errors import LicensingError, Problem
from calward.entrypoints.agent.desk import Desk
from calward.entrypoints.agent.door import Door
from calward.entrypoints.agent.outside import DeskSettings, Holders, Outside
from calward.entrypoints.agent.running import ListeningRelay, serve_until_stopped

__all__ = ["agent_status", "make_desk", "run_agent"]

_STATUS_SECONDS: Final = 5.0


def run_agent(path: Path | None, ready: Callable[[dict[str, str]], None]) -> None:
    """Run until SIGTERM or SIGINT; ``ready`` hears where it listens. Raises LicensingError."""
    config = load_host_config(path or DEFAULT_CONFIG)
    asyncio.run(_run(config, HostLog(), ready))


def agent_status(path: Path | None) -> dict[str, Any]:
    """Ask the running agent how it is; raises LicensingError: UNREACHABLE where none listens."""
    config = load_host_config(path or DEFAULT_CONFIG)
    said = ask_agent(config.agent.socket, {"ask": "status"}, _STATUS_SECONDS)
    if said is None:
        raise LicensingError(Problem.UNREACHABLE, f"no agent answers at {config.agent.socket}: start calward agent run")
    return said


def make_desk(config: HostConfig, journal: Journal, chain: HostWireChain | None = None) -> Desk:
    """Put the agent's desk together, not yet asked by anybody; raises LicensingError: no such ladder.

    ``chain``: the certificates for the wire, where this host has a relay.
    """
    servers = list(_servers(config, journal))
    known = KnownServers(config.state_dir, (one.name for one in servers), journal.warning)
    outside = Outside(
        servers=servers,
        memory=partial(_memory, config, journal, Lock()),
        known=known.all,
        heard=known.heard,
        renew_chain=partial(_renew, chain),
        ladder=load_ladder(config.agent.ladder),
        verify=verify,
        callers=callers,
        exempt=partial(_exempt, config),
        is_gone=lambda session: is_gone(session, _now()),
        journal=journal,
        now=_now,
        new_id=partial(secrets.token_urlsafe, 18),
    )
    return Desk(_settings(config), outside)


async def _run(config: HostConfig, journal: Journal, ready: Callable[[dict[str, str]], None]) -> None:
    chain = None
    if config.relay is not None:
        chain = HostWireChain(config.state_dir, wire_key(config.state_dir).public_key_der, journal.warning)
    desk = make_desk(config, journal, chain)

    def relay() -> ListeningRelay | None:
        return None if chain is None else relay_server(
            config,
            decide=desk.decide,
            ended=desk.ended,
            logged_on=desk.logged_on,
            log=journal.info,
            now=int(_now().timestamp()),
            chain=chain.certificates,
            exchange=desk.asks_devices,
        )  # fmt: skip

    await serve_until_stopped(
        desk,
        Door(config.agent.socket, desk.answer, peer_of),
        relay,
        places={"socket": str(config.agent.socket)},
        ready=ready,
        heartbeat_seconds=config.agent.heartbeat_seconds,
        journal=journal,
    )


def _settings(config: HostConfig) -> DeskSettings:
    return DeskSettings(
        release=version("calward"),
        grace_days=config.grace_days,
        deadline_seconds=config.deadline_seconds,
        device_seconds=config.agent.device_seconds,
        store_licenses=config.relay is None or config.relay.store_licenses,
        admit_without_device=config.agent.admit_without_device,
        admit_on_trouble=config.admit_on_trouble,
        has_relay=config.relay is not None,
    )


def _servers(config: HostConfig, journal: Journal) -> Iterator[LicenseServerClient]:
    """Make a client for each server; one whose token cannot be read is asked by nobody, as if it did not answer."""
    checkpoints = HostCheckpoints(config.state_dir, journal.warning)
    for one in config.servers:
        try:
            yield LicenseServerClient(one.address, read_token(one.token_file), checkpoints)
        except LicensingError as error:
            journal.warning(error.detail)


def _memory(config: HostConfig, journal: Journal, turn: Lock, holders: Holders, time_left: TimeLeft) -> StateFolder:
    return StateFolder(
        config.state_dir,
        lost=config.lost,
        complain=journal.warning,
        time_left=time_left,
        holders=holders,
        turn=turn,
    )


def _renew(chain: HostWireChain | None, server: AgentServer, seconds: float) -> None:
    """The first server that gives certificates for the wire does; until then the host's own serve."""
    if chain is not None:
        chain.renew(_now(), partial(server.certificate, seconds=seconds))


def _exempt(config: HostConfig, user: str) -> bool:
    if user in config.exempt_users:
        return True
    return bool(config.exempt_groups) and not config.exempt_groups.isdisjoint(groups_of(user))


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - adapters.system serves the license server.
