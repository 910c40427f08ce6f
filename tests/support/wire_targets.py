"""What of the wire takes bytes from outside? Every decoder and both licensing sessions, each as a function of bytes.

Of whatever bytes, a target makes something, or raises RemoteProtocolError; anything else is a bug. Hypothesis and atheris
use the same table.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp import mcs, tpkt, x224
from calward.wire.rdp.client_blocks import ClientCore, ClientNetwork, ClientSecurity
from calward.wire.rdp.credssp import Logon
from calward.wire.rdp.licensing_data import host_licensing, licensing_data, licensing_message
from calward.wire.rdp.security import SecurityExchange, SecurityFlag, SecurityHeader
from calward.wire.rdp.server_blocks import MessageChannel, ServerCore, ServerNetwork, ServerSecurity
from calward.wire.rdpele.certificates import CertificateChain, ProprietaryCertificate, decode_certificate
from calward.wire.rdpele.challenge_response import ChallengeResponse, ResponseData
from calward.wire.rdpele.client_session import Answered, ClientSession
from calward.wire.rdpele.hardware_id import HardwareId
from calward.wire.rdpele.legacy_crypto import derive_keys, mac, rc4
from calward.wire.rdpele.license_error import LicenseError
from calward.wire.rdpele.license_info import LicenseInfo
from calward.wire.rdpele.license_request import LicenseRequest
from calward.wire.rdpele.new_license import NewLicense, NewLicenseInfo
from calward.wire.rdpele.new_license_request import NewLicenseRequest
from calward.wire.rdpele.platform_challenge import PlatformChallenge
from calward.wire.rdpele.preamble import MessageType, frame, unframe
from calward.wire.rdpele.product_info import ProductInfo
from calward.wire.rdpele.server_session import TRANSITIONS, Ended, Offer, Presented, Proven, ServerSession
from calward.wire.transcript import FROM_CLIENT, FROM_SERVER, Secrets, Transcript
from tests.support.vectors import block, blocks

Target = Callable[[bytes], object]

SERVER_RANDOM, CLIENT_RANDOM, PREMASTER, CHALLENGE = b"s" * 32, b"c" * 32, bytes(range(1, 49)), b"0123456789"
KEYS: Final = derive_keys(PREMASTER, CLIENT_RANDOM, SERVER_RANDOM)
OFFER: Final = Offer(ProductInfo(0x000A0000, "Example", "A02"), b"certificate", ("example",))

DECODERS: Final[dict[str, Target]] = {
    "stream": tpkt.split,
    "connection request": x224.ConnectionRequest.decode,
    "connection confirm": x224.decode_confirm,
    "TPDU code": x224.tpdu_code,
    "MCS": mcs.decode,
    "CS_CORE": ClientCore.decode,
    "CS_SECURITY": ClientSecurity.decode,
    "CS_NET": ClientNetwork.decode,
    "SC_CORE": ServerCore.decode,
    "SC_SECURITY": ServerSecurity.decode,
    "SC_NET": ServerNetwork.decode,
    "SC_MCS_MSGCHANNEL": MessageChannel.decode,
    "security header": SecurityHeader.split,
    "security exchange": SecurityExchange.decode,
    "CredSSP": lambda data: Logon().feed(data),
    "client's licensing data": licensing_message,
    "host's licensing data": host_licensing,
    "preamble": unframe,
    "license request": LicenseRequest.decode,
    "new license request": NewLicenseRequest.decode,
    "license info": LicenseInfo.decode,
    "platform challenge": PlatformChallenge.decode,
    "challenge response": ChallengeResponse.decode,
    "response data": ResponseData.decode,
    "new license": NewLicense.decode,
    "new license info": NewLicenseInfo.decode,
    "license error": LicenseError.decode,
    "hardware id": HardwareId.decode,
    "certificate": decode_certificate,
}

_MESSAGES: Final = (
    "4.1-license-request",
    "4.2-new-license-request",
    "4.3-license-info",
    "4.4-platform-challenge",
    "4.5-challenge-response",
    "4.6-new-license",
)


def seeds() -> dict[str, list[bytes]]:
    """Right bytes for each decoder: those of the specifications and of clients, and ours where there are none."""
    packets = blocks("ms-rdpbcgr-4.1-connection.hex")
    messages = [block(f"ms-rdpele-{name}.hex") for name in _MESSAGES]
    bodies = [one[4:] for one in messages]
    client, server = mcs.ConnectInitial.decode(packets[2]).blocks, mcs.ConnectResponse.decode(packets[3]).blocks
    chain = LicenseRequest.decode(bodies[0]).certificate
    return {
        "stream": [b"".join(packets), b"\x00\x05abc\x80\x80\x06abc"],
        "connection request": [packets[0], x224.ConnectionRequest(x224.Protocol.SSL, b"", 8, bytes(36)).encode()],
        "connection confirm": [packets[1], x224.NegotiationFailure(5).encode()],
        "TPDU code": packets[:3],
        "MCS": packets[2:],
        "CS_CORE": [client[0].data],
        "CS_SECURITY": [client[2].data],
        "CS_NET": [client[3].data],
        "SC_CORE": [server[0].data],
        "SC_SECURITY": [server[2].data],
        "SC_NET": [server[1].data],
        "SC_MCS_MSGCHANNEL": [MessageChannel(1004).encode().data],
        "security header": [mcs.decode(one).data for one in packets[-3:]],
        "security exchange": [mcs.decode(packets[-3]).data[4:]],
        "CredSSP": [b"\x30\x82\x01\x00" + bytes(256) + b"\x30\x03abc" + packets[2]],
        "client's licensing data": [licensing_data(one) for one in messages[1:3]],
        "host's licensing data": [licensing_data(one) for one in messages[:1]],
        "preamble": messages,
        "license request": bodies[:1],
        "new license request": bodies[1:2],
        "license info": bodies[2:3],
        "platform challenge": bodies[3:4],
        "challenge response": bodies[4:5],
        "response data": [ResponseData(CHALLENGE).encode()],
        "new license": bodies[5:],
        "new license info": [NewLicenseInfo(0x60000, "example", "Company", "A02", b"license").encode()],
        "license error": [LicenseError(7, 2).encode()],
        "hardware id": [HardwareId(0x04010000, b"h" * 16).encode()],
        "certificate": [
            chain,
            CertificateChain((b"root", b"host")).encode(),
            ProprietaryCertificate((1 << 511) + 1, 65537, bytes(72)).encode(),
        ],
    }


# --- sessions: bytes become a hostile peer's messages ----------------------------------------------------------------


def messages_of(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut bytes into messages: one byte of choice, two bytes of length, and as much as there is."""
    while data:
        choice, size = data[0], int.from_bytes(data[1:3], "little")
        yield choice, data[3 : 3 + size]
        data = data[3 + size :]


