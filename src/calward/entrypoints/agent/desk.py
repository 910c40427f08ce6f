"""What does the agent of a session host do for whom? The relay, PAM's helper and the heartbeat come to this desk."""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

from calward.app.sessionhost.check_device import (
    CheckDevice,
    DeviceCheck,
    DeviceQuestion,
    DeviceVerdict,
    check_device,
)
from calward.app.sessionhost.forget_holders import forget_holders
from calward.app.sessionhost.heartbeats import MAX_SESSIONS, AgentServer, HeartbeatAnswer, HeartbeatReport
from calward.app.sessionhost.joins import Joined, Joins
from calward.app.sessionhost.live_sessions import live_sessions
from calward.app.sessionhost.ports import HostPolicy
from calward.app.sessionhost.server_health import ServerHealth, WatchedServer
from calward.app.sessionhost.tell_servers import HEARTBEAT_SECONDS, tell_servers
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError
from calward.domain.grace import HostOutcome
from calward.entrypoints.agent.outside import DeskSettings, Holders, HostState, Outside
from calward.entrypoints.agent.pam_desk import PamService
from calward.entrypoints.agent.proving import Proving
from calward.entrypoints.agent.turns import Allowance, Turns
from calward.entrypoints.pam.helper import PamQuestion

__all__ = ["Desk"]

_PAM_TEXT: Final = 256
_NAME: Final = 32
_OWN: Final = 1.0
"""Seconds for what the agent does on its own account with the host's memory."""
_DEVICES_BETWEEN: Final = 256
"""Decisions about devices until the agent looks again how many it remembers: strangers may have made them all up."""
_HOUR: Final = 3600.0


