"""Does a side that reads slowly slow the other one down, so that nothing piles up in the relay, and does nothing get lost by it?"""

import asyncio

import pytest

from calward.entrypoints.relay.legs import INBOX_LIMIT
from tests.support import relayed
from tests.support.relay_servers import GRANT, Client, FakeHost, Trial, on_loop, relay_running, verdict

PIECE = bytes(range(256)) * 256
PIECES = 1024
"""64 MiB in all: many times what both systems' buffers hold."""
MOST_BYTES_KEPT = 4 << 20
"""In the relay, both ways together: asyncio's own marks are at 64 KiB and, for TLS, at 512 KiB."""


def kept(trial: Trial) -> int:
    """Bytes that wait in the relay to be sent."""
    (connection,) = trial.connections
    legs = (connection._client, connection._host)
    return sum(leg.transport.get_write_buffer_size() for leg in legs if leg.transport)


async def all_pieces(writer: asyncio.StreamWriter) -> None:
    for _ in range(PIECES):
        writer.write(PIECE)
        await writer.drain()


async def read_all(reader: asyncio.StreamReader) -> None:
    for _ in range(PIECES):
        assert await reader.readexactly(len(PIECE)) == PIECE


class Streaming(FakeHost):
    """Once licensing is over, leaves its connection to the test."""

    async def after_licensing(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.stream = (reader, writer)
        await asyncio.Event().wait()


async def streaming(trial: Trial) -> Client:
    client = await trial.client()
    await client.get_through()
    await trial.until(lambda: hasattr(trial.host, "stream"))
    return client


@pytest.mark.parametrize("slow", ["client", "host"])
@on_loop
async def test_whoever_reads_slowly_stops_the_other_and_gets_every_byte_in_the_end(tmp_path, slow):
    async with relay_running(tmp_path, lambda _: GRANT(), host=Streaming()) as trial:
        client = await streaming(trial)
        ends = {"client": (client.reader, client.writer), "host": trial.host.stream}
        (reader, own), (_, writer) = ends[slow], ends["host" if slow == "client" else "client"]
        own.transport.pause_reading()
        sending = asyncio.create_task(all_pieces(writer))
        (connection,) = trial.connections
        source = connection._host if slow == "client" else connection._client
        await trial.until(lambda: not source.transport.is_reading() or sending.done())
        assert not sending.done()
        most = kept(trial)
        own.transport.resume_reading()
        receiving = asyncio.create_task(read_all(reader))
        while not receiving.done():
            most = max(most, kept(trial))
            await asyncio.sleep(0)
        await asyncio.gather(sending, receiving)
        assert 0 < most < MOST_BYTES_KEPT
        await client.close()


@on_loop
async def test_a_client_that_floods_while_its_decision_is_made_is_not_read_and_then_ended(tmp_path):
    asked, decided = asyncio.Event(), asyncio.Event()

    async def late(_question):
        asked.set()
        await decided.wait()
        return verdict(granted=False)

    async with relay_running(tmp_path, late) as trial:
        client = await trial.client()
        connecting = asyncio.create_task(client.connect())
        await asked.wait()
        flood = asyncio.create_task(send_on_a_channel(client))
        (connection,) = trial.connections
        await trial.until(lambda: not connection._client.transport.is_reading())
        assert len(connection._client._inbox) < 4 * INBOX_LIMIT
        decided.set()
        await connecting
        await trial.until(lambda: not trial.connections)
        flood.cancel()
        client.writer.transport.abort()
    assert trial.host.infos == 0


async def send_on_a_channel(client: Client) -> None:
    """Send what would be held for the host, without end."""
    while True:
        client.writer.write(relayed.send(relayed.USER, relayed.IO + 1, bytes(16_000)))
        await client.writer.drain()
        await asyncio.sleep(0)
