"""A relay on real sockets with a host behind it that speaks as xrdp does, and clients that talk to it in whole packets."""

import asyncio
import functools
import secrets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from calward.app.sessionhost.check_device import DeviceQuestion, DeviceVerdict
from calward.domain.grace import Admission, GraceState, HostOutcome
from calward.entrypoints.relay import Limits, Outside, RelayServer, RelaySettings
from calward.entrypoints.relay.connection import Connection
from calward.wire.rdp.mcs import ChannelJoinConfirm, ChannelJoinRequest, SendDataRequest, decode
from calward.wire.rdpele.client_session import Answered, ClientSession, Step
from calward.wire.relay import HostSecurity, Terms
from tests.support import relayed

__all__ = [
    "GRANT",
    "Client",
    "FakeHost",
    "Trial",
    "contexts",
    "echoed",
    "on_loop",
    "packet",
    "relay_running",
    "self_signed",
    "verdict",
]


def verdict(*, granted: bool = True, token: bytes | None = None) -> DeviceVerdict:
    outcome = HostOutcome.GRANTED if granted else HostOutcome.REFUSED
    return DeviceVerdict(Admission(outcome, None, (), None, GraceState()), token)


GRANT = functools.partial(verdict, token=b"a license")


def on_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Let a test run on a loop of its own, a minute at most."""

    @functools.wraps(test)
    def run(**fixtures: object) -> None:
        async def limited() -> None:
            async with asyncio.timeout(60):
                await test(**fixtures)

        asyncio.run(limited())

    return run


async def echoed(client: "Client", data: bytes) -> bytes:
    async def send() -> None:
        client.writer.write(data)
        await client.writer.drain()

    sending = asyncio.create_task(send())
    found = await client.reader.readexactly(len(data))
    await sending
    return found


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Certificate and key as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host.test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 7, now - timedelta(1), now + timedelta(30))
    certificate, private = folder / "tls.pem", folder / "tls.key"
    certificate.write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return certificate, private


def contexts(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*self_signed(folder))
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname, client.verify_mode = False, ssl.CERT_NONE
    return server, client


@dataclass
class FakeHost:
    """As xrdp 0.9: licensing that waits for any answer, then echoes whatever comes. ``peers``: who connected."""

    tls: ssl.SSLContext | None = None
    peers: list[str] = field(default_factory=list)
    infos: int = 0
    slow: float = 0.0
    """Seconds before its TLS handshake."""
    live: set[asyncio.Task[None]] = field(default_factory=set)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self.live.add(task)
        self.peers.append(writer.get_extra_info("peername")[0])
        try:
            await self._serve(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.live.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await packet(reader)
        writer.write(relayed.confirm(relayed.Protocol.SSL if self.tls else relayed.Protocol.RDP))
        if self.tls:
            writer.transport.pause_reading()  # type: ignore[attr-defined] # What comes early waits in the socket.
            await asyncio.sleep(self.slow)
            await writer.start_tls(self.tls)
        await packet(reader)
        writer.write(relayed.connect_response())
        await packet(reader)
        await packet(reader)
        writer.write(relayed.ATTACHED)
        while isinstance(pdu := decode(await packet(reader)), ChannelJoinRequest):
            writer.write(ChannelJoinConfirm(pdu.user, pdu.channel, pdu.channel).encode())
        assert isinstance(pdu, SendDataRequest)
        assert pdu.data[:4] == bytes.fromhex("40000000")
        self.infos += 1
        writer.write(relayed.from_host(relayed.licensing(bytes.fromhex("01023e01") + bytes(314))))
        answer = b""
        while b"\x80\x00\x00\x00" not in answer:  # Whoever is licensed may say more before we are answered.
            answer = await packet(reader)
        writer.write(relayed.from_host(relayed.licensing(relayed.VALID)) + relayed.from_host(relayed.DEMAND_ACTIVE))
        await self.after_licensing(reader, writer)

    async def after_licensing(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1 << 18):
            writer.write(data)
            await writer.drain()


async def packet(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(4)
    return head + await reader.readexactly(int.from_bytes(head[2:], "big") - 4)


@dataclass
class Client:
    """A client that gets through, or reads why not."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    licensing: ClientSession
    name: str
    outcome: Step | None = None
    """How licensing ended."""

    @classmethod
    async def begin(
        cls,
        port: int,
        tls: ssl.SSLContext,
        *,
        name: str = "PC1",
        stored: bytes | None = None,
        address: str = "127.0.0.1",
    ) -> "Client":
        """Connect from an address, negotiate and set up TLS."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
        writer.write(relayed.CR)
        await packet(reader)
        await writer.start_tls(tls)
        return cls(reader, writer, relayed.licensing_client(name, stored=stored), name)

    async def connect(self) -> None:
        """Join channels and carry out licensing, up to its end."""
        for sent, answered in (
            (relayed.connect_initial(self.name), True),
            (relayed.ERECT, False),
            (relayed.ATTACH, True),
            (relayed.JOIN, True),
            (relayed.client_info(), False),
        ):
            self.writer.write(sent)
            if answered:
                await packet(self.reader)
        while isinstance(step := self.licensing.receive(relayed.message_of(await packet(self.reader))), Answered):
            self.writer.write(relayed.send(relayed.USER, relayed.IO, relayed.licensing(step.send)))
        self.outcome = step

    async def get_through(self) -> None:
        """Connect, and wait for the host's first word after licensing."""
        await self.connect()
        assert await packet(self.reader) == relayed.from_host(relayed.DEMAND_ACTIVE)

    async def close(self) -> None:
        self.writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


