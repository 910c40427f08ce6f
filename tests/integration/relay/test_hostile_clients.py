"""Do clients that are slow, stop, say nothing or come in crowds hinder nobody but themselves, and are they gone in time?"""

import asyncio
import resource
import tracemalloc
from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from calward.entrypoints.relay import Limits
from tests.support import relayed
from tests.support.relay_servers import GRANT, Client, FakeHost, echoed, on_loop, packet, relay_running, verdict

CLIENTS_SECONDS = 9
"""FreeRDP gives up after so many."""
MOST_BYTES_FOR_AN_IDLE_CONNECTION = 24 << 10
"""Python's memory for it at both ends, the test's included: 13 KiB as measured."""


@pytest.fixture
def many_files():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@asynccontextmanager
async def opened(port: int, *, address: str = "127.0.0.1"):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def end_of(reader: asyncio.StreamReader) -> None:
    """Read until the relay has ended it, however."""
    with suppress(ConnectionError):
        while await reader.read(1 << 16):
            pass


def phase_of(line: str) -> str:
    return line.rsplit(" ", 1)[1]


@on_loop
async def test_who_says_nothing_at_all_is_ended(tmp_path):
    async with (
        relay_running(tmp_path, lambda _: GRANT(), limits=Limits(request=0.3)) as trial,
        opened(trial.port) as (reader, _),
    ):
        await end_of(reader)
        assert [phase_of(line) for line in trial.logged] == ["REQUEST"]
        await trial.until(lambda: not trial.connections)


@on_loop
async def test_who_stops_within_its_first_packet_is_ended(tmp_path):
    async with (
        relay_running(tmp_path, lambda _: GRANT(), limits=Limits(request=0.3)) as trial,
        opened(trial.port) as (reader, writer),
    ):
        writer.write(relayed.CR[:9])
        await end_of(reader)
        assert [phase_of(line) for line in trial.logged] == ["REQUEST"]
    assert trial.host.peers == []


@on_loop
async def test_who_never_begins_tls_is_ended_and_so_is_its_connection_to_the_host(tmp_path):
    async with (
        relay_running(tmp_path, lambda _: GRANT(), limits=Limits(secure=0.3)) as trial,
        opened(trial.port) as (reader, writer),
    ):
        writer.write(relayed.CR)
        await packet(reader)
        writer.write(b"\x16\x03\x01\x02")  # A ClientHello's beginning.
        await end_of(reader)
        await trial.until(lambda: not trial.host.live)
        assert len(trial.logged) == 1


async def says_nothing(_client: Client) -> None:
    pass


async def stops_within_a_packet(client: Client) -> None:
    client.writer.write(relayed.connect_initial()[:50])


async def stops_within_licensing(client: Client) -> None:
    client.writer.write(relayed.connect_initial())
    await packet(client.reader)
    client.writer.write(
        relayed.client_info() + relayed.send(relayed.USER, relayed.IO, relayed.licensing(bytes(300)))[:99]
    )


@pytest.mark.parametrize(
    ("stop", "phase"),
    [(says_nothing, "JOINING"), (stops_within_a_packet, "JOINING"), (stops_within_licensing, "LICENSING")],
)
@on_loop
async def test_who_stops_behind_tls_is_ended_where_it_was(tmp_path, stop, phase):
    async with relay_running(tmp_path, lambda _: GRANT(), limits=Limits(person=0.5, pause=0.5)) as trial:
        client = await trial.client()
        await stop(client)
        await end_of(client.reader)
        assert [phase_of(line) for line in trial.logged] == [phase]
        await trial.until(lambda: not trial.host.live)
        client.writer.transport.abort()
    assert trial.host.infos == 0


async def drip(writer: asyncio.StreamWriter, data: bytes) -> None:
    """Send byte by byte, as long as they are taken."""
    with suppress(ConnectionError):
        for byte in data * 1000:
            writer.write(bytes((byte,)))
            await writer.drain()
            await asyncio.sleep(0.02)


@on_loop
async def test_a_byte_now_and_then_gains_no_time_before_tls(tmp_path):
    async with relay_running(tmp_path, lambda _: GRANT(), limits=Limits(request=0.5, pause=30)) as trial:
        async with opened(trial.port) as (reader, writer):
            dripping = asyncio.create_task(drip(writer, b"\x03\x00\xff\xff" + bytes(60)))
            await end_of(reader)
            await dripping
        assert [phase_of(line) for line in trial.logged] == ["REQUEST"]


@on_loop
async def test_a_byte_now_and_then_gains_no_time_behind_tls(tmp_path):
    async with relay_running(tmp_path, lambda _: GRANT(), limits=Limits(connect=0.5, pause=30)) as trial:
        client = await trial.client()
        dripping = asyncio.create_task(drip(client.writer, b"\x03\x00\xff\xff" + bytes(60)))
        await end_of(client.reader)
        client.writer.transport.abort()
        await dripping
    assert [phase_of(line) for line in trial.logged] == ["JOINING"]


@on_loop
async def test_a_person_who_reads_a_certificate_is_waited_for_longer_than_a_program(tmp_path):
    limits = Limits(pause=0.05, connect=5.0, person=30)
    async with relay_running(tmp_path, lambda _: GRANT(), limits=limits) as trial:
        client = await trial.client()
        await asyncio.sleep(4 * limits.pause)
        await client.get_through()
        await client.close()


