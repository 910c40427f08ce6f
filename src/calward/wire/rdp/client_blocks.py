"""What does a client say of itself? The blocks CS_CORE, CS_SECURITY and CS_NET; nothing of them is proven.

Source: [MS-RDPBCGR] 2.2.1.3.2 to 2.2.1.3.4.
"""

from dataclasses import dataclass
from typing import Final

from calward.wire.rdp.gcc import Block, BlockKind
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["SERVER_SELECTED_PROTOCOL_OFFSET", "ClientCore", "ClientNetwork", "ClientSecurity", "StaticChannel"]

SERVER_SELECTED_PROTOCOL_OFFSET: Final = 208
"""Bytes from the start of CS_CORE's data; older clients end before."""
MAX_CHANNELS: Final = 31

_NAME_SIZE: Final = 32
_EARLY_FLAGS_OFFSET: Final = 140
_DIG_PRODUCT_ID_SIZE: Final = 64
_CHANNEL_NAME_SIZE: Final = 8
_RDP_5: Final = 0x00080004
_COLORS_8_BIT: Final = 0xCA01
_SAS_DELETE: Final = 0xAA03
_US_ENGLISH: Final = 0x409
_ENHANCED_KEYBOARD: Final = (4, 0, 12)
"""Type, subtype, function keys."""


@dataclass(frozen=True, slots=True)
class ClientCore:
    """CS_CORE; optional fields of older clients are None."""

    client_name: str
    """At most 15 characters; clients cut theirs."""
    version: int = _RDP_5
    build: int = 2600
    width: int = 1024
    height: int = 768
    early_capability_flags: int | None = None
    server_selected_protocol: int | None = None

    @classmethod
    def decode(cls, data: bytes) -> "ClientCore":
        """Read the data of the block; RemoteProtocolError where it ends before the keyboard's fields do."""
        reader = Reader(data, "CS_CORE")
        version = reader.u32("version")
        width, height = reader.u16("desktopWidth"), reader.u16("desktopHeight")
        reader.take(8, "colorDepth to keyboardLayout")
        build = reader.u32("clientBuild")
        name = reader.take(_NAME_SIZE, "clientName").decode("utf-16-le", "replace").split("\0")[0]
        reader.take(12, "keyboardType to keyboardFunctionKey")
        flags = _number(data, _EARLY_FLAGS_OFFSET, 2)
        return cls(name, version, build, width, height, flags, _number(data, SERVER_SELECTED_PROTOCOL_OFFSET, 4))

    def encode(self) -> Block:
        """Give the block, with all fields up to serverSelectedProtocol; None is written as 0."""
        writer = Writer("CS_CORE").u32(self.version, "version").u16(self.width, "desktopWidth")
        writer.u16(self.height, "desktopHeight").u16(_COLORS_8_BIT, "colorDepth").u16(_SAS_DELETE, "SASSequence")
        writer.u32(_US_ENGLISH, "keyboardLayout").u32(self.build, "clientBuild")
        name = f"{self.client_name}\0".encode("utf-16-le")
        writer.fixed(name.ljust(_NAME_SIZE, b"\0"), _NAME_SIZE, "clientName")
        for value in _ENHANCED_KEYBOARD:
            writer.u32(value, "keyboardType")
        writer.put(bytes(64)).u16(_COLORS_8_BIT, "postBeta2ColorDepth").u16(1, "clientProductId")
        writer.u32(0, "serialNumber").u16(24, "highColorDepth").u16(7, "supportedColorDepths")
        writer.u16(self.early_capability_flags or 0, "earlyCapabilityFlags").put(bytes(_DIG_PRODUCT_ID_SIZE))
        writer.u8(0, "connectionType").u8(0, "pad1octet")
        return Block(BlockKind.CS_CORE, writer.u32(self.server_selected_protocol or 0, "serverSelectedProtocol").done())


@dataclass(frozen=True, slots=True)
class ClientSecurity:
    """CS_SECURITY: the methods of standard RDP security that the client offers; 0 under TLS."""

    encryption_methods: int
    ext_encryption_methods: int = 0

    @classmethod
    def decode(cls, data: bytes) -> "ClientSecurity":
        """Read the data of the block; RemoteProtocolError where it ends too early."""
        reader = Reader(data, "CS_SECURITY")
        return cls(reader.u32("encryptionMethods"), reader.u32("extEncryptionMethods"))

    def encode(self) -> Block:
        """Give the block."""
        writer = Writer("CS_SECURITY").u32(self.encryption_methods, "encryptionMethods")
        return Block(BlockKind.CS_SECURITY, writer.u32(self.ext_encryption_methods, "extEncryptionMethods").done())


@dataclass(frozen=True, slots=True)
class StaticChannel:
    """One virtual channel that a client asks for."""

    name: str
    options: int = 0


@dataclass(frozen=True, slots=True)
class ClientNetwork:
    """CS_NET: the static virtual channels, 31 at most."""

    channels: tuple[StaticChannel, ...] = ()

    @classmethod
    def decode(cls, data: bytes) -> "ClientNetwork":
        """Read the data of the block; RemoteProtocolError for too many channels or too few bytes."""
        reader = Reader(data, "CS_NET")
        if (count := reader.u32("channelCount")) > MAX_CHANNELS:
            raise reader.error(f"{count} channels are more than {MAX_CHANNELS}", "channelCount")
        return cls(tuple(_channel(reader) for _ in range(count)))

    def encode(self) -> Block:
        """Give the block."""
        writer = Writer("CS_NET").u32(len(self.channels), "channelCount")
        for channel in self.channels:
            name = channel.name.encode("ascii", "replace").ljust(_CHANNEL_NAME_SIZE, b"\0")
            writer.fixed(name, _CHANNEL_NAME_SIZE, "name").u32(channel.options, "options")
        return Block(BlockKind.CS_NET, writer.done())


def _channel(reader: Reader) -> StaticChannel:
    name = reader.take(_CHANNEL_NAME_SIZE, "name").split(b"\0")[0].decode("ascii", "replace")
    return StaticChannel(name, reader.u32("options"))


def _number(data: bytes, offset: int, size: int) -> int | None:
    """Read an optional field, of which older clients send nothing."""
    found = data[offset : offset + size]
    return int.from_bytes(found, "little") if len(found) == size else None
