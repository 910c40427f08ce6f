"""What is this session host, by what its license servers have said?"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import partial

from calward.app.sessionhost.ports import Complain, HostMemory, HostPolicy, LicenseServer, Memory, TimeLeft
from calward.domain.errors import LicensingError

__all__ = ["ask_policy", "host_policy"]


def host_policy(
    servers: Iterable[LicenseServer],
    memory: HostMemory,
    now: datetime,
    time_left: TimeLeft,
    complain: Complain,
) -> HostPolicy | None:
    """Give what a server has said of this host; a host that has never heard anything asks now, for a third of the time."""
    known = memory.change("", lambda known: (known, known.policy))
    if known is not None:
        return known
    policy = ask_policy(servers, now, time_left, complain)
    return None if policy is None else memory.change("", partial(_with_policy, policy))


def ask_policy(
    servers: Iterable[LicenseServer], now: datetime, time_left: TimeLeft, complain: Complain
) -> HostPolicy | None:
    """Give what the first server that answers says of this host, within a third of the time."""
    until = time_left() * 2 / 3
    for server in servers:
        try:
            return server.policy(seconds=max(0.0, time_left() - until), now=now)
        except LicensingError as error:
            complain(error.detail)
    return None


def _with_policy(policy: HostPolicy, known: Memory) -> tuple[Memory, HostPolicy]:
    return replace(known, policy=policy), policy