def as_messages(*messages: tuple[int, bytes]) -> bytes:
    """What ``messages_of`` cuts apart."""
    return b"".join(bytes([choice]) + len(one).to_bytes(2, "little") + one for choice, one in messages)


def play_client(data: bytes) -> None:
    """Be a client of our licensing server: any messages, some of them with right encryption and MAC around wrong content.

    Choices: 0 raw; 1 new license request, 2 license info, 3 challenge response with the bytes as their content; beyond that
    raw behind a preamble of that type.
    """
    server = ServerSession(OFFER, server_random=SERVER_RANDOM, challenge=CHALLENGE, decrypt_premaster=_premaster)
    server.start()
    for choice, content in messages_of(data):
        if not TRANSITIONS[server.state]:
            with suppress(RemoteProtocolError):
                server.receive(content)
            return
        step = server.receive(_CLIENT.get(choice, lambda one, kind=choice: _framed(kind, one))(content))
        if isinstance(step, Presented):
            server.challenge() if len(content) % 2 else server.accept()
        elif isinstance(step, Proven):
            server.grant(content)
        elif isinstance(step, Ended):
            assert not TRANSITIONS[server.state]


def play_server(data: bytes) -> None:
    """Be a server of our licensing client. Choices: 0 raw; 1 license request, 2 challenge, 3 license, their content right."""
    client = ClientSession(
        client_random=CLIENT_RANDOM,
        premaster=PREMASTER,
        encrypt=lambda premaster, _certificate: premaster + bytes(8),
        hardware_id=bytes(range(20)),
        license=b"stored" if data[:1] > b"\x7f" else None,
    )
    for choice, content in messages_of(data[1:]):
        made = _SERVER.get(choice, lambda one, kind=choice: _framed(kind, one))(content)
        with suppress(RemoteProtocolError):
            step = client.receive(made)
            if isinstance(step, Answered):
                unframe(step.send)


