"""How does a license reach a client? SERVER_NEW_LICENSE and SERVER_UPGRADE_LICENSE, [MS-RDPELE] 2.2.2.7 and 2.2.2.6."""

from dataclasses import dataclass, field
from typing import Final

from calward.wire.rdpele.blobs import BlobType, narrow, read_wide, to_narrow, write_wide
from calward.wire.rdpele.legacy_crypto import MAC_SIZE
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["NewLicense", "NewLicenseInfo"]

_NAME: Final = "SERVER_NEW_LICENSE"
_INFO: Final = "NEW_LICENSE_INFO"


@dataclass(frozen=True, slots=True)
class NewLicenseInfo:
    """What is inside, decrypted: the license, and under which names a client may file it."""

    version: int
    """As in ProductInfo."""
    scope: str
    company: str
    product: str
    license: bytes = field(repr=False)
    """Opaque to the client, which presents the same bytes next time."""

    @classmethod
    def decode(cls, data: bytes) -> "NewLicenseInfo":
        """Read the decrypted content; RemoteProtocolError where it is malformed. Source: 2.2.2.6.1."""
        reader = Reader(data, _INFO)
        version = reader.u32("dwVersion")
        scope = narrow(reader.take(reader.u32("cbScope"), "pbScope"))
        company, product = read_wide(reader, "CompanyName"), read_wide(reader, "ProductId")
        license_ = reader.take(reader.u32("cbLicenseInfo"), "pbLicenseInfo")
        reader.end()
        return cls(version, scope, company, product, license_)

    def encode(self) -> bytes:
        """Write the content, to be encrypted."""
        scope = to_narrow(self.scope)
        writer = Writer(_INFO).u32(self.version, "dwVersion").u32(len(scope), "cbScope").put(scope)
        write_wide(write_wide(writer, self.company, "CompanyName"), self.product, "ProductId")
        return writer.u32(len(self.license), "cbLicenseInfo").put(self.license).done()


@dataclass(frozen=True, slots=True)
class NewLicense:
    """A new license, or one in place of what was presented: the message type alone tells."""

    encrypted_info: bytes = field(repr=False)
    mac: bytes
    """Over the decrypted NEW_LICENSE_INFO."""

    @classmethod
    def decode(cls, body: bytes) -> "NewLicense":
        """Read the message behind its preamble; RemoteProtocolError where it is malformed."""
        reader = Reader(body, _NAME)
        _, info = reader.blob("EncryptedLicenseInfo")
        mac = reader.take(MAC_SIZE, "MACData")
        reader.end()
        return cls(info, mac)

    def encode(self) -> bytes:
        """Write the message without its preamble."""
        writer = Writer(_NAME).blob(BlobType.ENCRYPTED_DATA, self.encrypted_info, "EncryptedLicenseInfo")
        return writer.fixed(self.mac, MAC_SIZE, "MACData").done()
