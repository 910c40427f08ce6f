"""How fast does the relay copy once a client is licensed, beside a bare splice of a TLS connection and a plain one?

Relay and yardstick are processes of their own, so that only their CPU time is counted; host and client are this process. The
host sends, the client reads, through TLS on the client's side, in records as the host's writes make them.
"""

import asyncio
import multiprocessing
import os
import secrets
import ssl
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

from bench.figures import Sizes, middle, ratio
from calward.entrypoints.relay import Limits, Outside, RelayServer, RelaySettings
from calward.wire.relay import HostSecurity
from tests.support import relayed
from tests.support.relay_servers import Client, FakeHost, contexts, verdict

__all__ = ["measure"]

_CHUNK: Final = 1 << 16
_MIB: Final = 1 << 20
_GO: Final = b"go"


class _Copied(NamedTuple):
    """What it took to copy."""

    seconds: float
    cpu_seconds: float


def measure(folder: Path, sizes: Sizes) -> dict[str, Any]:
    """Throughput of both in MiB a second, their ratio, and CPU seconds for each GiB."""
    rounds = [asyncio.run(_round(folder, sizes.copied_mib)) for _ in range(sizes.rounds)]
    mib, gib = sizes.copied_mib, sizes.copied_mib / 1024
    relay = middle([mib / relayed_.seconds for relayed_, _ in rounds])
    splice = middle([mib / bare.seconds for _, bare in rounds])
    return {
        "relay_mib_per_s": relay,
        "splice_mib_per_s": splice,
        "ratio_relay_to_splice": ratio(relay, splice),
        "relay_cpu_s_per_gib": middle([relayed_.cpu_seconds / gib for relayed_, _ in rounds]),
        "splice_cpu_s_per_gib": middle([bare.cpu_seconds / gib for _, bare in rounds]),
    }


async def _round(folder: Path, mib: int) -> tuple[_Copied, _Copied]:
    """Both once, one after the other."""
    _, tls = contexts(folder)
    through_relay = await _through(_relay, _Host(mib), folder, tls, mib, licensed=True)
    bare = await _through(_splice, _BareHost(mib), folder, tls, mib, licensed=False)
    return through_relay, bare


async def _through(
    run: "_Run",
    host: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]],
    folder: Path,
    tls: ssl.SSLContext,
    mib: int,
    *,
    licensed: bool,
) -> _Copied:
    behind = await asyncio.start_server(host, "127.0.0.1", 0)
    ours, theirs = multiprocessing.Pipe()
    arguments = (run, folder, behind.sockets[0].getsockname()[1], theirs)
    process = multiprocessing.get_context("fork").Process(target=_child, args=arguments, daemon=True)
    process.start()
    try:
        theirs.close()  # The child's copy is the last one: if the child dies, there is an end and no waiting.
        port = await asyncio.to_thread(ours.recv)
        reader, writer = await _connected(port, tls, licensed=licensed)
        return await _copied(reader, writer, mib * _MIB, cast("int", process.pid))
    finally:
        process.terminate()
        await asyncio.to_thread(process.join)
        behind.close()


async def _connected(
    port: int, tls: ssl.SSLContext, *, licensed: bool
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    if not licensed:
        return await asyncio.open_connection("127.0.0.1", port, ssl=tls)
    client = await Client.begin(port, tls)
    await client.get_through()
    return client.reader, client.writer


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, size: int, pid: int) -> _Copied:
    cpu, began = _cpu_seconds(pid), time.perf_counter()
    writer.write(_GO)
    left = size
    while left:
        data = await reader.read(_CHUNK * 4)
        if not data:
            raise SystemExit(f"bench: the connection ended {left} bytes too early")
        left -= len(data)
    found = _Copied(time.perf_counter() - began, _cpu_seconds(pid) - cpu)
    writer.close()
    with suppress(ConnectionError, ssl.SSLError):
        await writer.wait_closed()
    return found


def _cpu_seconds(pid: int) -> float:
    """User and system time of a process; see proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class _BareHost:
    """Sends so many MiB when told to go."""

    def __init__(self, mib: int) -> None:
        self._mib = mib

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readexactly(len(_GO))
            await _send(reader, writer, self._mib)


class _Host(FakeHost):
    """Speaks as xrdp does until licensing is over, then sends as the bare one does."""

    def __init__(self, mib: int) -> None:
        super().__init__()
        self._mib = mib

    async def after_licensing(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(_GO))
        await _send(reader, writer, self._mib)


async def _send(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, mib: int) -> None:
    """Send all of it, and leave the end of the connection to the client: a host that ends it first may cut it short."""
    piece = secrets.token_bytes(_CHUNK)
    for _ in range(mib * _MIB // _CHUNK):
        writer.write(piece)
        await writer.drain()
    await reader.read()


# --- the processes that are measured ---------------------------------------------------------------------------------

_Run = Callable[[Path, int, Callable[[int], None]], Coroutine[Any, Any, None]]


def _child(run: _Run, folder: Path, host_port: int, pipe: Connection) -> None:
    asyncio.run(run(folder, host_port, pipe.send))


async def _relay(folder: Path, host_port: int, ready: Callable[[int], None]) -> None:
    server_tls, _ = contexts(folder)

    async def decide(_question: object) -> Any:  # noqa: ANN401 - the relay's own type of verdict.
        return verdict(token=b"a license" * 60)

    terms = relayed.terms(HostSecurity.PLAIN)
    settings = RelaySettings(("127.0.0.1", 0), ("127.0.0.1", host_port), lambda: terms, server_tls, None, Limits())
    outside = Outside(decide, _ignore, _ignore, secrets.token_bytes, _ignore)
    relay = RelayServer(settings, outside)
    ready((await relay.start())[1])
    await asyncio.Event().wait()


def _ignore(_told: str) -> None:
    """What the relay tells is nothing to a benchmark."""


class _Side(asyncio.Protocol):
    """One side of the bare splice."""

    peer: "_Side | None" = None
    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.write(data)

    def pause_writing(self) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.peer and self.peer.transport:
            self.peer.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature.
        if self.peer and self.peer.transport:
            self.peer.transport.close()


async def _splice(folder: Path, host_port: int, ready: Callable[[int], None]) -> None:
    """Accept TLS, connect to the host, copy: nothing else."""
    server_tls, _ = contexts(folder)
    loop = asyncio.get_running_loop()
    _, back = await loop.create_connection(_Side, "127.0.0.1", host_port)

    def front() -> _Side:
        side = _Side()
        side.peer, back.peer = back, side
        return side

    server = await loop.create_server(front, "127.0.0.1", 0, ssl=server_tls)
    ready(server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()
