"""What does the agent answer PAM's helper? The same as the helper alone, and it knows the devices that users come with."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from calward.app.sessionhost.check_account import CheckAccount
from calward.app.sessionhost.check_logon import check_logon
from calward.app.sessionhost.close_session import close_session
from calward.app.sessionhost.heartbeats import AgentServer
from calward.app.sessionhost.joins import Callers, Joins
from calward.app.sessionhost.open_session import OpenSession, open_session
from calward.app.sessionhost.server_health import ServerHealth
from calward.domain.grace import Admission
from calward.entrypoints.agent.outside import DeskSettings, Holders, Outside
from calward.entrypoints.agent.proving import Proving
from calward.entrypoints.agent.turns import Allowance
from calward.entrypoints.pam.helper import PamDesk, PamQuestion, answer

__all__ = ["PamService"]


class PamService:
    """Answers one question of PAM at a time for each thread that asks."""

    def __init__(
        self,
        settings: DeskSettings,
        outside: Outside,
        health: ServerHealth,
        servers: Sequence[AgentServer],
        joins: Joins,
        proving: Proving,
    ) -> None:
        self._settings = settings
        self._outside = outside
        self._health = health
        self._servers = servers
        self._joins = joins
        self._proving = proving

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

    def _desk(self, question: PamQuestion, pid: int, allowance: Allowance) -> PamDesk:
        memory = self._outside.memory(Holders.USERS, allowance.to_decide)
        callers = Callers(frozenset({question.remote})) if question.remote else self._outside.callers(pid)
        journal, settings = self._outside.journal, self._settings

        def check(command: CheckAccount) -> Admission:
            joined = self._joins.logged_on(command.user, callers)
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
                self._proving.later(joined)  # Also at a reconnection, where no session opens.
                if not joined.certain:
                    journal.info(f"user {command.user!a} has logged on beside others: which device it was is not known")
            return admission

        def opened(command: OpenSession) -> None:
            joined = self._joins.opened(command.user, callers)
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
