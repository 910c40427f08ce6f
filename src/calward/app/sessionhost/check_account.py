"""May this user log on to this session host?"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from calward.app.sessionhost.ports import Complain, HostMemory, LicenseServer, Memory, TimeLeft
from calward.domain.errors import LicensingError, Problem
from calward.domain.grace import Admission, admit
from calward.domain.heard import Heard
from calward.domain.reasons import Reason
from calward.domain.servers import Chosen, choose_server
from calward.domain.settings import Settings

__all__ = ["CheckAccount", "check_account"]

_TOO_SHORT: Final = 0.02
"""Seconds in which no answer can be expected any more."""
_STRANGER: Final = frozenset({Problem.UNAUTHORIZED, Problem.FORBIDDEN})
"""A server that does not know this host has answered: that is no outage."""
_FULL_ONLY: Final = ".full"
"""The first pass asks something else than the second, so its request id is another one."""


@dataclass(frozen=True, slots=True)
class CheckAccount:
    """A logon. ``grace_days`` None: as the license server says, else the usual; ``admin``: needs no CAL.

    ``request_id`` is new for each logon. One that got no answer needs no second try with the same id: for the same user the
    server gives the same license again.
    """

    user: str
    now: datetime
    request_id: str
    admin: bool = False
    grace_days: int | None = None


def check_account(
    command: CheckAccount,
    *,
    servers: Sequence[LicenseServer],
    memory: HostMemory,
    time_left: TimeLeft,
    complain: Complain,
) -> Admission:
    """Ask the license servers in time, decide, remember. Takes no longer than ``time_left`` and never raises.

    The servers are asked before the memory is opened: one logon that waits for a server does not hold up the others.
    """
    chosen = None if command.admin else _Round(command, servers, time_left, complain).ask_all()

    def decide(known: Memory) -> tuple[Memory, Admission]:
        admission = _admission(command, chosen, known)
        return _remember(known, admission, answered=chosen is not None), admission

    return memory.change(command.user, decide)


def _admission(command: CheckAccount, chosen: Chosen[LicenseServer] | None, known: Memory) -> Admission:
    answer = chosen.answer if chosen else None
    grace_days = _grace_days(command, known)
    return admit(answer, known.last, known.grace, grace_days, command.now, admin=command.admin)


def _grace_days(command: CheckAccount, known: Memory) -> int:
    """The host's own setting wins, then what the license server said of the host, then the usual."""
    if command.grace_days is not None:
        return command.grace_days
    return known.policy.grace_days if known.policy else Settings().grace_days


def _remember(known: Memory, admission: Admission, *, answered: bool) -> Memory:
    """Keep the newest answer of a server, also a "no": it takes back the license in hand."""
    last = admission.license if answered else known.last
    return replace(known, grace=admission.state, last=last)


class _Round:
    """One logon's way along the list of servers: shares the time among those not yet asked."""

    def __init__(
        self, command: CheckAccount, servers: Iterable[LicenseServer], time_left: TimeLeft, complain: Complain
    ) -> None:
        self._command = command
        self._servers = list(servers)
        self._not_yet_asked = len(self._servers)
        self._time_left = time_left
        self._complain = complain

    def ask_all(self) -> Chosen[LicenseServer] | None:
        """Give the answer that counts, None where no server answers."""
        return choose_server(self._servers, self._ask)

    def _ask(self, server: LicenseServer, full_only: bool) -> Heard | None:  # noqa: FBT001 - the shape of `servers.Ask`.
        share = self._time_left() / max(1, self._not_yet_asked)
        self._not_yet_asked -= 1
        if share < _TOO_SHORT:
            self._complain(f"no time was left to ask license server {server.name}")
            return None
        try:
            return self._answer(server, full_only=full_only, seconds=share)
        except LicensingError as error:
            self._complain(error.detail)
            return Heard(None, (Reason.HOST_NOT_AUTHORIZED,)) if error.problem in _STRANGER else None

    def _answer(self, server: LicenseServer, *, full_only: bool, seconds: float) -> Heard:
        """Ask; a server that cannot say whether it has kept the answer is asked once more under the same id."""
        user, request_id = self._command.user, self._command.request_id + _FULL_ONLY * full_only
        until = self._time_left() - seconds
        try:
            return server.request_for_user(user, request_id, full_only=full_only, seconds=seconds)
        except LicensingError as error:
            left = self._time_left() - until
            if error.problem is not Problem.UNAVAILABLE or left < _TOO_SHORT:
                raise
            return server.request_for_user(user, request_id, full_only=full_only, seconds=left)
