"""How is the agent of a session host put together? ``run_agent`` is what ``calward agent run`` runs."""

import asyncio
import secrets
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from calward.adapters.agent_socket import ask_agent, peer_of
from calward.adapters.host_config import DEFAULT_CONFIG, HostConfig, load_host_config, read_token
from calward.adapters.host_known_servers import KnownServers
from calward.adapters.host_peers import client_address
from calward.adapters.host_process import groups_of, log_to_administrator
from calward.adapters.host_state import StateFolder
from calward.adapters.host_wire_chain import HostWireChain
from calward.adapters.ladders import load_ladder
from calward.adapters.license_server_client import LicenseServerClient
from calward.adapters.signing.ed25519 import verify
from calward.app.sessionhost.check_account import CheckAccount, check_account
from calward.app.sessionhost.check_device import CheckDevice, DeviceCheck, DeviceQuestion, DeviceVerdict, check_device
from calward.app.sessionhost.close_session import CloseSession, close_session
from calward.app.sessionhost.heartbeats import MAX_SESSIONS, HeartbeatReport, LiveSession
from calward.app.sessionhost.joins import Joined, Joins
from calward.app.sessionhost.open_session import OpenSession, open_session
from calward.app.sessionhost.policies import host_policy
from calward.app.sessionhost.ports import Complain, HostPolicy
from calward.domain.cals import CalType
from calward.domain.errors import LicensingError, Problem
from calward.domain.grace import Admission, GraceState, HostOutcome
from calward.domain.reasons import Reason
from calward.entrypoints.agent.door import Door
from calward.entrypoints.pam.helper import PamDesk, PamQuestion, answer

__all__ = ["Agent", "agent_status", "run_agent"]

_WORKERS: Final = 16
"""Decisions at a time, of users and of devices each; more wait their turn."""
_HEARTBEAT_ANSWER: Final = 5.0
_DOWN: Final = 30.0
"""Seconds for which a server that did not answer is asked after the others."""
_NO_STATE: Final = GraceState()
_PAM_TEXT: Final = 256


