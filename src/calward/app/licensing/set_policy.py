"""Set what holds for a group of session hosts: their license servers in order, and their mode."""

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from calward.app.licensing.acts import Done, write_act
from calward.app.registry import Policy, RegistryBook
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.events import Kind
from calward.domain.names import check_group
from calward.domain.this_machine import is_loopback

__all__ = ["RemovePolicy", "SetPolicy", "remove_policy", "set_policy"]

MOST_SERVERS: Final = 16
LONGEST_ADDRESS: Final = 300
_PLAIN: Final = re.compile(r"[A-Za-z0-9._~:/\[\]%-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class SetPolicy:
    """The whole policy of a group, and who sets it."""

    group: str
    by: str
    mode: CalType | None = None
    servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemovePolicy:
    """A policy by its group, and who asks."""

    group: str
    by: str


def set_policy(command: SetPolicy, book: RegistryBook, *, now: int) -> Policy:
    """Store a policy in place of the group's earlier one; raises LicensingError(MALFORMED)."""
    policy = Policy(check_group(command.group), command.mode, _checked(command.servers))
    book.registry.put_policy(policy)
    facts = {"group": policy.group, "mode": policy.mode.value if policy.mode else None, "servers": list(policy.servers)}
    write_act(book, Kind.POLICY, now, command.by, **facts)
    return policy


def remove_policy(command: RemovePolicy, book: RegistryBook, *, now: int) -> Done:
    """Let the group's hosts use their own values again; raises LicensingError: NOT_FOUND, MALFORMED."""
    if book.registry.policy(check_group(command.group)) is None:
        detail = f"no policy for a group {command.group!r} is set"
        raise LicensingError(Problem.NOT_FOUND, detail, field="group")
    book.registry.remove_policy(command.group)
    return Done("removed", write_act(book, Kind.POLICY, now, command.by, group=command.group, removed=True))


def _checked(servers: tuple[str, ...]) -> tuple[str, ...]:
    if len(servers) > MOST_SERVERS or len(set(servers)) != len(servers):
        detail = f"servers must be at most {MOST_SERVERS} addresses, each once"
        raise LicensingError(Problem.MALFORMED, detail, field="servers")
    for address in servers:
        _check_address(address)
    return servers


def _check_address(address: str) -> None:
    detail = "each of servers must be an address like https://licenses.example, or http:// on this machine"
    if len(address) > LONGEST_ADDRESS or not _PLAIN.fullmatch(address):
        raise LicensingError(Problem.MALFORMED, detail, field="servers")
    try:
        found = urlsplit(address)
        host, _port = found.hostname or "", found.port
    except ValueError:
        raise LicensingError(Problem.MALFORMED, detail, field="servers") from None
    safe = found.scheme == "https" or (found.scheme == "http" and is_loopback(host))
    if not (safe and host):
        raise LicensingError(Problem.MALFORMED, detail, field="servers")
