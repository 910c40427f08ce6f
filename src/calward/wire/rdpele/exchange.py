"""How does each of the client's two first messages begin? Key exchange and platform, [MS-RDPELE] 2.2.2.2 and 2.2.2.3."""

from typing import Final

from calward.wire.rdpele.blobs import BlobType
from calward.wire.rdpele.legacy_crypto import RANDOM_SIZE
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["read_exchange", "write_exchange"]

_RSA: Final = 1
"""KEY_EXCHANGE_ALG_RSA."""


def read_exchange(reader: Reader) -> tuple[int, bytes, bytes]:
    """Read platform id, client random and encrypted premaster secret; the secret's length is the client's affair.

    Its length is 8 more than that of the key at most clients, 72 at rdesktop whatever the key, one less at some.
    """
    reader.u32("PreferredKeyExchangeAlg")  # MUST be RSA; no other algorithm has ever been defined.
    platform_id = reader.u32("PlatformId")
    client_random = reader.take(RANDOM_SIZE, "ClientRandom")
    return platform_id, client_random, reader.blob("EncryptedPreMasterSecret")[1]


def write_exchange(writer: Writer, platform_id: int, client_random: bytes, encrypted_premaster: bytes) -> Writer:
    """Write what read_exchange reads."""
    writer.u32(_RSA, "PreferredKeyExchangeAlg").u32(platform_id, "PlatformId")
    writer.fixed(client_random, RANDOM_SIZE, "ClientRandom")
    return writer.blob(BlobType.RANDOM, encrypted_premaster, "EncryptedPreMasterSecret")