@on_loop
async def test_a_refused_client_that_does_not_leave_is_cut_off(tmp_path):
    async with relay_running(tmp_path, lambda _: verdict(granted=False), limits=Limits(linger=0.1)) as trial:
        client = await trial.client()
        await client.connect()
        client.writer.transport.pause_reading()
        await trial.until(lambda: not trial.connections)
        client.writer.transport.resume_reading()
        await end_of(client.reader)
        client.writer.transport.abort()


@on_loop
async def test_a_decision_that_never_comes_is_a_refusal_that_says_so(tmp_path):
    async def never(_question):
        await asyncio.Event().wait()

    async with relay_running(tmp_path, never, limits=Limits(decide=0.1)) as trial:
        client = await trial.client()
        await client.connect()
        assert (await packet(client.reader)).endswith(b"\x01\x01\x00\x00")
        await client.close()
    assert trial.host.infos == 0


class SilentHost(FakeHost):
    """Takes connections, and says nothing."""

    async def _serve(self, reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()


@on_loop
async def test_a_host_that_says_nothing_keeps_no_client(tmp_path):
    running = relay_running(tmp_path, lambda _: GRANT(), limits=Limits(pause=0.5), host=SilentHost())
    async with running as trial, opened(trial.port) as (reader, writer):
        writer.write(relayed.CR)
        await end_of(reader)
        assert [phase_of(line) for line in trial.logged] == ["CONFIRM"]


def no_terms():
    raise RuntimeError("no certificate")


@on_loop
async def test_a_fault_of_our_own_ends_the_connection_and_is_said(tmp_path):
    async with relay_running(tmp_path, lambda _: GRANT(), terms=no_terms) as trial, opened(trial.port) as (reader, _):
        await end_of(reader)
    assert trial.logged == ["a connection has ended by a fault of the relay: RuntimeError('no certificate')"]


@on_loop
async def test_five_hundred_idle_connections_hinder_nobody_and_take_little_memory(tmp_path, many_files):
    patient = Limits(request=60, pause=60)  # All five hundred are there at once, however slow the machine is.
    async with relay_running(tmp_path, lambda _: GRANT(), limits=patient) as trial, AsyncExitStack() as idle:
        tracemalloc.start()
        for number in range(500):
            _, writer = await idle.enter_async_context(opened(trial.port))
            if number % 5 == 0:
                writer.write(relayed.CR[:9])
        await trial.until(lambda: len(trial.connections) == 500)
        taken = tracemalloc.get_traced_memory()[0]
        tracemalloc.stop()
        assert taken / 500 < MOST_BYTES_FOR_AN_IDLE_CONNECTION
        await gets_through(trial.client)


async def gets_through(begin: Callable[..., "asyncio.Future[Client]"]) -> None:
    """Log on as a good client does, within the time that it allows."""
    async with asyncio.timeout(CLIENTS_SECONDS):
        client = await begin(address="127.0.0.3")
        await client.get_through()
        assert await echoed(client, b"hello") == b"hello"
    await client.close()


async def flooding(port: int, tls: object, number: int) -> None:
    """One of a crowd: some stop, some talk nonsense, some go as far as licensing and leave."""
    with suppress(OSError, asyncio.IncompleteReadError):
        if number % 4 == 0:
            async with opened(port, address="127.0.0.2") as (reader, writer):
                writer.write(b"GET / HTTP/1.1\r\n\r\n")
                await end_of(reader)
            return
        client = await Client.begin(port, tls, address="127.0.0.2")
        nonsense = {1: bytes(1 << 16), 2: relayed.connect_initial()[:99]}
        if part := nonsense.get(number % 4):
            client.writer.write(part)
            await end_of(client.reader)
        else:
            await client.connect()
        client.writer.transport.abort()


@on_loop
async def test_two_hundred_at_once_do_not_keep_a_good_client_from_its_session(tmp_path, many_files):
    async with relay_running(tmp_path, lambda _: GRANT(), limits=Limits(person=1, connect=2, pause=1)) as trial:
        flood = [asyncio.create_task(flooding(trial.port, trial.tls, number)) for number in range(200)]
        await trial.until(lambda: len(trial.connections) > 20)
        await gets_through(trial.client)
        await asyncio.gather(*flood)
        await trial.until(lambda: not trial.connections)
        await gets_through(trial.client)


@on_loop
async def test_who_floods_ends_its_own_oldest_connection_and_nobody_elses(tmp_path):
    async with (
        relay_running(tmp_path, lambda _: GRANT(), limits=Limits(waiting=10, request=60, pause=60)) as trial,
        AsyncExitStack() as crowd,
    ):
        first = await trial.client(address="127.0.0.3")
        idle = [await crowd.enter_async_context(opened(trial.port, address="127.0.0.2")) for _ in range(30)]
        for reader, _ in idle[:21]:
            await end_of(reader)
        assert len(trial.connections) == 10
        await first.get_through()
        await gets_through(trial.client)
        await first.close()
        assert not any(reader.at_eof() for reader, _ in idle[22:])