class Agent:
    """What the relay and PAM's helper ask, on one host. Decisions run in threads; the loop only hands them on."""

    def __init__(self, config: HostConfig, complain: Complain) -> None:
        """Raises LicensingError: no such ladder."""
        self._config = config
        self._complain = complain
        self._clients = self._listed()
        self._known = KnownServers(config.state_dir, (one.name for one in self._clients), complain)
        self._ladder = load_ladder(config.agent.ladder)
        self._joins = Joins()
        self._down: dict[str, float] = {}
        self._users = ThreadPoolExecutor(_WORKERS, "user")
        self._devices = ThreadPoolExecutor(_WORKERS, "device")
        self._heartbeats: dict[str, str] = {}
        self.chain: HostWireChain | None = None
        """The certificates for the wire, where this host has a relay."""

    async def decide(self, question: DeviceQuestion) -> DeviceVerdict:
        """Decide about a device within ``device_seconds``; what the relay calls."""
        until = time.monotonic() + self._config.agent.device_seconds
        return await asyncio.get_running_loop().run_in_executor(self._devices, self._decide, question, until)

    def ended(self, connection: str) -> None:
        """Forget a connection; what the relay calls."""
        self._joins.ended(connection)

    def asks_devices(self) -> bool:
        """Whether this host is licensed per device, or has not heard yet what it is."""
        policy = self._policy()
        return policy is None or policy.mode == CalType.PER_DEVICE

    async def answer(self, question: dict[str, Any], pid: int) -> dict[str, Any]:
        """Answer one line of the socket."""
        loop = asyncio.get_running_loop()
        match question:
            case {"ask": "pam", "seconds": int() | float() as seconds}:
                until = time.monotonic() + min(float(seconds), self._config.deadline_seconds)
                return await loop.run_in_executor(self._users, self._pam, question, pid, until)
            case {"ask": "status"}:
                return await loop.run_in_executor(self._users, self._status)
            case _:
                return {"error": "no such question"}

    def beat(self) -> None:
        """Tell each license server what is open here, and hear what it says; takes some seconds at most for each."""
        report = HeartbeatReport(version("calward"), self._sessions()[:MAX_SESSIONS])
        heard: HostPolicy | None = None
        for client in self._clients:
            try:
                said = client.heartbeat(report, seconds=_HEARTBEAT_ANSWER, now=_now())
            except LicensingError as error:
                self._note(client.name, error.detail)
                continue
            self._note(client.name, "")
            self._known.heard(client.name, said)
            self._renew_chain(client)
            heard = heard or said.policy  # The first of the list that answers says what this host is.
        if heard is not None:
            self._keep(heard)

    def _renew_chain(self, client: LicenseServerClient) -> None:
        """The first server that gives certificates for the wire does; until then the host's own serve."""
        if self.chain is None:
            return
        try:
            self.chain.renew(_now(), partial(client.certificate, seconds=_HEARTBEAT_ANSWER))
        except LicensingError as error:
            self._complain(error.detail)

    def stop(self) -> None:
        """Take no more questions; what runs ends by its own time limit."""
        for pool in (self._users, self._devices):
            pool.shutdown(wait=False, cancel_futures=True)

    def _decide(self, question: DeviceQuestion, until: float) -> DeviceVerdict:
        relay = self._config.relay
        command = CheckDevice(
            question, _now(), secrets.token_urlsafe(18), self._config.grace_days, relay is None or relay.store_licenses
        )
        verdict = check_device(
            command,
            servers=self._in_order(),
            memory=self._memory("devices", until),
            check=DeviceCheck(self._known.all(), self._ladder, verify),
            time_left=partial(_left, until),
            complain=self._complain,
        )
        if verdict.admission.outcome is not HostOutcome.REFUSED:
            self._joins.connected(question.connection, Joined(verdict, question.name, command.now))
        self._complain(
            f"device {verdict.device} name={question.name[:32]!a} peer={question.peer} connection={question.connection} "
            f"outcome={verdict.admission.outcome} reasons={','.join(verdict.admission.reasons) or 'none'}"
        )
        return verdict

    def _pam(self, asked: dict[str, Any], pid: int, until: float) -> dict[str, Any]:
        fields = {key: str(asked.get(key, ""))[:_PAM_TEXT] for key in ("stack", "type", "user", "line", "remote")}
        question = PamQuestion(**fields)
        said: list[str] = []
        code = answer(
            question,
            partial(self._desk, question, pid, until),
            now=_now(),
            request_id=secrets.token_urlsafe(18),
            say=said.append,
            complain=self._complain,
        )
        return {"exit": code, "say": said}

    def _desk(self, question: PamQuestion, pid: int, until: float) -> PamDesk:
        memory, left = self._memory("users", until), partial(_left, until)
        connection = question.remote or client_address(pid)
        ask = partial(check_account, memory=memory, time_left=left, complain=self._complain)
        bind = partial(open_session, memory=memory, time_left=left, complain=self._complain)

        def check(command: CheckAccount) -> Admission:
            joined = self._joins.logged_on(command.user, connection)
            policy = host_policy(self._in_order(), memory, command.now, left, self._complain)
            if not command.admin and policy is not None and policy.mode == CalType.PER_DEVICE:
                return self._by_device(joined)
            if command.admin or policy is None or policy.mode == CalType.PER_USER:
                return ask(command, servers=self._in_order())
            return Admission(HostOutcome.GRANTED, None, (), None, _NO_STATE)

        def opened(command: OpenSession) -> None:
            joined = self._joins.opened(command.user, command.line, connection)
            held = joined.verdict.admission.license if joined else None
            bind(replace(command, device_license=held), servers=self._in_order())

        def closed(command: CloseSession) -> None:
            self._joins.closed(command.line)
            close_session(command, memory=memory)

        return PamDesk(check, opened, closed, self._exempt, self._config.grace_days, self._config.admit_on_trouble)

    def _by_device(self, joined: Joined | None) -> Admission:
        """On a host that is licensed per device a user comes in with an admitted device, and confirms it by the logon."""
        if joined is None:
            outcome = HostOutcome.GRANTED if self._config.agent.admit_without_device else HostOutcome.REFUSED
            return Admission(outcome, None, (Reason.DEVICE_UNKNOWN,), None, _NO_STATE)
        held = joined.verdict.admission.license
        if held is not None:  # Also at a reconnection, where no session opens. Nobody waits for it.
            self._users.submit(self._confirm, held.server or "", held.id)
        return joined.verdict.admission

    def _confirm(self, server: str, license_id: str) -> None:
        for client in self._clients:
            if client.name == server:
                try:
                    client.confirm(license_id, seconds=_HEARTBEAT_ANSWER)
                except LicensingError as error:
                    self._complain(error.detail)

    def _sessions(self) -> tuple[LiveSession, ...]:
        found = []
        for user, known in self._memory("users", time.monotonic() + 1).holders():
            for one in known.sessions:
                if _is_gone(one.line, one.opened_at):
                    continue
                joined = self._joins.of_line(one.line)
                device = joined.verdict.device if joined else None
                found.append(LiveSession(one.line, user, one.opened_at, one.license, device))
        return tuple(found)

    def _status(self) -> dict[str, Any]:
        policy = self._policy()
        return {
            "agent": version("calward"),
            "mode": policy.mode if policy else None,
            "version": policy.version if policy else None,
            "servers": [
                {
                    "name": one.name,
                    "heard": self._heartbeats.get(one.name) == "",
                    "trouble": self._heartbeats.get(one.name),
                }
                for one in self._clients
            ],
            "sessions": len(self._sessions()),
            "devices": self._joins.count(),
            "relay": self._config.relay is not None,
        }

    def _policy(self) -> HostPolicy | None:
        return self._memory("users", time.monotonic() + 1).change("", lambda known: (known, known.policy))

    def _keep(self, heard: HostPolicy) -> None:
        memory = self._memory("users", time.monotonic() + 1)
        memory.change("", lambda known: (replace(known, policy=heard), None))

    def _memory(self, holders: str, until: float) -> StateFolder:
        return StateFolder(
            self._config.state_dir,
            lost=self._config.lost,
            complain=self._complain,
            time_left=partial(_left, until),
            holders=holders,
        )

    def _in_order(self) -> list[LicenseServerClient]:
        """The host's list; a server that did not answer just now comes last, so that nobody waits for it first."""
        late = time.monotonic() - _DOWN
        return sorted(self._clients, key=lambda one: self._down.get(one.name, 0.0) > late)

    def _note(self, name: str, trouble: str) -> None:
        if self._heartbeats.get(name, "") != trouble:
            self._complain(trouble or f"license server {name} answers again")
        self._heartbeats[name] = trouble
        if trouble:
            self._down[name] = time.monotonic()
        else:
            self._down.pop(name, None)

    def _exempt(self, user: str) -> bool:
        config = self._config
        if user in config.exempt_users:
            return True
        return bool(config.exempt_groups) and not config.exempt_groups.isdisjoint(groups_of(user))

    def _listed(self) -> list[LicenseServerClient]:
        found = []
        for one in self._config.servers:
            try:
                found.append(LicenseServerClient(one.address, read_token(one.token_file)))
            except LicensingError as error:
                self._complain(error.detail)
        return found


