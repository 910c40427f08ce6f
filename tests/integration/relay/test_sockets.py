"""Do real sockets, TLS and clocks keep what the relay's acts promise?"""

import asyncio

import pytest

from calward.wire.rdpele.client_session import Licensed
from calward.wire.relay import HostSecurity
from tests.support import relayed
from tests.support.relay_servers import GRANT, echoed, on_loop, packet, relay_running, verdict


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


@on_loop
async def test_a_client_that_leaves_instead_of_beginning_tls_is_told_with_what_may_help(tmp_path):
    async with relay_running(tmp_path, lambda _: GRANT()) as trial:
        reader, writer = await asyncio.open_connection("127.0.0.1", trial.port)
        writer.write(relayed.CR)
        await packet(reader)
        writer.close()
        await writer.wait_closed()
        await trial.over.wait()
        await trial.until(lambda: trial.logged)
    [line] = trial.logged
    assert "insists on NLA (xfreerdp /sec:nla)" in line
    assert "host_security" in line


@on_loop
async def test_a_client_that_leaves_when_it_has_seen_the_certificate_is_told(tmp_path):
    async with relay_running(tmp_path, lambda _: GRANT()) as trial:
        client = await trial.client()
        await client.close()
        await trial.until(lambda: trial.logged)
    [line] = trial.logged
    assert "does not trust the relay's certificate" in line


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
