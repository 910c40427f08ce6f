"""The relay as a process: real sockets, real decisions by the license server, wired from ``/etc/calward/host.toml``.

``python -m tests.support.relay_program`` in a room. It has no socket for PAM: who has logged on is confirmed by the test.
"""

import asyncio
import secrets
import sys
import time
from datetime import UTC, datetime

from calward.adapters.host_config import DEFAULT_CONFIG, load_host_config, read_token
from calward.adapters.host_state import StateFolder
from calward.adapters.ladders import load_ladder
from calward.adapters.license_server_client import LicenseServerClient
from calward.adapters.signing.ed25519 import verify
from calward.app.sessionhost.check_device import CheckDevice, DeviceCheck, DeviceQuestion, DeviceVerdict, check_device
from calward.app.sessionhost.heartbeats import HeartbeatReport
from calward.bootstrap_relay import relay_server, wire_key
from calward.domain.issued_license import KnownServer
from calward.ladders import DEFAULT_LADDER


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


class Decider:
    """Asks the license server about each device, as the agent does."""

    def __init__(self) -> None:
        self.config = load_host_config(DEFAULT_CONFIG)
        [listed] = self.config.servers
        self.server = LicenseServerClient(listed.address, read_token(listed.token_file))
        heard = self.server.heartbeat(HeartbeatReport("test", ()), seconds=3, now=now())
        self.known = KnownServer(self.server.name, heard.server_id, frozenset(heard.license_keys), heard.revoked)
        self.ladder = load_ladder(DEFAULT_LADDER)

    def decide(self, question: DeviceQuestion) -> DeviceVerdict:
        until = time.monotonic() + 2.5

        def time_left() -> float:
            return until - time.monotonic()

        memory = StateFolder(
            self.config.state_dir, lost=self.config.lost, complain=say, time_left=time_left, holders="devices"
        )
        store = self.config.relay is None or self.config.relay.store_licenses
        verdict = check_device(
            CheckDevice(question, now(), secrets.token_urlsafe(18), self.config.grace_days, store),
            servers=[self.server],
            memory=memory,
            check=DeviceCheck([self.known], self.ladder, verify),
            time_left=time_left,
            complain=say,
        )
        shown = "something" if question.presented else "nothing"
        say(f"{question.name}: presents {shown}, {verdict.admission.outcome}, stores {bool(verdict.token)}")
        return verdict


def now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


async def serve(decider: Decider) -> None:
    key = wire_key(decider.config.state_dir)
    chain = decider.server.certificate(key.public_key_der, seconds=3).chain
    relay = relay_server(
        decider.config,
        decide=lambda question: asyncio.to_thread(decider.decide, question),
        ended=lambda connection: say(f"ended {connection}"),
        log=say,
        now=int(time.time()),
        chain=lambda: chain,
    )
    await relay.start()
    say("relay is ready")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Decider()))
