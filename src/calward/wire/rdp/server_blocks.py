"""What does a server answer about itself? The blocks SC_CORE, SC_SECURITY, SC_NET and SC_MCS_MSGCHANNEL.

Source: [MS-RDPBCGR] 2.2.1.4.2 to 2.2.1.4.5.
"""

from dataclasses import dataclass
from typing import Final

from calward.wire.rdp.gcc import Block, BlockKind
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = [
    "CLIENT_REQUESTED_PROTOCOLS_OFFSET",
    "IO_CHANNEL",
    "MessageChannel",
    "ServerCore",
    "ServerNetwork",
    "ServerSecurity",
]

CLIENT_REQUESTED_PROTOCOLS_OFFSET: Final = 4
"""Bytes from the start of SC_CORE's data; older servers end before."""
IO_CHANNEL: Final = 1003
"""The channel that every server uses for input, output and licensing."""

_RDP_5: Final = 0x00080004
_METHOD_BITS: Final = {1: 40, 2: 128, 8: 56}


@dataclass(frozen=True, slots=True)
class ServerCore:
    """SC_CORE; optional fields of older servers are None."""

    version: int = _RDP_5
    client_requested_protocols: int | None = None
    early_capability_flags: int | None = None

    @classmethod
    def decode(cls, data: bytes) -> "ServerCore":
        """Read the data of the block; RemoteProtocolError where a field is cut."""
        reader = Reader(data, "SC_CORE")
        version = reader.u32("version")
        requested = reader.u32("clientRequestedProtocols") if reader.remaining else None
        return cls(version, requested, reader.u32("earlyCapabilityFlags") if reader.remaining else None)

    def encode(self) -> Block:
        """Give the block; it ends before the first field that is None."""
        writer = Writer("SC_CORE").u32(self.version, "version")
        if self.client_requested_protocols is not None:
            writer.u32(self.client_requested_protocols, "clientRequestedProtocols")
            if self.early_capability_flags is not None:
                writer.u32(self.early_capability_flags, "earlyCapabilityFlags")
        return Block(BlockKind.SC_CORE, writer.done())


@dataclass(frozen=True, slots=True)
class ServerSecurity:
    """SC_SECURITY: method and level of standard RDP security; 0 and 0, and nothing more, under TLS."""

    method: int = 0
    level: int = 0
    server_random: bytes = b""
    certificate: bytes = b""

    @property
    def bits(self) -> int | None:
        """Length of the keys; None without encryption and for FIPS, which we do not speak."""
        return _METHOD_BITS.get(self.method)

    @classmethod
    def decode(cls, data: bytes) -> "ServerSecurity":
        """Read the data of the block; RemoteProtocolError where it ends too early."""
        reader = Reader(data, "SC_SECURITY")
        method, level = reader.u32("encryptionMethod"), reader.u32("encryptionLevel")
        if not (method or level) or not reader.remaining:
            return cls(method, level)
        random_size, certificate_size = reader.u32("serverRandomLen"), reader.u32("serverCertLen")
        random = reader.take(random_size, "serverRandom")
        return cls(method, level, random, reader.take(certificate_size, "serverCertificate"))

    def encode(self) -> Block:
        """Give the block."""
        writer = Writer("SC_SECURITY").u32(self.method, "encryptionMethod").u32(self.level, "encryptionLevel")
        if self.method or self.level:
            writer.u32(len(self.server_random), "serverRandomLen").u32(len(self.certificate), "serverCertLen")
            writer.put(self.server_random).put(self.certificate)
        return Block(BlockKind.SC_SECURITY, writer.done())


@dataclass(frozen=True, slots=True)
class ServerNetwork:
    """SC_NET: the numbers of the I/O channel and of the static virtual channels, in the client's order."""

    io_channel: int = IO_CHANNEL
    channels: tuple[int, ...] = ()

    @classmethod
    def decode(cls, data: bytes) -> "ServerNetwork":
        """Read the data of the block; RemoteProtocolError where it ends too early."""
        reader = Reader(data, "SC_NET")
        io_channel, count = reader.u16("MCSChannelId"), reader.u16("channelCount")
        return cls(io_channel, tuple(reader.u16("channelIdArray") for _ in range(count)))

    def encode(self) -> Block:
        """Give the block, padded to a multiple of four bytes."""
        writer = Writer("SC_NET").u16(self.io_channel, "MCSChannelId").u16(len(self.channels), "channelCount")
        for channel in self.channels:
            writer.u16(channel, "channelIdArray")
        return Block(BlockKind.SC_NET, writer.put(bytes(len(self.channels) % 2 * 2)).done())


@dataclass(frozen=True, slots=True)
class MessageChannel:
    """SC_MCS_MSGCHANNEL: the channel of auto-detection, whose packets always have a security header."""

    channel: int

    @classmethod
    def decode(cls, data: bytes) -> "MessageChannel":
        """Read the data of the block; RemoteProtocolError where it ends too early."""
        return cls(Reader(data, "SC_MCS_MSGCHANNEL").u16("MCSChannelID"))

    def encode(self) -> Block:
        """Give the block."""
        return Block(BlockKind.SC_MCS_MSGCHANNEL, Writer("SC_MCS_MSGCHANNEL").u16(self.channel, "MCSChannelID").done())
