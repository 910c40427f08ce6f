"""How does a client present the license it keeps? CLIENT_LICENSE_INFO, [MS-RDPELE] 2.2.2.3."""

from dataclasses import dataclass, field
from typing import Final

from calward.wire.rdpele.blobs import BlobType
from calward.wire.rdpele.exchange import read_exchange, write_exchange
from calward.wire.rdpele.legacy_crypto import MAC_SIZE
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["LicenseInfo"]

_NAME: Final = "CLIENT_LICENSE_INFO"


@dataclass(frozen=True, slots=True)
class LicenseInfo:
    """A client with a license, from us or from any other issuer."""

    platform_id: int
    client_random: bytes = field(repr=False)
    encrypted_premaster: bytes = field(repr=False)
    license: bytes = field(repr=False)
    """The license in clear, opaque; the MAC does not cover it."""
    encrypted_hardware_id: bytes
    mac: bytes
    """Over the decrypted hardware id alone."""

    @classmethod
    def decode(cls, body: bytes) -> "LicenseInfo":
        """Read the message behind its preamble; RemoteProtocolError where it is malformed."""
        reader = Reader(body, _NAME)
        exchange = read_exchange(reader)
        _, license_ = reader.blob("LicenseInfo")
        _, hardware_id = reader.blob("EncryptedHWID")
        mac = reader.take(MAC_SIZE, "MACData")
        reader.end()
        return cls(*exchange, license_, hardware_id, mac)

    def encode(self) -> bytes:
        """Write the message without its preamble."""
        writer = write_exchange(Writer(_NAME), self.platform_id, self.client_random, self.encrypted_premaster)
        writer.blob(BlobType.DATA, self.license, "LicenseInfo")
        writer.blob(BlobType.ENCRYPTED_DATA, self.encrypted_hardware_id, "EncryptedHWID")
        return writer.fixed(self.mac, MAC_SIZE, "MACData").done()
