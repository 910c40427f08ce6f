"""What stands before the data of a packet? The security header: flags, and where it is encrypted a MAC.

Source: [MS-RDPBCGR] 2.2.8.1.1.2 Security Headers, 2.2.1.10 Client Security Exchange PDU.
"""

from dataclasses import dataclass
from enum import IntFlag
from typing import Final

from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["BASIC_HEADER_SIZE", "MAC_SIZE", "SecurityExchange", "SecurityFlag", "SecurityHeader"]

BASIC_HEADER_SIZE: Final = 4
MAC_SIZE: Final = 8

_EXCHANGE_PADDING: Final = 8


class SecurityFlag(IntFlag):
    """What a packet carries and how ([MS-RDPBCGR] 2.2.8.1.1.2.1)."""

    EXCHANGE_PKT = 0x0001
    TRANSPORT_REQ = 0x0002
    TRANSPORT_RSP = 0x0004
    ENCRYPT = 0x0008
    RESET_SEQNO = 0x0010
    IGNORE_SEQNO = 0x0020
    INFO_PKT = 0x0040
    LICENSE_PKT = 0x0080
    LICENSE_ENCRYPT = 0x0200
    REDIRECTION_PKT = 0x0400
    SECURE_CHECKSUM = 0x0800
    AUTODETECT_REQ = 0x1000
    AUTODETECT_RSP = 0x2000
    HEARTBEAT = 0x4000
    FLAGSHI_VALID = 0x8000


@dataclass(frozen=True, slots=True)
class SecurityHeader:
    """A basic or a non-FIPS header; ``mac`` is None in a basic one."""

    flags: SecurityFlag
    mac: bytes | None = None
    flags_hi: int = 0
    """Has no meaning without FLAGSHI_VALID; some send garbage."""

    @classmethod
    def split(cls, data: bytes) -> tuple["SecurityHeader", bytes]:
        """Read the header off the data of a packet and give both; RemoteProtocolError where it ends too early.

        Whether there is a header at all only the state of the connection tells.
        """
        reader = Reader(data, "security header")
        flags, flags_hi = SecurityFlag(reader.u16("flags")), reader.u16("flagsHi")
        mac = reader.take(MAC_SIZE, "dataSignature") if flags & SecurityFlag.ENCRYPT else None
        return cls(flags, mac, flags_hi), reader.rest()

    def encode(self) -> bytes:
        """Give the header; the payload follows it."""
        writer = Writer("security header").u16(self.flags, "flags").u16(self.flags_hi, "flagsHi")
        return (writer if self.mac is None else writer.fixed(self.mac, MAC_SIZE, "dataSignature")).done()


@dataclass(frozen=True, slots=True)
class SecurityExchange:
    """What follows the header of a Security Exchange: the client's random for standard RDP security, encrypted by RSA."""

    encrypted_random: bytes
    """Little-endian, as long as the modulus; the 8 zero bytes behind it are left out."""

    @classmethod
    def decode(cls, data: bytes) -> "SecurityExchange":
        """Read what follows the security header; RemoteProtocolError where it is malformed."""
        reader = Reader(data, "Security Exchange")
        size = reader.u32("length")
        if size < _EXCHANGE_PADDING:
            raise reader.error(f"{size} bytes are fewer than the padding", "length")
        encrypted = reader.take(size, "encryptedClientRandom")
        reader.end()
        return cls(encrypted[:-_EXCHANGE_PADDING])

    def encode(self) -> bytes:
        """Give what follows the security header."""
        data = self.encrypted_random + bytes(_EXCHANGE_PADDING)
        return Writer("Security Exchange").u32(len(data), "length").put(data).done()
