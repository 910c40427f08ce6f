"""How does a client answer the challenge? CLIENT_PLATFORM_CHALLENGE_RESPONSE, [MS-RDPELE] 2.2.2.5."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from calward.wire.rdpele.blobs import BlobType
from calward.wire.rdpele.legacy_crypto import MAC_SIZE
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["ChallengeResponse", "ClientType", "DetailLevel", "ResponseData"]

_NAME: Final = "CLIENT_PLATFORM_CHALLENGE_RESPONSE"
_DATA: Final = "PLATFORM_CHALLENGE_RESPONSE_DATA"
_VERSION: Final = 0x0100


class ClientType(IntEnum):
    """Values of wClientType."""

    WIN32 = 0x0100
    WIN16 = 0x0200
    WINCE = 0x0300
    OTHER = 0xFF00


class DetailLevel(IntEnum):
    """Values of wLicenseDetailLevel: how much of a license's certificates the client can keep."""

    SIMPLE = 1
    MODERATE = 2
    DETAIL = 3


@dataclass(frozen=True, slots=True)
class ResponseData:
    """The decrypted answer, where a client sends it as specified; rdesktop sends the bare challenge instead."""

    challenge: bytes
    client_type: int = ClientType.WIN32
    detail_level: int = DetailLevel.DETAIL
    version: int = _VERSION

    @classmethod
    def decode(cls, data: bytes) -> "ResponseData":
        """Read the decrypted answer; RemoteProtocolError where it is malformed. Source: 2.2.2.5.1."""
        reader = Reader(data, _DATA)
        version = reader.u16("wVersion")
        client_type = reader.u16("wClientType")
        detail_level = reader.u16("wLicenseDetailLevel")
        challenge = reader.take(reader.u16("cbChallenge"), "pbChallenge")
        reader.end()
        return cls(challenge, client_type, detail_level, version)

    def encode(self) -> bytes:
        """Write the answer, to be encrypted."""
        writer = Writer(_DATA).u16(self.version, "wVersion").u16(self.client_type, "wClientType")
        writer.u16(self.detail_level, "wLicenseDetailLevel").u16(len(self.challenge), "cbChallenge")
        return writer.put(self.challenge).done()


@dataclass(frozen=True, slots=True)
class ChallengeResponse:
    """The answer and the hardware id, encrypted one by one."""

    encrypted_response: bytes
    encrypted_hardware_id: bytes
    mac: bytes
    """Over the decrypted answer and the decrypted hardware id behind it."""
    blob_types: tuple[int, int] = (BlobType.ENCRYPTED_DATA, BlobType.ENCRYPTED_DATA)
    """Of answer and hardware id. Unused ([MS-RDPELE] appendix A, notes 13 and 15): any value."""

    @classmethod
    def decode(cls, body: bytes) -> "ChallengeResponse":
        """Read the message behind its preamble; RemoteProtocolError where it is malformed."""
        reader = Reader(body, _NAME)
        response_type, response = reader.blob("EncryptedPlatformChallengeResponse")
        hardware_type, hardware_id = reader.blob("EncryptedHWID")
        mac = reader.take(MAC_SIZE, "MACData")
        reader.end()
        return cls(response, hardware_id, mac, (response_type, hardware_type))

    def encode(self) -> bytes:
        """Write the message without its preamble."""
        response_type, hardware_type = self.blob_types
        writer = Writer(_NAME).blob(response_type, self.encrypted_response, "EncryptedPlatformChallengeResponse")
        writer.blob(hardware_type, self.encrypted_hardware_id, "EncryptedHWID")
        return writer.fixed(self.mac, MAC_SIZE, "MACData").done()
