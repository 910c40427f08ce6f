"""What does the agent answer PAM's helper? The same as the helper alone, and it knows the devices that users come with."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from threading import BoundedSemaphore
from typing import Any, Final

from calward.app.sessionhost.check_account import CheckAccount
from calward.app.sessionhost.check_logon import check_logon
from calward.app.sessionhost.close_session import close_session
from calward.app.sessionhost.heartbeats import AgentServer
from calward.app.sessionhost.joins import Joined, Joins
from calward.app.sessionhost.open_session import OpenSession, open_session
from calward.app.sessionhost.server_health import ServerHealth
from calward.domain.errors import LicensingError
from calward.domain.grace import Admission
from calward.entrypoints.agent.outside import DeskSettings, Holders, Outside
from calward.entrypoints.agent.turns import Allowance
from calward.entrypoints.pam.helper import PamDesk, PamQuestion, answer

__all__ = ["PamService"]

_CONFIRMING: Final = 4
_CONFIRM_SECONDS: Final = 5.0
"""Nobody waits for it."""
_CONFIRMATIONS: Final = 256
"""That may stand in line; the next logon confirms what one too many does not."""


class PamService:
    """Answers one question of PAM at a time for each thread that asks."""

    def __init__(
        self,
        settings: DeskSettings,
        outside: Outside,
        health: ServerHealth,
        servers: Sequence[AgentServer],
        joins: Joins,
    ) -> None:
        self._settings = settings
        self._outside = outside
        self._health = health
        self._servers = servers
        self._joins = joins
        self._confirming = ThreadPoolExecutor(_CONFIRMING, "confirm")
        self._room = BoundedSemaphore(_CONFIRMATIONS)

    def answer(self, question: PamQuestion, pid: int, allowance: Allowance) -> dict[str, Any]:
        """Give PAM's exit code and what the user is to read; ``pid`` is the helper's process."""
        said: list[str] = []
        code = answer(
            question,
            partial(self._desk, question, pid, allowance),
            now=self._outside.now(),
            request_id=self._outside.new_id(),
            say=said.append,
            tell=self._outside.journal.info,
            complain=self._outside.journal.warning,
        )
        return {"exit": code, "say": said}

    def stop(self) -> None:
        """Begin no more confirmations."""
        self._confirming.shutdown(wait=False, cancel_futures=True)

    def _desk(self, question: PamQuestion, pid: int, allowance: Allowance) -> PamDesk:
        memory = self._outside.memory(Holders.USERS, allowance.to_decide)
        connection = question.remote or self._outside.client_address(pid)
        journal, settings = self._outside.journal, self._settings

        def check(command: CheckAccount) -> Admission:
            joined = self._joins.logged_on(command.user, connection)
            admission = check_logon(
                command,
                joined,
                servers=self._health.in_order(self._servers),
                memory=memory,
                time_left=allowance.to_ask,
                complain=journal.debug,
                admit_without_device=settings.admit_without_device,
            )
            if joined is not None and admission is joined.verdict.admission:
                self._confirm_later(joined)  # Also at a reconnection, where no session opens.
            return admission

        def opened(command: OpenSession) -> None:
            joined = self._joins.opened(command.user, connection)
            if joined is not None:
                held = joined.verdict.admission.license
                command = replace(command, device=joined.verdict.device, device_license=held)
            open_session(
                command,
                servers=self._health.in_order(self._servers),
                memory=memory,
                time_left=allowance.to_ask,
                complain=journal.info,
            )

        closed = partial(close_session, memory=memory)
        return PamDesk(
            check, opened, closed, self._outside.exempt, settings.grace_days, admit_on_trouble=settings.admit_on_trouble
        )

    def _confirm_later(self, joined: Joined) -> None:
        if joined.verdict.admission.license is not None and self._room.acquire(blocking=False):
            self._confirming.submit(self._confirm, joined).add_done_callback(lambda _: self._room.release())

    def _confirm(self, joined: Joined) -> None:
        """Prove the device to the server that gave its license, and to this host's own memory."""
        held = joined.verdict.admission.license
        server = next((one for one in self._servers if held is not None and one.name == held.server), None)
        if held is not None and server is not None:
            try:
                server.confirm(held.id, seconds=_CONFIRM_SECONDS)
            except LicensingError as error:
                self._outside.journal.info(error.detail)
        memory = self._outside.memory(Holders.DEVICES, lambda: _CONFIRM_SECONDS)
        memory.change(joined.verdict.device or "", lambda known: (replace(known, proven=True), None))
