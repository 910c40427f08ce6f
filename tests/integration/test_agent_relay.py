"""Do license server, agent and relay, as users start them, give a client on the wire a license of the server's own authority?"""

import asyncio
import signal
import socket
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from cryptography import x509

from calward.adapters.network.http_exchange import Address
from calward.adapters.network.license_server_client import LicenseServerClient
from calward.adapters.network.rdp_probe import described, probe_host
from calward.domain.envelope import decode_envelope
from calward.domain.statements import PayloadType
from calward.wire.rdpele.certificates import CertificateChain, decode_certificate
from tests.integration.relay.test_sockets import on_loop
from tests.support.command_line import calward
from tests.support.relay_servers import FakeHost
from tests.support.running_server import serving

pytestmark = pytest.mark.xdist_group("agent_relay")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("agent-relay")
    with serving(folder, "--data-dir", str(folder / "ls")) as found:
        yield found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def settings(folder, server, host_port: int, relay_port: int):
    """``host.toml`` of a host that has just been enrolled."""
    made = calward(
        "host", "enroll", "SH1", "--version", "2022", "--mode", "per-device", "--json", CALWARD_SERVER=server.socket
    )
    token = folder / "token"
    token.write_text(LicenseServerClient(Address.parse(server.url)).enroll(made.json["code"], seconds=10).token)
    token.chmod(0o600)
    path = folder / "host.toml"
    path.write_text(
        f'state_dir = "{folder}/state"\n[[server]]\nurl = "{server.url}"\ntoken_file = "{token}"\n'
        f'[agent]\nsocket = "{folder}/agent.sock"\n'
        f'[relay]\nlisten = "127.0.0.1:{relay_port}"\nhost = "127.0.0.1:{host_port}"\nhost_security = "plain"\n'
    )
    return path


@asynccontextmanager
async def agent_running(path):
    """The agent as a process, once it has said where it listens and heard its license server."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "calward",
        "agent",
        "run",
        "--config",
        str(path),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    try:
        assert process.stdout
        said = await process.stdout.readline()
        assert b"agent.sock" in said or b"relay" in said, said
        for _ in range(100):
            if (path.parent / "state" / "wire-chain.json").exists():
                break
            await asyncio.sleep(0.1)
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.wait(), 20)


@on_loop
async def test_a_client_is_licensed_by_the_servers_authority_and_everything_can_be_read_back(tmp_path, server):
    relay_port = free_port()
    host = await asyncio.start_server(FakeHost(), "127.0.0.1", 0)
    path = settings(tmp_path, server, host.sockets[0].getsockname()[1], relay_port)
    async with host, agent_running(path):
        probed = await asyncio.to_thread(probe_host, "127.0.0.1", relay_port, seconds=20.0)
        status = await asyncio.to_thread(calward, "agent", "status", "--config", str(path), "--json")
    found = described(probed)
    assert (found["outcome"], found["problem"]) == ("licensed", None)
    assert status.json["servers"][0]["heard"] is True
    chain = decode_certificate(probed.findings.request.certificate)
    assert isinstance(chain, CertificateChain)
    root, leaf = map(x509.load_der_x509_certificate, chain.certificates)
    leaf.verify_directly_issued_by(root)
    ours = x509.load_pem_x509_certificate((Path(server.place("local socket")).parent / "wire.pem").read_bytes())
    assert root == ours
    envelope = decode_envelope(probed.findings.license.license)
    assert envelope.payload_type == PayloadType.LICENSE
    [issued] = (await asyncio.to_thread(calward, "license", "list", "--json", CALWARD_SERVER=server.socket)).json[
        "items"
    ]
    assert (issued["holder"], issued["status"], issued["version"]) == ("calward-probe", "temporary", "2022")
    assert issued["id"].encode() in envelope.payload