def run_agent(path: Path | None, ready: Callable[[dict[str, str]], None]) -> None:
    """Run until SIGTERM or SIGINT; ``ready`` hears where it listens. Raises LicensingError."""
    asyncio.run(_run(load_host_config(path or DEFAULT_CONFIG), ready))


def agent_status(path: Path | None) -> dict[str, Any]:
    """Ask the running agent how it is; raises LicensingError: UNREACHABLE where none listens."""
    config = load_host_config(path or DEFAULT_CONFIG)
    said = ask_agent(config.agent.socket, {"ask": "status"}, _HEARTBEAT_ANSWER)
    if said is None:
        raise LicensingError(Problem.UNREACHABLE, f"no agent answers at {config.agent.socket}: start calward agent run")
    return said


async def _run(config: HostConfig, ready: Callable[[dict[str, str]], None]) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    agent = Agent(config, log_to_administrator)
    door = Door(config.agent.socket, agent.answer, peer_of)
    await door.open()
    relay = None
    try:
        places = {"socket": str(config.agent.socket)}
        if config.relay is not None:
            from calward.bootstrap_relay import relay_server, wire_key

            public = wire_key(config.state_dir).public_key_der
            chain = agent.chain = HostWireChain(config.state_dir, public, log_to_administrator)
            relay = relay_server(
                config,
                decide=agent.decide,
                ended=agent.ended,
                log=log_to_administrator,
                now=int(_now().timestamp()),
                chain=chain.certificates,
                exchange=agent.asks_devices,
            )
            host, port = await relay.start()
            places["relay"] = f"{host}:{port}"
        ready(places)
        await _beating(agent, config.agent.heartbeat_seconds, stopped)
    except OSError as error:
        raise LicensingError(Problem.UNAVAILABLE, f"the relay cannot listen: {error}") from None
    finally:
        if relay is not None:
            await relay.stop()
        await door.close()
        agent.stop()


async def _beating(agent: Agent, seconds: float, stopped: asyncio.Event) -> None:
    """A heartbeat now and then, until stopped; one at least, and one that has begun comes to its end."""
    with ThreadPoolExecutor(1, "heartbeat") as pool:
        while True:
            beat = asyncio.get_running_loop().run_in_executor(pool, agent.beat)
            waiting = asyncio.ensure_future(stopped.wait())
            both: set[asyncio.Future[Any]] = {beat, waiting}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if beat.done() and (error := beat.exception()) is not None:
                log_to_administrator(f"a heartbeat failed: {error!r}")
            await asyncio.wait({waiting}, timeout=seconds)
            waiting.cancel()
            if stopped.is_set():
                return


def _is_gone(line: str, opened_at: datetime) -> bool:
    """Whether a session's terminal is no more: its leader was killed. One that has just opened may have none yet."""
    if _now() - opened_at < timedelta(minutes=1):
        return False
    if line.startswith(":"):
        return not Path(f"/tmp/.X11-unix/X{line[1:].partition('.')[0]}").exists()  # noqa: S108 - where X servers listen.
    return line.startswith(("pts/", "tty")) and not Path("/dev", line).exists()


def _left(until: float) -> float:
    return until - time.monotonic()


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - adapters.system serves the license server.
