"""What travels once the conference stands? MCS domain PDUs: joining, data in both directions, disconnecting.

Source: T.125 section 7, part 7 (aligned PER); [MS-RDPBCGR] 2.2.1.5 to 2.2.1.9.
"""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar, Final

from calward.wire.rdp.asn1 import per_length, per_length_bytes
from calward.wire.rdp.mcs_connect import (
    ConnectInitial,
    ConnectResponse,
    with_client_requested_protocols,
    with_server_selected_protocol,
)
from calward.wire.rdp.x224 import data_packet, open_data
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = [
    "AttachUserConfirm",
    "AttachUserRequest",
    "ChannelJoinConfirm",
    "ChannelJoinRequest",
    "ConnectInitial",
    "ConnectResponse",
    "DisconnectReason",
    "DisconnectUltimatum",
    "DomainPdu",
    "ErectDomain",
    "SendDataIndication",
    "SendDataRequest",
    "decode",
    "with_client_requested_protocols",
    "with_server_selected_protocol",
]

USER_BASE: Final = 1001
"""User ids are sent as their distance from this."""
SERVER_USER: Final = 1002

_WHOLE: Final = 0x70
"""High priority, first and last segment: what everybody sends."""
_PRESENT: Final = 2
"""In the first byte: the optional last field is there."""


class DisconnectReason(IntEnum):
    """Why a side leaves (T.125 section 7, part 7)."""

    DOMAIN_DISCONNECTED = 0
    PROVIDER_INITIATED = 1
    TOKEN_PURGED = 2
    USER_REQUESTED = 3
    CHANNEL_PURGED = 4


@dataclass(frozen=True, slots=True)
class ErectDomain:
    """The client's heights, which nobody reads: clients write them in more than one way."""

    CHOICE: ClassVar = 1
    heights: bytes = b"\x01\0\x01\0"

    @classmethod
    def read(cls, first: int, reader: Reader) -> "ErectDomain":  # noqa: ARG003 - All read alike.
        """Read what follows the first byte."""
        return cls(reader.rest())

    def encode(self) -> bytes:
        """Give the packet."""
        return data_packet(bytes((self.CHOICE << 2,)) + self.heights)


@dataclass(frozen=True, slots=True)
class DisconnectUltimatum:
    """The sender ends the connection; ``reason`` is a DisconnectReason or a number that we do not know."""

    CHOICE: ClassVar = 8
    reason: int = DisconnectReason.USER_REQUESTED

    @classmethod
    def read(cls, first: int, reader: Reader) -> "DisconnectUltimatum":
        """Read what follows the first byte: three bits that lie across two bytes."""
        return cls((first & 3) << 1 | reader.u8("reason") >> 7)

    def encode(self) -> bytes:
        """Give the packet."""
        return data_packet(bytes((self.CHOICE << 2 | self.reason >> 1, (self.reason & 1) << 7)))


@dataclass(frozen=True, slots=True)
class AttachUserRequest:
    """The client asks for a user id."""

    CHOICE: ClassVar = 10

    @classmethod
    def read(cls, first: int, reader: Reader) -> "AttachUserRequest":  # noqa: ARG003 - All read alike.
        """Nothing follows the first byte."""
        return cls()

    def encode(self) -> bytes:
        """Give the packet."""
        return data_packet(bytes((self.CHOICE << 2,)))


@dataclass(frozen=True, slots=True)
class AttachUserConfirm:
    """The server gives a user id; it must not be the number of a static channel."""

    CHOICE: ClassVar = 11
    user: int | None
    """None where the server gives none, for the reason in ``result``."""
    result: int = 0

    @classmethod
    def read(cls, first: int, reader: Reader) -> "AttachUserConfirm":
        """Read what follows the first byte."""
        result = _result(first, reader)
        return cls(_user(reader) if first & _PRESENT else None, result)

    def encode(self) -> bytes:
        """Give the packet."""
        writer = _confirm(self.CHOICE, self.result, present=self.user is not None)
        return data_packet(writer.done() if self.user is None else _put_user(writer, self.user).done())


@dataclass(frozen=True, slots=True)
class ChannelJoinRequest:
    """A user asks to join a channel."""

    CHOICE: ClassVar = 14
    user: int
    channel: int

    @classmethod
    def read(cls, first: int, reader: Reader) -> "ChannelJoinRequest":  # noqa: ARG003 - All read alike.
        """Read what follows the first byte."""
        return cls(_user(reader), reader.u16_be("channelId"))

    def encode(self) -> bytes:
        """Give the packet."""
        writer = _put_user(Writer("MCS").u8(self.CHOICE << 2, "choice"), self.user)
        return data_packet(writer.u16_be(self.channel, "channelId").done())


