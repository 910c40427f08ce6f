"""For which product does a session host want a license? PRODUCT_INFO, [MS-RDPELE] 2.2.2.1.1."""

from dataclasses import dataclass

from calward.wire.rdpele.blobs import read_wide, write_wide
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["ProductInfo"]


@dataclass(frozen=True, slots=True)
class ProductInfo:
    """The session host's product. Clients may file what they store under it: keep it constant."""

    version: int
    """Major version in the high word, minor version in the low word: 0x00060000 is 6.0."""
    company: str
    product: str
    """Windows says "A02"."""

    @classmethod
    def read(cls, reader: Reader) -> "ProductInfo":
        """Read it as part of a message."""
        return cls(reader.u32("dwVersion"), read_wide(reader, "CompanyName"), read_wide(reader, "ProductId"))

    def write(self, writer: Writer) -> Writer:
        """Write it as part of a message."""
        writer.u32(self.version, "dwVersion")
        return write_wide(write_wide(writer, self.company, "CompanyName"), self.product, "ProductId")
