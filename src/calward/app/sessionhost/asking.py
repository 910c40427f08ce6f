"""What do the license servers of a host's list say to one request, within the time there is?"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from calward.app.sessionhost.ports import Complain, LicenseServer, TimeLeft
from calward.domain.errors import LicensingError, Problem
from calward.domain.heard import Heard
from calward.domain.reasons import Reason
from calward.domain.servers import Chosen, choose_server

__all__ = ["Question", "Round", "Said"]

_TOO_SHORT: Final = 0.02
"""Seconds in which no answer can be expected any more."""
_STRANGER: Final = frozenset({Problem.UNAUTHORIZED, Problem.FORBIDDEN})
"""A server that does not know this host has answered: that is no outage."""
_FULL_ONLY: Final = ".full"
"""The first pass asks something else than the second, so its request id is another one."""


class Question(Protocol):
    """Put one request to one server; raises LicensingError where no answer comes in time."""

    def __call__(self, server: LicenseServer, request_id: str, *, full_only: bool, seconds: float) -> Heard:
        """``full_only``: nothing less than a full license is wanted. ``seconds``: all the time there is."""


@dataclass(frozen=True, slots=True)
class Said:
    """The answer that counts, None where no server answers, and the names of all that have answered."""

    chosen: Chosen[LicenseServer] | None
    answered: frozenset[str] = frozenset()

    @property
    def answer(self) -> Heard | None:
        """The answer alone."""
        return self.chosen.answer if self.chosen else None


class Round:
    """One request's way along the list of servers: shares the time among those not yet asked."""

    def __init__(
        self,
        question: Question,
        request_id: str,
        servers: Sequence[LicenseServer],
        time_left: TimeLeft,
        complain: Complain,
    ) -> None:
        self._question = question
        self._request_id = request_id
        self._servers = servers
        self._not_yet_asked = len(servers)
        self._time_left = time_left
        self._complain = complain
        self._answered: set[str] = set()
        self._asked_again: set[str] = set()

    def ask_all(self) -> Said:
        """Go along the list; see ``choose_server``."""
        chosen = choose_server(self._servers, self._ask)
        return Said(chosen, frozenset(self._answered))

    def _ask(self, server: LicenseServer, full_only: bool) -> Heard | None:  # noqa: FBT001 - the shape of `servers.Ask`.
        if not full_only and self._answered:  # Once more, those that have answered: see ``choose_server``.
            self._not_yet_asked = len(self._answered - self._asked_again)
            self._asked_again.add(server.name)
        share = self._time_left() / max(1, self._not_yet_asked)
        self._not_yet_asked -= 1
        if share < _TOO_SHORT:
            self._complain(f"no time was left to ask license server {server.name}")
            return None
        try:
            answer = self._answer(server, full_only=full_only, seconds=share)
        except LicensingError as error:
            self._complain(error.detail)
            if error.problem not in _STRANGER:
                return None
            answer = Heard(None, (Reason.HOST_NOT_AUTHORIZED,))
        self._answered.add(server.name)
        return answer

    def _answer(self, server: LicenseServer, *, full_only: bool, seconds: float) -> Heard:
        """Ask; a server that cannot say whether it has kept the answer is asked once more under the same id."""
        request_id = self._request_id + _FULL_ONLY * full_only
        until = self._time_left() - seconds
        try:
            return self._question(server, request_id, full_only=full_only, seconds=seconds)
        except LicensingError as error:
            left = self._time_left() - until
            if error.problem is not Problem.UNAVAILABLE or left < _TOO_SHORT:
                raise
            return self._question(server, request_id, full_only=full_only, seconds=left)
