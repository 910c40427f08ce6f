"""Which license servers of a host's list answer now? One that did not is asked after the others for a while."""

from collections.abc import Callable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final, TypeVar

from calward.app.sessionhost.heartbeats import AgentServer, HeartbeatAnswer, HeartbeatReport, WireChain
from calward.app.sessionhost.ports import HostPolicy, Journal
from calward.domain.errors import LicensingError, Problem
from calward.domain.heard import Heard

__all__ = ["ServerHealth", "WatchedServer"]

T = TypeVar("T")

_AFTER_THE_OTHERS: Final = 30.0
"""Seconds for which a server that did not answer is asked last."""
_FAIR: Final = 0.25
"""Seconds: a server that had less time than this has not been shown to be down."""
_NO_LICENSE: Final = frozenset({Problem.UNREACHABLE, Problem.UNAVAILABLE})
"""How a server fails that gives no usable answer to a request; everything else is an answer, though perhaps an unwelcome one."""
_NO_ANSWER: Final = frozenset({Problem.UNREACHABLE})
"""How it fails to any other question: one of an earlier release may give licenses and not know what a heartbeat is."""


@dataclass(slots=True)
class _Seen:
    """``silent``: why it counts as down, empty while it does not. ``said``: its trouble at the last heartbeat, None before."""

    silent: str = ""
    silent_at: float = 0.0
    said: str | None = None


class ServerHealth:
    """Used by several threads; tells the journal when a server goes down and when it is back, not each time it is asked."""

    def __init__(self, journal: Journal, clock: Callable[[], float]) -> None:
        """``clock``: seconds that only grow."""
        self._journal = journal
        self._clock = clock
        self._lock = Lock()
        self._seen: dict[str, _Seen] = {}

    def in_order(self, servers: Iterable[AgentServer]) -> list[AgentServer]:
        """The list in its order; servers that did not answer just now come last, so that nobody waits for them first."""
        late = self._clock() - _AFTER_THE_OTHERS
        with self._lock:
            last = {name for name, seen in self._seen.items() if seen.silent and seen.silent_at > late}
        return sorted(servers, key=lambda one: one.name in last)

    def answered(self, name: str) -> None:
        """Note an answer, whatever it was."""
        with self._lock:
            seen = self._of(name)
            back, seen.silent = bool(seen.silent), ""
        if back:
            self._journal.info(f"license server {name} answers again")

    def silent(self, name: str, why: str) -> None:
        """Note that no usable answer came in time."""
        with self._lock:
            seen = self._of(name)
            new, seen.silent, seen.silent_at = not seen.silent, why, self._clock()
        if new:
            self._journal.warning(f"{why}: it is asked after the others for {_AFTER_THE_OTHERS:.0f} seconds")

    def heartbeat(self, name: str, error: LicensingError | None) -> None:
        """Note how a heartbeat ended; that no answer came has been noted where it was asked for."""
        if error is not None and error.problem in _NO_ANSWER:
            return
        trouble = error.detail if error else ""
        with self._lock:
            seen = self._of(name)
            new, seen.said = (seen.said or "") != trouble, trouble
        if new and trouble:
            self._journal.warning(trouble)

    def trouble(self, name: str) -> str | None:
        """What is wrong with a server; empty: nothing, None: no heartbeat has been tried yet."""
        with self._lock:
            seen = self._of(name)
            return seen.silent or seen.said

    def _of(self, name: str) -> _Seen:
        return self._seen.setdefault(name, _Seen())


class WatchedServer:
    """A license server of which every question is noted by ``ServerHealth``, the answer or its want."""

    def __init__(self, server: AgentServer, health: ServerHealth) -> None:
        self._server = server
        self._health = health

    @property
    def name(self) -> str:
        """The server's own."""
        return self._server.name

    def request_for_user(self, user: str, request_id: str, *, full_only: bool, seconds: float) -> Heard:
        """See ``LicenseServer``."""
        ask = self._server.request_for_user
        return self._noted(seconds, lambda: ask(user, request_id, full_only=full_only, seconds=seconds), _NO_LICENSE)

    def request_for_device(
        self, name: str, hardware_id: str, request_id: str, *, full_only: bool, seconds: float
    ) -> Heard:
        """See ``LicenseServer``."""
        ask = self._server.request_for_device
        return self._noted(
            seconds, lambda: ask(name, hardware_id, request_id, full_only=full_only, seconds=seconds), _NO_LICENSE
        )

    def confirm(self, license_id: str, *, seconds: float) -> None:
        """See ``LicenseServer``."""
        self._noted(seconds, lambda: self._server.confirm(license_id, seconds=seconds))

    def policy(self, *, seconds: float, now: datetime) -> HostPolicy:
        """See ``LicenseServer``."""
        return self._noted(seconds, lambda: self._server.policy(seconds=seconds, now=now))

    def heartbeat(self, report: HeartbeatReport, *, seconds: float, now: datetime) -> HeartbeatAnswer:
        """See ``AgentServer``."""
        return self._noted(seconds, lambda: self._server.heartbeat(report, seconds=seconds, now=now))

    def certificate(self, public_key: bytes, *, seconds: float) -> WireChain:
        """See ``AgentServer``."""
        return self._noted(seconds, lambda: self._server.certificate(public_key, seconds=seconds))

    def _noted(self, seconds: float, ask: Callable[[], T], silent: AbstractSet[Problem] = _NO_ANSWER) -> T:
        try:
            answer = ask()
        except LicensingError as error:
            if error.problem not in silent:
                self._health.answered(self.name)
            elif seconds >= _FAIR:
                self._health.silent(self.name, error.detail)
            raise
        self._health.answered(self.name)
        return answer
