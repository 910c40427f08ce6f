"""A client and a host in memory, as the relay meets them: whole packets of RDP, and a client's part of licensing."""

import hashlib
import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from calward.adapters.signing.wire_rsa import WireKey
from calward.wire.rdp.gcc import Block, BlockKind
from calward.wire.rdp.mcs import ConnectInitial, ConnectResponse
from calward.wire.rdp.tpkt import split
from calward.wire.rdp.x224 import ConnectionConfirm, ConnectionRequest, Protocol, data_packet
from calward.wire.rdpele.certificates import CertificateChain
from calward.wire.rdpele.challenge_response import ChallengeResponse, ResponseData
from calward.wire.rdpele.legacy_crypto import derive_keys, mac, rc4
from calward.wire.rdpele.license_info import LicenseInfo
from calward.wire.rdpele.license_request import LicenseRequest
from calward.wire.rdpele.new_license import NewLicense, NewLicenseInfo
from calward.wire.rdpele.new_license_request import NewLicenseRequest
from calward.wire.rdpele.platform_challenge import PlatformChallenge
from calward.wire.rdpele.preamble import MessageType, frame, unframe
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
    return send(USER, channel, struct.pack("<HH", flags, 0) + b"alice" + PASSWORD)


def block(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, 4 + len(content)) + content


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
    data = packet[7 + 6 :]
    data = data[2:] if data[0] & 0x80 else data[1:]
    assert data[:4] == bytes.fromhex("80000000"), data[:4].hex()
    return data[4:]


@dataclass
class LicensingClient:
    """A client's part of licensing. ``bare``: as rdesktop does it."""

    name: str = "PC1"
    bare: bool = False
    stored: bytes | None = None
    hardware_id: bytes = b""
    seen: list[MessageType] = field(default_factory=list)
    said: bytes = b""

    def __post_init__(self) -> None:
        self.hardware_id = self.hardware_id or bytes.fromhex("00000104") + hashlib.md5(self.name.encode()).digest()

    def answer(self, message: bytes) -> bytes | None:
        """The next message, None where licensing has ended."""
        preamble, body = unframe(message)
        self.seen.append(preamble.type)
        match preamble.type:
            case MessageType.LICENSE_REQUEST:
                return self._request(LicenseRequest.decode(body))
            case MessageType.PLATFORM_CHALLENGE:
                return self._respond(PlatformChallenge.decode(body))
            case MessageType.NEW_LICENSE | MessageType.UPGRADE_LICENSE:
                found = NewLicense.decode(body)
                plain = rc4(self.keys.licensing_key, found.encrypted_info)
                assert found.mac == mac(self.keys, plain)
                self.stored = NewLicenseInfo.decode(plain).license
        return None

    def _request(self, request: LicenseRequest) -> bytes:
        premaster, random = (bytes(48), bytes(32)) if self.bare else (b"\x07" * 48, b"\x09" * 32)
        numbers = KEY.private_key.public_key().public_numbers()
        secret = pow(int.from_bytes(premaster, "little"), numbers.e, numbers.n).to_bytes(
            72 if self.bare else 264, "little"
        )
        self.keys = derive_keys(premaster, random, request.server_random)
        if self.stored is None:
            new = NewLicenseRequest(0x04010000, random, secret, "alice", self.name)
            return frame(MessageType.NEW_LICENSE_REQUEST, new.encode())
        hidden = rc4(self.keys.licensing_key, self.hardware_id)
        info = LicenseInfo(0x04010000, random, secret, self.stored, hidden, mac(self.keys, self.hardware_id))
        return frame(MessageType.LICENSE_INFO, info.encode())

    def _respond(self, challenge: PlatformChallenge) -> bytes:
        plain = rc4(self.keys.licensing_key, challenge.encrypted_challenge)
        assert challenge.mac == mac(self.keys, plain)
        response = plain if self.bare else ResponseData(plain).encode()
        hidden = [rc4(self.keys.licensing_key, part) for part in (response, self.hardware_id)]
        answer = ChallengeResponse(hidden[0], hidden[1], mac(self.keys, response + self.hardware_id))
        return frame(MessageType.PLATFORM_CHALLENGE_RESPONSE, answer.encode())


__all__ = [name for name in dir() if not name.startswith("_") and name != "wrap"]
