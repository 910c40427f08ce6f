"""What does a client call itself in 20 bytes? CLIENT_HARDWARE_ID, [MS-RDPELE] 2.2.2.3.1."""

from dataclasses import dataclass
from typing import Final

from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["SIZE", "HardwareId"]

SIZE: Final = 20
_DATA_SIZE: Final = 16
_NAME: Final = "CLIENT_HARDWARE_ID"


@dataclass(frozen=True, slots=True)
class HardwareId:
    """A platform and 16 bytes of the client's choice: a hash of its name, the name itself, zeros, or what Windows keeps."""

    platform_id: int
    """Operating system in the high byte, vendor below it, build in the low word; not always that of the request."""
    data: bytes

    @classmethod
    def decode(cls, data: bytes) -> "HardwareId":
        """Read the 20 bytes; RemoteProtocolError if there are more or fewer."""
        reader = Reader(data, _NAME)
        platform_id, chosen = reader.u32("PlatformId"), reader.take(_DATA_SIZE, "Data")
        reader.end()
        return cls(platform_id, chosen)

    def encode(self) -> bytes:
        """Write the 20 bytes."""
        return Writer(_NAME).u32(self.platform_id, "PlatformId").fixed(self.data, _DATA_SIZE, "Data").done()