class Desk:
    """Decides in threads; the event loop only hands on."""

    def __init__(self, settings: DeskSettings, outside: Outside) -> None:
        self._settings = settings
        self._outside = outside
        self._journal = outside.journal
        self._health = ServerHealth(outside.journal, time.monotonic)
        self._servers = [WatchedServer(one, self._health) for one in outside.servers]
        self._joins = Joins()
        self._users = Turns("user")
        self._devices = Turns("device")
        self._own = ThreadPoolExecutor(2, "own")
        self._proving = Proving(outside, self._servers)
        self._pam = PamService(settings, outside, self._health, self._servers, self._joins, self._proving)
        self._decided = 0
        self._looked_through = -_HOUR
        self._chain_trouble = ""
        self._mode = self._heard_mode()

    async def decide(self, question: DeviceQuestion) -> DeviceVerdict:
        """Decide about a device within ``device_seconds``; what the relay calls."""
        allowance = Allowance.of(self._settings.device_seconds)
        verdict = await self._devices.serve(partial(self._decide, question), allowance)
        self._decided += 1
        if self._decided % _DEVICES_BETWEEN == 0:
            self._own.submit(self._tidy, Holders.DEVICES)
        return verdict

    def ended(self, connection: str) -> None:
        """Forget a connection; what the relay calls."""
        self._joins.ended(connection)

    def logged_on(self, connection: str) -> None:
        """Prove the device of a connection on which the host has accepted a logon; what the relay calls."""
        joined = self._joins.host_accepted(connection)
        if joined is not None:
            self._journal.debug(
                f"device {joined.verdict.device} connection={connection}: the host has accepted a logon"
            )
            self._proving.later(joined)

    def asks_devices(self) -> bool:
        """Whether this host is licensed per device, or has not heard yet what it is; asked for each connection, so not read anew."""
        return self._mode in (None, CalType.PER_DEVICE)

    async def answer(self, question: dict[str, Any], pid: int) -> dict[str, Any]:
        """Answer one line of the socket."""
        match question:
            case {"ask": "pam", "seconds": int() | float() as seconds}:
                allowance = Allowance.of(max(0.0, min(float(seconds), self._settings.deadline_seconds)))
                fields = {key: str(question.get(key, ""))[:_PAM_TEXT] for key in PamQuestion.__slots__}
                return await self._users.serve(partial(self._pam.answer, PamQuestion(**fields), pid), allowance)
            case {"ask": "status"}:
                return await asyncio.get_running_loop().run_in_executor(self._own, self._status)
            case _:
                return {"error": "no such question"}

    def beat(self) -> None:
        """Tell each license server what is open here, hear what it says, and forget whom nobody needs; takes some seconds."""
        sessions = tuple(live_sessions(self._memory(Holders.USERS), self._outside.is_gone))
        tell_servers(
            HeartbeatReport(self._settings.release, sessions[:MAX_SESSIONS]),
            servers=self._servers,
            memory=partial(self._memory, Holders.USERS),
            health=self._health,
            heard=self._heard,
            now=self._outside.now(),
        )
        self._mode = self._heard_mode()
        hourly = time.monotonic() - self._looked_through >= _HOUR
        for holders in Holders:
            self._tidy(holders, whole=hourly)
        self._looked_through = time.monotonic() if hourly else self._looked_through

    def stop(self) -> None:
        """Take no more questions; what runs ends by its own time limit."""
        self._users.stop()
        self._devices.stop()
        self._proving.stop()
        self._own.shutdown(wait=False, cancel_futures=True)

    def _decide(self, question: DeviceQuestion, allowance: Allowance) -> DeviceVerdict:
        outside, settings = self._outside, self._settings
        command = CheckDevice(question, outside.now(), outside.new_id(), settings.grace_days, settings.store_licenses)
        verdict = check_device(
            command,
            servers=self._health.in_order(self._servers),
            memory=outside.memory(Holders.DEVICES, allowance.to_decide),
            check=DeviceCheck(outside.known(), outside.ladder, outside.verify),
            time_left=allowance.to_ask,
            complain=self._journal.debug,  # That a server is down is said once, by its health; what is presented is anybody's.
        )
        if verdict.admission.outcome is not HostOutcome.REFUSED:
            self._joins.connected(question.connection, Joined(verdict, question.name, command.now, question.user))
        self._mode = self._mode or self._heard_mode()
        self._tell(question, verdict)
        return verdict

    def _tell(self, question: DeviceQuestion, verdict: DeviceVerdict) -> None:
        """The only place where the address that the host sees is told together with the client's own."""
        admission = verdict.admission
        tell = self._journal.debug if admission.outcome is HostOutcome.GRANTED else self._journal.info
        tell(
            f"device {verdict.device} name={question.name[:_NAME]!a} peer={question.peer} "
            f"connection={question.connection} outcome={admission.outcome} reasons={','.join(admission.reasons) or 'none'}"
        )

    def _heard(self, server: AgentServer, answer: HeartbeatAnswer) -> None:
        self._outside.heard(server.name, answer)
        trouble = ""
        try:
            self._outside.renew_chain(server, HEARTBEAT_SECONDS)
        except LicensingError as error:
            trouble = error.detail
        if trouble and trouble != self._chain_trouble:
            self._journal.warning(trouble)
        self._chain_trouble = trouble

    def _tidy(self, holders: Holders, *, whole: bool = False) -> None:
        shelf = self._memory(holders)
        most = self._settings.most[holders]
        if whole or shelf.count() > most:
            forgotten = forget_holders(shelf, self._outside.now(), most=most, is_gone=self._outside.is_gone)
            if forgotten:
                self._journal.info(f"{forgotten} {holders} are remembered no more")

    def _status(self) -> dict[str, Any]:
        policy = self._policy()
        troubles = {one.name: self._health.trouble(one.name) for one in self._servers}
        return {
            "agent": self._settings.release,
            "mode": policy.mode if policy else None,
            "version": policy.version if policy else None,
            "servers": [{"name": name, "heard": said == "", "trouble": said} for name, said in troubles.items()],
            "sessions": sum(1 for _ in live_sessions(self._memory(Holders.USERS), self._outside.is_gone)),
            "devices": self._joins.count(),
            "relay": self._settings.has_relay,
        }

    def _heard_mode(self) -> str | None:
        policy = self._policy()
        return policy.mode if policy else None

    def _policy(self) -> HostPolicy | None:
        return self._memory(Holders.USERS).change("", lambda known: (known, known.policy))

    def _memory(self, holders: Holders) -> HostState:
        return self._outside.memory(holders, lambda: _OWN)