@dataclass(frozen=True, slots=True)
class ChannelJoinConfirm:
    """The server lets a user in, or not, for the reason in ``result``."""

    CHOICE: ClassVar = 15
    user: int
    requested: int
    channel: int | None
    result: int = 0

    @classmethod
    def read(cls, first: int, reader: Reader) -> "ChannelJoinConfirm":
        """Read what follows the first byte."""
        result = _result(first, reader)
        user, requested = _user(reader), reader.u16_be("requested")
        return cls(user, requested, reader.u16_be("channelId") if first & _PRESENT else None, result)

    def encode(self) -> bytes:
        """Give the packet."""
        writer = _confirm(self.CHOICE, self.result, present=self.channel is not None)
        _put_user(writer, self.user).u16_be(self.requested, "requested")
        return data_packet((writer if self.channel is None else writer.u16_be(self.channel, "channelId")).done())


@dataclass(frozen=True, slots=True)
class _SendData:
    """What both directions share."""

    CHOICE: ClassVar[int]
    user: int
    channel: int
    data: bytes = field(repr=False)
    """May hold a password."""
    priority: int = _WHOLE
    """Priority and segmentation, as they came."""

    def encode(self) -> bytes:
        """Give the packet; LocalProtocolError for more than 16383 bytes of data."""
        writer = _put_user(Writer("MCS SendData").u8(self.CHOICE << 2, "choice"), self.user)
        writer.u16_be(self.channel, "channelId").u8(self.priority, "dataPriority")
        return data_packet(writer.put(per_length_bytes(len(self.data))).put(self.data).done())


@dataclass(frozen=True, slots=True)
class SendDataRequest(_SendData):
    """Data of the client."""

    CHOICE: ClassVar = 25

    @classmethod
    def read(cls, first: int, reader: Reader) -> "SendDataRequest":  # noqa: ARG003 - All read alike.
        """Read what follows the first byte."""
        return cls(*_sent(reader))


@dataclass(frozen=True, slots=True)
class SendDataIndication(_SendData):
    """Data of the server, whose user is 1002 as a rule."""

    CHOICE: ClassVar = 26

    @classmethod
    def read(cls, first: int, reader: Reader) -> "SendDataIndication":  # noqa: ARG003 - All read alike.
        """Read what follows the first byte."""
        return cls(*_sent(reader))


DomainPdu = (
    ErectDomain
    | DisconnectUltimatum
    | AttachUserRequest
    | AttachUserConfirm
    | ChannelJoinRequest
    | ChannelJoinConfirm
    | SendDataRequest
    | SendDataIndication
)
_KINDS: Final = {
    kind.CHOICE: kind
    for kind in (
        ErectDomain,
        DisconnectUltimatum,
        AttachUserRequest,
        AttachUserConfirm,
        ChannelJoinRequest,
        ChannelJoinConfirm,
        SendDataRequest,
        SendDataIndication,
    )
}


def decode(packet: bytes) -> DomainPdu | ConnectInitial | ConnectResponse:
    """Read whatever MCS packet this is; RemoteProtocolError where it is none that RDP uses, or is malformed."""
    reader = open_data(packet, "MCS")
    first = reader.u8("choice")
    if first == 0x7F:  # noqa: PLR2004 - The first byte of both BER tags.
        return ConnectInitial.decode(packet) if reader.u8("choice") == 0x65 else ConnectResponse.decode(packet)  # noqa: PLR2004 - As above.
    kind = _KINDS.get(first >> 2)
    if kind is None:
        raise reader.error(f"0x{first:02x} begins no PDU that is used here", "choice")
    pdu: DomainPdu = kind.read(first, reader)
    reader.end()
    return pdu


def _result(first: int, reader: Reader) -> int:
    """Read a result: four bits that lie across two bytes."""
    return (first & 1) << 3 | reader.u8("result") >> 5


def _confirm(choice: int, result: int, *, present: bool) -> Writer:
    first = choice << 2 | (_PRESENT if present else 0) | result >> 3
    return Writer("MCS").u8(first, "choice").u8((result & 7) << 5, "result")


def _user(reader: Reader) -> int:
    return USER_BASE + reader.u16_be("initiator")


def _put_user(writer: Writer, user: int) -> Writer:
    return writer.u16_be(user - USER_BASE, "initiator")


def _sent(reader: Reader) -> tuple[int, int, bytes, int]:
    user, channel, priority = _user(reader), reader.u16_be("channelId"), reader.u8("dataPriority")
    return user, channel, reader.take(per_length(reader, "userData"), "userData"), priority