def play_capture(data: bytes) -> None:
    """Be a captured connection. The lowest bit of a choice is the direction, the next one says whether data are framed."""
    transcript = Transcript(Secrets(SERVER_RANDOM, CLIENT_RANDOM, PREMASTER, b"r" * 32))
    for choice, content in messages_of(data):
        form = mcs.SendDataIndication if choice & 1 else mcs.SendDataRequest
        packet = form(1007, 1003, content[:0x3FFF]).encode() if choice & 2 else content
        entry = transcript.packet(FROM_SERVER if choice & 1 else FROM_CLIENT, packet)
        assert (entry.kind == "malformed") == (entry.error is not None)


SESSIONS: Final[dict[str, Target]] = {
    "server session": play_client,
    "client session": play_server,
    "capture": play_capture,
}
TARGETS: Final[dict[str, Target]] = {**DECODERS, **SESSIONS}


def session_seeds() -> dict[str, list[bytes]]:
    """Right conversations for each session."""
    captured = [(1, one) for one in blocks("ms-rdpbcgr-4.1-connection.hex")]
    licensing = [(3, _LICENSED + block(f"ms-rdpele-{name}.hex")) for name in _MESSAGES]
    return {
        "server session": [
            as_messages((1, b"user"), (3, ResponseData(CHALLENGE).encode())),
            as_messages((2, b"license"), (3, CHALLENGE)),
            as_messages((0xFF, LicenseError(2, 1).encode())),
        ],
        "client session": [
            b"\0"
            + as_messages((1, b"certificate"), (2, CHALLENGE), (3, NewLicenseInfo(1, "a", "b", "c", b"d").encode())),
            b"\x80" + as_messages((1, b""), (0xFF, LicenseError(7, 2).encode())),
        ],
        "capture": [as_messages(*captured), as_messages(*licensing)],
    }


_LICENSED: Final = SecurityHeader(SecurityFlag.LICENSE_PKT).encode()


def _premaster(blob: bytes) -> bytes:
    if len(blob) < len(PREMASTER):
        raise ValueError("too short for this key")
    return blob[: len(PREMASTER)]


def _framed(kind: int, body: bytes) -> bytes:
    return bytes([kind, 3]) + (4 + len(body)).to_bytes(2, "little")[:2] + body if len(body) < 0xFFFC else body


def _sealed(content: bytes) -> tuple[bytes, bytes]:
    return rc4(KEYS.licensing_key, content), mac(KEYS, content)


def _new_request(content: bytes) -> bytes:
    request = NewLicenseRequest(1, CLIENT_RANDOM, PREMASTER + bytes(8), content.decode("latin-1"), "desk")
    return frame(MessageType.NEW_LICENSE_REQUEST, request.encode()) if len(content) < 0x4000 else content


def _info(content: bytes) -> bytes:
    hardware_id, check = _sealed(bytes(20))
    info = LicenseInfo(1, CLIENT_RANDOM, PREMASTER + bytes(8), content[:0x4000], hardware_id, check)
    return frame(MessageType.LICENSE_INFO, info.encode())


def _response(content: bytes) -> bytes:
    content = content[:0x4000]
    response = ChallengeResponse(_sealed(content)[0], _sealed(bytes(20))[0], mac(KEYS, content + bytes(20)))
    return frame(MessageType.PLATFORM_CHALLENGE_RESPONSE, response.encode())


def _request(content: bytes) -> bytes:
    request = LicenseRequest(SERVER_RANDOM, OFFER.product, content[:0x4000], ("example",))
    return frame(MessageType.LICENSE_REQUEST, request.encode())


def _challenge(content: bytes) -> bytes:
    return frame(MessageType.PLATFORM_CHALLENGE, PlatformChallenge(*_sealed(content[:0x4000])).encode())


def _license(content: bytes) -> bytes:
    return frame(MessageType.NEW_LICENSE, NewLicense(*_sealed(content[:0x4000])).encode())


_CLIENT: Final[dict[int, Callable[[bytes], bytes]]] = {0: bytes, 1: _new_request, 2: _info, 3: _response}
_SERVER: Final[dict[int, Callable[[bytes], bytes]]] = {0: bytes, 1: _request, 2: _challenge, 3: _license}
