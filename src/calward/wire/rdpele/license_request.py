"""How does a session host open licensing? SERVER_LICENSE_REQUEST, [MS-RDPELE] 2.2.2.1."""

from dataclasses import dataclass
from typing import Final

from calward.wire.rdpele.blobs import BlobType, narrow, to_narrow
from calward.wire.rdpele.legacy_crypto import RANDOM_SIZE
from calward.wire.rdpele.product_info import ProductInfo
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["LicenseRequest"]

_NAME: Final = "SERVER_LICENSE_REQUEST"
_RSA: Final = (1).to_bytes(4, "little")
"""KEY_EXCHANGE_ALG_RSA, the only algorithm there is."""


@dataclass(frozen=True, slots=True)
class LicenseRequest:
    """What the server says of itself."""

    server_random: bytes
    """32 bytes; they have nothing to do with the server random of standard RDP security."""
    product: ProductInfo
    certificate: bytes
    """A certificate as `certificates` reads it; empty where the client shall use the one of standard RDP security."""
    scopes: tuple[str, ...]
    """Issuers whose licenses count."""

    @classmethod
    def decode(cls, body: bytes) -> "LicenseRequest":
        """Read the message behind its preamble; RemoteProtocolError where it is malformed."""
        reader = Reader(body, _NAME)
        server_random, product = reader.take(RANDOM_SIZE, "ServerRandom"), ProductInfo.read(reader)
        reader.blob("KeyExchangeList")  # RSA, whatever it says: no other algorithm has ever been defined.
        _, certificate = reader.blob("ServerCertificate")
        scopes = _scopes(reader)
        reader.end()
        return cls(server_random, product, certificate, scopes)

    def encode(self) -> bytes:
        """Write the message without its preamble."""
        writer = Writer(_NAME).fixed(self.server_random, RANDOM_SIZE, "ServerRandom")
        self.product.write(writer).blob(BlobType.KEY_EXCHANGE, _RSA, "KeyExchangeList")
        writer.blob(BlobType.CERTIFICATE, self.certificate, "ServerCertificate").u32(len(self.scopes), "ScopeCount")
        for scope in self.scopes:
            writer.blob(BlobType.SCOPE, to_narrow(scope), "Scope")
        return writer.done()


def _scopes(reader: Reader) -> tuple[str, ...]:
    """Read SCOPE_LIST ([MS-RDPELE] 2.2.2.1.2.1); a count beyond the end fails at the first blob that is not there."""
    return tuple(narrow(reader.blob("Scope")[1]) for _ in range(reader.u32("ScopeCount")))
