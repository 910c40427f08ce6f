"""What is to be known of this session host before anybody can say what is wrong with it? Looks only; changes nothing."""

import os
import pwd
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from calward.adapters.ladders import load_ladder
from calward.adapters.sessionhost.agent_socket import ask_agent
from calward.adapters.sessionhost.config import DEFAULT_CONFIG, HostConfig, ListedServer, load_host_config, read_token
from calward.adapters.sessionhost.inquiry import ask_servers
from calward.adapters.sessionhost.surroundings import listening, pam_lines, relay_facts, state_facts
from calward.app.sessionhost.diagnosis.facts import AgentFacts, HostFacts, TokenFacts, TokenState
from calward.domain.codes import ADMIN_PREFIX, HOST_PREFIX
from calward.domain.errors import LicensingError, Problem

__all__ = ["gather_facts"]

_AGENT: Final = 2.0
"""Seconds for the agent's answer."""
_OTHERS: Final = 0o077
_KINDS: Final = {HOST_PREFIX: "a session host's", ADMIN_PREFIX: "an administrator's"}


def gather_facts(settings: Path, pam_folder: Path) -> HostFacts:
    """Gather all of it, within ten seconds whatever the license servers do. Raises nothing that is expected."""
    facts = HostFacts(
        settings=settings,
        settings_named=settings != DEFAULT_CONFIG,
        now=datetime.now(UTC).replace(microsecond=0),  # noqa: TID251 - adapters.system serves the license server.
        user=_user(),
        release=version("calward"),
        pam_folder=pam_folder,
        pam=tuple(pam_lines(pam_folder)),
        listening=listening(),
    )
    try:
        config = load_host_config(settings)
        ladder = load_ladder(config.agent.ladder)
    except LicensingError as error:
        if error.problem is Problem.NOT_FOUND and not settings.exists():
            return replace(facts, settings_missing=True)
        return replace(facts, settings_trouble=error.detail)
    return replace(
        facts,
        servers=ask_servers([(one, *_token(one)) for one in config.servers]),
        deadline_seconds=config.deadline_seconds,
        grace_days=config.grace_days,
        admits_without_device=config.agent.admit_without_device,
        ladder=ladder,
        agent=_agent(config),
        relay=relay_facts(config, facts.pam_folder),
        state=state_facts(config.state_dir, facts.user),
    )


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"user {os.geteuid()}"


def _token(server: ListedServer) -> tuple[TokenFacts, str | None]:
    """What is to be said of a token's file, and the token, where it may be used."""
    path = server.token_file
    if path is None:
        return TokenFacts(TokenState.NOT_NAMED), None
    try:
        state = path.stat()
        written = datetime.fromtimestamp(state.st_mtime, UTC)
        if state.st_mode & _OTHERS:
            return TokenFacts(TokenState.OPEN, path, written_at=written), None
        with path.open("rb"):
            pass
        token = read_token(path) or ""
    except FileNotFoundError:
        return TokenFacts(TokenState.MISSING, path), None
    except OSError:
        return TokenFacts(TokenState.UNREADABLE, path), None
    except LicensingError:
        return TokenFacts(TokenState.EMPTY, path), None
    kind = next((words for prefix, words in _KINDS.items() if token.startswith(prefix)), "an unknown")
    return TokenFacts(TokenState.USABLE, path, kind, written), token


def _agent(config: HostConfig) -> AgentFacts:
    path = config.agent.socket
    said = ask_agent(path, {"ask": "status"}, _AGENT)
    if said is None:
        return AgentFacts(path, answers=False, there=os.path.lexists(path))
    servers = tuple(_heard(one) for one in said.get("servers") or () if isinstance(one, dict))
    return AgentFacts(path, answers=True, there=True, release=str(said.get("agent")), servers=servers)


def _heard(one: dict[str, Any]) -> tuple[str, str]:
    return str(one.get("name")), str(one.get("trouble") or "")
