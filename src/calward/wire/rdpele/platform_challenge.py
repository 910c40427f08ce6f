"""What must a client decrypt to go on? SERVER_PLATFORM_CHALLENGE, [MS-RDPELE] 2.2.2.4."""

from dataclasses import dataclass
from typing import Final

from calward.wire.rdpele.blobs import BlobType
from calward.wire.rdpele.legacy_crypto import MAC_SIZE
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["CHALLENGE_SIZE", "PlatformChallenge"]

CHALLENGE_SIZE: Final = 10
"""Bytes of our challenge: rdesktop crashes at any other length."""
_NAME: Final = "SERVER_PLATFORM_CHALLENGE"


@dataclass(frozen=True, slots=True)
class PlatformChallenge:
    """The challenge, encrypted."""

    encrypted_challenge: bytes
    mac: bytes
    """Over the decrypted challenge."""
    connect_flags: int = 0
    """Reserved: any value."""
    blob_type: int = BlobType.ENCRYPTED_DATA
    """Unused ([MS-RDPELE] appendix A, note 12): any value."""

    @classmethod
    def decode(cls, body: bytes) -> "PlatformChallenge":
        """Read the message behind its preamble; RemoteProtocolError where it is malformed."""
        reader = Reader(body, _NAME)
        connect_flags = reader.u32("ConnectFlags")
        blob_type, challenge = reader.blob("EncryptedPlatformChallenge")
        mac = reader.take(MAC_SIZE, "MACData")
        reader.end()
        return cls(challenge, mac, connect_flags, blob_type)

    def encode(self) -> bytes:
        """Write the message without its preamble."""
        writer = Writer(_NAME).u32(self.connect_flags, "ConnectFlags")
        writer.blob(self.blob_type, self.encrypted_challenge, "EncryptedPlatformChallenge")
        return writer.fixed(self.mac, MAC_SIZE, "MACData").done()
