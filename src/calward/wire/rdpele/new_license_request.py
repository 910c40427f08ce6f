"""How does a client without a license ask for one? CLIENT_NEW_LICENSE_REQUEST, [MS-RDPELE] 2.2.2.2."""

from dataclasses import dataclass, field
from typing import Final

from calward.wire.rdpele.blobs import BlobType, narrow, to_narrow
from calward.wire.rdpele.exchange import read_exchange, write_exchange
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["NewLicenseRequest"]

_NAME: Final = "CLIENT_NEW_LICENSE_REQUEST"


@dataclass(frozen=True, slots=True)
class NewLicenseRequest:
    """A client that has no license; nothing of what it says of itself is proven."""

    platform_id: int
    client_random: bytes = field(repr=False)
    encrypted_premaster: bytes = field(repr=False)
    user_name: str
    machine_name: str

    @classmethod
    def decode(cls, body: bytes) -> "NewLicenseRequest":
        """Read the message behind its preamble; RemoteProtocolError where it is malformed."""
        reader = Reader(body, _NAME)
        exchange = read_exchange(reader)
        _, user_name = reader.blob("ClientUserName")
        _, machine_name = reader.blob("ClientMachineName")
        reader.end()
        return cls(*exchange, narrow(user_name), narrow(machine_name))

    def encode(self) -> bytes:
        """Write the message without its preamble."""
        writer = write_exchange(Writer(_NAME), self.platform_id, self.client_random, self.encrypted_premaster)
        writer.blob(BlobType.USER_NAME, to_narrow(self.user_name), "ClientUserName")
        return writer.blob(BlobType.MACHINE_NAME, to_narrow(self.machine_name), "ClientMachineName").done()
