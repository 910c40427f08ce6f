"""Do real sockets, TLS and clocks keep what the relay's acts promise?"""

import asyncio
import contextlib
import functools
import resource

import pytest

from calward.entrypoints.relay import Limits
from calward.wire.rdpele.client_session import Licensed
from calward.wire.relay import HostSecurity
from tests.support import relayed
from tests.support.relay_servers import packet, relay_running, verdict

GRANT = functools.partial(verdict, token=b"a license")


def on_loop(test):
    @functools.wraps(test)
    def run(**fixtures):
        async def limited():
            async with asyncio.timeout(60):
                await test(**fixtures)

        asyncio.run(limited())

    return run


async def echoed(client, data: bytes) -> bytes:
    async def send():
        client.writer.write(data)
        await client.writer.drain()

    sending = asyncio.create_task(send())
    found = await client.reader.readexactly(len(data))
    await sending
    return found


@pytest.mark.parametrize("security", [HostSecurity.PLAIN, HostSecurity.TLS])
@on_loop
async def test_a_client_gets_its_license_and_then_every_byte_passes_both_ways(tmp_path, security):
    async with relay_running(tmp_path, lambda _: GRANT(), security=security) as trial:
        client = await trial.client()
        await client.get_through()
        assert isinstance(client.outcome, Licensed)
        assert client.outcome.info.license == b"a license"
        data = bytes(range(256)) * 40_000
        assert await echoed(client, data) == data
        await client.close()
        await trial.over.wait()
    (question,) = trial.questions
    assert question.connection == trial.host.peers[0] == trial.ended[0]
    assert question.connection.startswith("127.")
    assert question.connection != "127.0.0.1"
    assert (question.peer, question.name) == ("127.0.0.1", "PC1")
    assert trial.logged == []


@on_loop
async def test_a_refused_client_reads_all_that_it_is_told_and_the_host_hears_nothing(tmp_path):
    async with relay_running(tmp_path, lambda _: verdict(granted=False)) as trial:
        client = await trial.client()
        await client.connect()
        assert (await packet(client.reader)).endswith(b"\x02\x01\x00\x00")
        assert await packet(client.reader) == relayed.DISCONNECT
        await client.close()
    assert trial.host.infos == 0


@on_loop
async def test_a_client_that_is_faster_with_tls_than_the_host_loses_nothing(tmp_path):
    async with relay_running(tmp_path, lambda _: GRANT(), security=HostSecurity.TLS) as trial:
        trial.host.slow = 0.2
        client = await trial.client()
        await client.get_through()
        assert await echoed(client, b"hello") == b"hello"
        await client.close()


def failing(_question):
    raise RuntimeError("no agent")


@on_loop
async def test_a_decision_that_fails_lets_nobody_in(tmp_path):
    async with relay_running(tmp_path, failing) as trial:
        client = await trial.client()
        await client.connect()
        assert (await packet(client.reader)).endswith(b"\x01\x01\x00\x00")
        await client.close()
    assert trial.host.infos == 0
    assert any("no agent" in line for line in trial.logged)


@on_loop
async def test_five_hundred_idle_connections_and_clients_that_stop_hinder_nobody(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    try:
        async with relay_running(tmp_path, lambda _: GRANT()) as trial:
            idle = [await asyncio.open_connection("127.0.0.1", trial.port) for _ in range(500)]
            for _, writer in idle[:100]:
                writer.write(relayed.CR[:9])  # Stops within a packet.
            stopped = [await trial.client() for _ in range(5)]
            for one in stopped:
                one.writer.write(relayed.connect_initial()[:50])
            client = await trial.client()
            async with asyncio.timeout(3):
                await client.get_through()
                assert await echoed(client, b"hello") == b"hello"
            for one in (client, *stopped):
                await one.close()
            for _, writer in idle:
                writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@on_loop
async def test_who_stops_within_a_packet_is_ended_in_time(tmp_path):
    async with relay_running(tmp_path, lambda _: GRANT(), limits=Limits(request=0.3, pause=0.2, connect=0.5)) as trial:
        _, writer = silent = await asyncio.open_connection("127.0.0.1", trial.port)
        writer.write(relayed.CR[:9])
        assert await silent[0].read() == b""
        client = await trial.client()
        client.writer.write(relayed.connect_initial()[:50])
        assert await client.reader.read() == b""
        await client.close()
        writer.close()
    assert [line.rsplit(" ", 1)[1] for line in trial.logged] == ["REQUEST", "JOINING"]


@on_loop
async def test_who_floods_ends_its_own_oldest_connection(tmp_path):
    async with relay_running(tmp_path, lambda _: GRANT(), limits=Limits(waiting=3)) as trial:
        idle = [await asyncio.open_connection("127.0.0.1", trial.port) for _ in range(3)]
        client = await trial.client()
        await client.get_through()
        assert await idle[0][0].read() == b""
        await client.close()
        for _, writer in idle:
            writer.close()


@on_loop
async def test_a_client_that_does_not_read_stops_the_host_and_fills_no_memory(tmp_path):
    async with relay_running(tmp_path, lambda _: GRANT()) as trial:
        client = await trial.client()
        await client.get_through()
        client.reader._limit = 1024  # Reads nothing ahead.
        sent = await written_until_nothing_is_taken(client)
        assert 0 < sent < 1 << 26
        client.writer.transport.abort()


async def written_until_nothing_is_taken(client) -> int:
    """Bytes that were taken of an endless stream whose echo is not read."""
    piece, sent = bytes(1 << 16), 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(1):
            while sent < 1 << 28:
                client.writer.write(piece)
                await client.writer.drain()
                sent += len(piece)
    return sent
