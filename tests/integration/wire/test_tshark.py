"""Does another program read what we write on the wire as what we mean by it?

Wireshark's dissector names every packet up to the kind of each licensing message; what is inside of those it does not read.
"""

import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from calward.wire.rdp import mcs
from calward.wire.rdp.client_blocks import ClientCore, ClientNetwork, ClientSecurity
from calward.wire.rdp.logon import nameless_client_info
from calward.wire.rdp.security import SecurityFlag, SecurityHeader
from calward.wire.rdp.server_blocks import ServerCore, ServerNetwork, ServerSecurity
from calward.wire.rdp.x224 import ConnectionConfirm, ConnectionRequest, Protocol
from calward.wire.rdpele.client_session import ClientSession, Licensed, encrypt_premaster
from calward.wire.rdpele.server_session import ServerSession
from tests.support import relayed

IO, USER = 1003, 1020
LICENSING = SecurityHeader(SecurityFlag.LICENSE_PKT).encode()
KINDS = ["License Request", "New License Request", "Platform Challenge", "Platform Challenge Response", "New License"]


class Conversation:
    """Packets of both sides, in order."""

    def __init__(self) -> None:
        self.packets: list[tuple[bool, bytes]] = []

    def client(self, packet: bytes) -> None:
        self.packets.append((False, packet))

    def host(self, packet: bytes) -> None:
        self.packets.append((True, packet))


def connection(said: Conversation) -> None:
    """All that comes before licensing, without TLS: a capture of TLS would show nothing."""
    said.client(ConnectionRequest(Protocol.RDP).encode())
    said.host(ConnectionConfirm(Protocol.RDP).encode())
    blocks = (ClientCore("PC1").encode(), ClientSecurity(0).encode(), ClientNetwork().encode())
    said.client(mcs.ConnectInitial.make(blocks).encode())
    answer = (ServerCore(client_requested_protocols=0), ServerSecurity(), ServerNetwork())
    said.host(mcs.ConnectResponse.make(one.encode() for one in answer).encode())
    said.client(mcs.ErectDomain().encode())
    said.client(mcs.AttachUserRequest().encode())
    said.host(mcs.AttachUserConfirm(USER).encode())
    for channel in (USER, IO):
        said.client(mcs.ChannelJoinRequest(USER, channel).encode())
        said.host(mcs.ChannelJoinConfirm(USER, channel, channel).encode())
    said.client(mcs.SendDataRequest(USER, IO, nameless_client_info()).encode())


def licensing(said: Conversation) -> None:
    """A whole licensing phase between our client and our server, with real RSA."""
    numbers = relayed.KEY.private_key.public_key().public_numbers()
    server = ServerSession(
        relayed.OFFER,
        server_random=bytes(range(32)),
        challenge=b"0123456789",
        decrypt_premaster=relayed.KEY.decrypt_premaster,
    )
    client = ClientSession(
        client_random=b"\x02" * 32,
        premaster=b"\x03" * 48,
        encrypt=lambda premaster, _: encrypt_premaster(premaster, numbers.n, numbers.e),
        hardware_id=bytes.fromhex("00000104") + b"h" * 16,
        machine_name="PC1",
    )
    message = server.start()
    for _ in range(2):
        said.host(mcs.SendDataIndication(1002, IO, LICENSING + message).encode())
        answer = client.receive(message).send
        said.client(mcs.SendDataRequest(USER, IO, LICENSING + answer).encode())
        step = server.receive(answer)
        message = getattr(step, "send", b"")
    given = server.grant(b"a license" * 60)
    said.host(mcs.SendDataIndication(1002, IO, LICENSING + given).encode())
    end = client.receive(given)
    assert isinstance(end, Licensed)
    assert end.info.license == b"a license" * 60


def capture(said: Conversation, path: Path) -> None:
    """Write the packets as TCP segments in a capture file of raw IP (link type 101)."""
    sent = [1, 1]
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101))
        for number, (by_host, packet) in enumerate(said.packets):
            ports = (3389, 40000) if by_host else (40000, 3389)
            tcp = struct.pack(">HHIIBBHHH", *ports, sent[by_host], sent[not by_host], 0x50, 0x18, 65535, 0, 0) + packet
            sent[by_host] += len(packet)
            ends = bytes((127, 0, 0, 1 + by_host)), bytes((127, 0, 0, 2 - by_host))
            ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(tcp), number, 0, 64, 6, 0, *ends) + tcp
            file.write(struct.pack("<IIII", number, 0, len(ip), len(ip)) + ip)


@pytest.mark.skipif(shutil.which("tshark") is None, reason="tshark is not installed")
def test_wireshark_names_every_packet_as_we_do(tmp_path):
    said = Conversation()
    connection(said)
    licensing(said)
    capture(said, tmp_path / "rdp.pcap")
    words = ["tshark", "-r", str(tmp_path / "rdp.pcap"), "-T", "fields", "-e", "_ws.col.Protocol", "-e", "_ws.col.Info"]
    read = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60).stdout
    lines = [tuple(line.split("\t")) for line in read.splitlines()]
    assert len(lines) == len(said.packets)
    assert "Malformed" not in read
    assert {protocol for protocol, _ in lines} == {"RDP", "T.125"}
    assert [info for _, info in lines[-5:]] == KINDS
    assert "ClientInfo" in lines[-6][1]
    assert lines[2][1].startswith("ClientData")
    assert lines[3][1].startswith("ServerData")