@dataclass
class Trial:
    """What runs, and what it has told."""

    port: int
    host: FakeHost
    tls: ssl.SSLContext
    relay: RelayServer
    questions: list[DeviceQuestion] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def client(self, *, address: str = "127.0.0.1") -> Client:
        return await Client.begin(self.port, self.tls, address=address)

    @property
    def connections(self) -> list[Connection]:
        """Those that the relay carries now."""
        return [*self.relay._running.values()]

    async def until(self, true: Callable[[], bool]) -> None:
        """Let everybody go on until it is so; the test's own time is the limit."""
        while not true():  # noqa: ASYNC110 - What is waited for are states of sockets, which no event tells.
            await asyncio.sleep(0.001)


@asynccontextmanager
async def relay_running(
    folder: Path,
    decide: Callable[[DeviceQuestion], DeviceVerdict | Awaitable[DeviceVerdict]],
    *,
    security: HostSecurity = HostSecurity.PLAIN,
    limits: Limits | None = None,
    host: FakeHost | None = None,
    terms: Callable[[], Terms] | None = None,
) -> AsyncIterator[Trial]:
    server_tls, client_tls = contexts(folder)
    host = host or FakeHost()
    host.tls = server_tls if security is HostSecurity.TLS else None
    behind = await asyncio.start_server(host, "127.0.0.1", 0, backlog=1024)

    async def ask(question: DeviceQuestion) -> DeviceVerdict:
        trial.questions.append(question)
        found = decide(question)
        return found if isinstance(found, DeviceVerdict) else await found

    settings = RelaySettings(
        ("127.0.0.1", 0),
        ("127.0.0.1", behind.sockets[0].getsockname()[1]),
        terms or (lambda: relayed.terms(security)),
        server_tls,
        client_tls if security is HostSecurity.TLS else None,
        limits or Limits(),
    )

    def ended(connection: str) -> None:
        trial.ended.append(connection)
        trial.over.set()

    logged: list[str] = []
    logged_on: list[str] = []
    relay = RelayServer(settings, Outside(ask, ended, logged.append, secrets.token_bytes, logged_on.append))
    trial = Trial((await relay.start())[1], host, client_tls, relay, logged=logged)
    try:
        yield trial
    finally:
        await relay.stop()
        behind.close()
        for task in [*host.live]:
            task.cancel()
        await asyncio.gather(*host.live, return_exceptions=True)
        await asyncio.sleep(0)
