"""What is done once a user has logged on: bind the license to the session, and hear what the server says of this host."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from calward.app.sessionhost.ports import (
    BoundSession,
    Complain,
    HostMemory,
    HostPolicy,
    LicenseServer,
    Memory,
    TimeLeft,
)
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.domain.heard import HeldLicense

__all__ = ["OpenSession", "open_session"]

_POLICY_FRESH: Final = timedelta(hours=1)
"""How long a host does without asking again: its settings change seldom."""
_POLICY_SECONDS: Final = 0.5
"""A logon waits for it, so it is given up early."""
_SESSIONS_KEPT: Final = 64
"""Sessions remembered for one user: one whose leader was killed never says that it closed."""


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A user has logged on at ``line`` (an X display, a tty).

    ``device`` and ``device_license``: the device that was used for it, by the host's id, and what that device has.
    """

    user: str
    line: str
    now: datetime
    device_license: HeldLicense | None = None
    device: str | None = None


def open_session(
    command: OpenSession,
    *,
    servers: Iterable[LicenseServer],
    memory: HostMemory,
    time_left: TimeLeft,
    complain: Complain,
) -> None:
    """Bind, confirm, refresh; none of it can keep the user out, so nothing is raised.

    A per-user license needs no confirmation: the request was the logon. A per-device one becomes its device's by it.
    """
    known = memory.change(command.user, lambda known: _bound(known, command))
    by_name = {server.name: server for server in servers}
    held = command.device_license or known.last
    if held is not None and held.type is CalType.PER_DEVICE:
        _confirm(held, by_name, time_left(), complain)
    if known.policy is None or abs(command.now - known.policy.heard_at) >= _POLICY_FRESH:
        policy = _ask_policy(by_name.values(), command.now, time_left, complain)
        if policy is not None:
            memory.change(command.user, lambda known: (replace(known, policy=policy), None))


def _bound(known: Memory, command: OpenSession) -> tuple[Memory, Memory]:
    """Add the session; one that was left behind on the same line is gone."""
    held = command.device_license or known.last
    session = BoundSession(command.line, command.now, held.id if held else None, command.device)
    others = tuple(other for other in known.sessions if other.line != command.line)
    known = replace(known, sessions=(*others, session)[-_SESSIONS_KEPT:])
    return known, known


def _confirm(held: HeldLicense, by_name: dict[str, LicenseServer], seconds: float, complain: Complain) -> None:
    server = by_name.get(held.server or "")
    if server is None:
        return
    try:
        server.confirm(held.id, seconds=seconds)
    except LicensingError as error:
        complain(error.detail)


def _ask_policy(
    servers: Iterable[LicenseServer], now: datetime, time_left: TimeLeft, complain: Complain
) -> HostPolicy | None:
    for server in servers:
        try:
            return server.policy(seconds=min(_POLICY_SECONDS, time_left()), now=now)
        except LicensingError as error:
            complain(error.detail)
    return None
