"""What does the probe say of hosts: a relay that licenses, one that refuses, a host that only asks for an account?"""

import asyncio
import contextlib

import pytest

from calward.adapters.network.rdp_probe import described, probe_host
from calward.domain.errors import LicensingError, Problem
from calward.wire.rdp.x224 import FailureCode, NegotiationFailure
from calward.wire.relay import HostSecurity
from tests.support.relay_servers import GRANT, on_loop, relay_running, verdict


async def probed(port: int) -> dict:
    return described(await asyncio.to_thread(probe_host, "127.0.0.1", port, seconds=20.0))


@contextlib.asynccontextmanager
async def host_that_says(answer: bytes):
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        writer.write(answer)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@on_loop
async def test_a_host_that_licenses_is_seen_whole(tmp_path):
    async with relay_running(tmp_path, lambda _: GRANT(), security=HostSecurity.PLAIN) as trial:
        found = await probed(trial.port)
        await trial.over.wait()
    assert (found["outcome"], found["security"], found["problem"]) == ("licensed", "tls", None)
    assert found["certificate"]["form"] == "x509-chain"
    assert found["certificate"]["key_bits"] == 2048
    assert found["license"]["bytes"] == len(b"a license")
    assert len(found["tls_fingerprint"]) == 64
    (question,) = trial.questions
    assert question.name == "calward-probe"


@on_loop
async def test_a_refusal_is_no_error_of_the_probe(tmp_path):
    async with relay_running(tmp_path, lambda _: verdict(granted=False)) as trial:
        found = await probed(trial.port)
    assert (found["outcome"], found["error_code"], found["problem"]) == ("refused", 0x102, None)


@on_loop
async def test_a_host_behind_nla_is_told_apart():
    answer = NegotiationFailure(FailureCode.HYBRID_REQUIRED_BY_SERVER).encode()
    async with host_that_says(answer) as port:
        found = await probed(port)
    assert (found["outcome"], found["error_code"], found["product"]) == ("needs-nla", 5, None)


@on_loop
async def test_what_is_no_rdp_is_said_with_its_place():
    async with host_that_says(b"SSH-2.0-OpenSSH_9.2\r\n") as port:
        found = await probed(port)
    assert found["outcome"] is None
    assert found["problem"].startswith("TPKT")


@on_loop
async def test_a_host_that_says_nothing_has_disconnected():
    async with host_that_says(b"") as port:
        found = await probed(port)
    assert found["outcome"] == "disconnected"


def test_nothing_that_listens_is_unreachable():
    with pytest.raises(LicensingError, match="no connection to") as caught:
        probe_host("127.0.0.1", 9, seconds=1.0)
    assert caught.value.problem is Problem.UNREACHABLE
