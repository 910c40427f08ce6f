"""A client and a host in memory, as the relay meets them: whole packets of RDP, and a client's part of licensing."""

import hashlib
import struct
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from calward.adapters.signing.wire_rsa import WireKey
from calward.wire.rdp.gcc import Block, BlockKind
from calward.wire.rdp.mcs import ConnectInitial, ConnectResponse, SendDataIndication, decode
from calward.wire.rdp.tpkt import split
from calward.wire.rdp.x224 import ConnectionConfirm, ConnectionRequest, Protocol, data_packet
from calward.wire.rdpele.certificates import CertificateChain
from calward.wire.rdpele.client_session import ClientSession, Deviations, encrypt_premaster
from calward.wire.rdpele.product_info import ProductInfo
from calward.wire.rdpele.server_session import Offer
from calward.wire.relay import HostSecurity, Terms


def _chain() -> bytes:
    """A chain as the wire demands it, whose last certificate holds our key."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "host.test")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, KEY.private_key.public_key(), 7, now, now + timedelta(1))
    certificate = builder.sign(KEY.private_key, SHA256()).public_bytes(Encoding.DER)
    return CertificateChain((certificate, certificate)).encode()


KEY = WireKey(rsa.generate_private_key(65537, 2048))
OFFER = Offer(ProductInfo(0x000A0000, "Calward", "A02"), _chain(), ("calward",))
IO, USER, MESSAGES = 1003, 1007, 1008
DISCONNECT = bytes.fromhex("0300000902f0802180")
CR = ConnectionRequest(Protocol.SSL | Protocol.HYBRID, b"Cookie: mstshash=alice\r\n").encode()
ERECT, ATTACH = data_packet(bytes.fromhex("0401000100")), data_packet(b"\x28")
ATTACHED = data_packet(bytes.fromhex("2e00") + struct.pack(">H", USER - 1001))
JOIN = data_packet(b"\x38" + struct.pack(">HH", USER - 1001, IO))
JOINED = data_packet(b"\x3e\x00" + struct.pack(">HHH", USER - 1001, IO, IO))
_INFO_UNICODE = 0x10
PASSWORD = "secret".encode("utf-16-le")
DEMAND_ACTIVE = struct.pack("<HHH", 0x0180, 0x11, 1002) + bytes(0x0180 - 6)
"""Its size looks like the flag of licensing."""
VALID = bytes.fromhex("ff0310000700000002000000040000" + "00")


def terms(security: HostSecurity = HostSecurity.PLAIN, *, exchange: bool = True) -> Terms:
    return Terms(security, OFFER, KEY.decrypt_premaster, exchange)


def send(initiator: int, channel: int, data: bytes, *, by_host: bool = False) -> bytes:
    head = struct.pack(">BHHB", 0x68 if by_host else 0x64, initiator - 1001, channel, 0x70)
    return data_packet(head + struct.pack(">H", 0x8000 | len(data)) + data)


def from_host(data: bytes, channel: int = IO) -> bytes:
    return send(1002, channel, data, by_host=True)


def licensing(message: bytes, flags: int = 0x80) -> bytes:
    return struct.pack("<HH", flags, 0) + message


def client_info(channel: int = IO, flags: int = 0x40) -> bytes:
    """[MS-RDPBCGR] 2.2.1.11.1.1: a user with a password, and nothing more."""
    texts = (b"", "alice".encode("utf-16-le"), PASSWORD, b"", b"")
    info = struct.pack("<II5H", 0, _INFO_UNICODE, *map(len, texts)) + b"".join(text + b"\0\0" for text in texts)
    return send(USER, channel, struct.pack("<HH", flags, 0) + info)


def connect_initial(name: str = "PC1", build: int = 18363, selected: int = 1) -> bytes:
    core = struct.pack("<IHHHHI", 0x8000C, 1, 1, 1, 1, 1) + struct.pack("<I", build)
    core += name.encode("utf-16-le").ljust(32, b"\0")
    core = core.ljust(208, b"\0") + struct.pack("<I", selected)
    return ConnectInitial.make((Block(BlockKind.CS_CORE, core), Block(BlockKind.CS_SECURITY, bytes(8)))).encode()


def connect_response(requested: int = 0, method: int = 0) -> bytes:
    blocks = (
        Block(BlockKind.SC_CORE, struct.pack("<II", 0x80004, requested)),
        Block(BlockKind.SC_SECURITY, struct.pack("<II", method, method)),
        Block(BlockKind.SC_NET, struct.pack("<HH", IO, 0)),
        Block(BlockKind.SC_MCS_MSGCHANNEL, struct.pack("<H", MESSAGES)),
    )
    return ConnectResponse.make(blocks).encode()


def confirm(selected: Protocol = Protocol.RDP) -> bytes:
    return ConnectionConfirm(selected, 1).encode()


def packets(data: bytes) -> list[bytes]:
    found, rest = split(data)
    assert rest == b""
    return found


def message_of(packet: bytes) -> bytes:
    """The licensing message of a packet for a client."""
    sent = decode(packet)
    assert isinstance(sent, SendDataIndication)
    assert sent.data[:4] == bytes.fromhex("80000000"), sent.data[:4].hex()
    return sent.data[4:]


def licensing_client(name: str = "PC1", *, bare: bool = False, stored: bytes | None = None) -> ClientSession:
    """A client's part of licensing, always with the same randoms. ``bare``: as rdesktop does it."""
    numbers = KEY.private_key.public_key().public_numbers()
    return ClientSession(
        client_random=b"\x09" * 32,
        premaster=b"\x07" * 48,
        encrypt=lambda premaster, _certificate: encrypt_premaster(premaster, numbers.n, numbers.e),
        hardware_id=hardware_id(name),
        user_name="alice",
        machine_name=name,
        license=stored,
        deviations=Deviations(null_keys=bare, bare_challenge=bare),
    )


def hardware_id(name: str) -> bytes:
    return bytes.fromhex("00000104") + hashlib.md5(name.encode()).digest()
