"""What do the packets of a captured connection say? One packet in, one entry out; state is kept from packet to packet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from calward.wire.errors import ProtocolError, RemoteProtocolError
from calward.wire.rdp import mcs
from calward.wire.rdp.client_blocks import ClientCore
from calward.wire.rdp.gcc import BlockKind, find
from calward.wire.rdp.security import MAC_SIZE, SecurityFlag, SecurityHeader
from calward.wire.rdp.server_blocks import IO_CHANNEL, MessageChannel, ServerCore, ServerNetwork, ServerSecurity
from calward.wire.rdp.standard_security import StandardSecurity
from calward.wire.rdp.tpkt import is_fast_path, packet_size
from calward.wire.rdp.x224 import (
    CONNECTION_CONFIRM,
    CONNECTION_REQUEST,
    ConnectionRequest,
    NegotiationFailure,
    decode_confirm,
    tpdu_code,
)
from calward.wire.rdpele.opened import CLOSED, NOISE, Exchange, Fields
from calward.wire.reader import Reader

__all__ = ["FROM_CLIENT", "FROM_SERVER", "Entry", "Secrets", "Transcript"]

FROM_CLIENT: Final = "C>S"
FROM_SERVER: Final = "S>C"

_FAST_ENCRYPTED, _FAST_SALTED, _FAST_LONG = 0x80, 0x40, 0x80


@dataclass(frozen=True, slots=True)
class Secrets:
    """What a capture does not show, or not in full; None: not known. Randoms have 32 bytes, the premaster secret 48.

    The first three are those of licensing, ``rdp_client_random`` that of standard RDP security.
    """

    server_random: bytes | None = None
    client_random: bytes | None = None
    premaster: bytes | None = field(default=None, repr=False)
    rdp_client_random: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """One packet: what it is, its fields as JSON values, and what is wrong with it, if anything is."""

    direction: str
    kind: str
    fields: Fields
    error: str | None = None


class Transcript:
    """A connection, read from its beginning or from anywhere: what is not known yet is taken to be as under TLS."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets
        self._begin()

    def packet(self, direction: str, data: bytes) -> Entry:
        """Read one packet, from its TPKT header on. Never raises: what is malformed is an entry with an error."""
        try:
            kind, fields = self._read(data, from_server=direction == FROM_SERVER)
        except ProtocolError as error:
            return Entry(direction, "malformed", {"bytes": len(data)}, str(error))
        return Entry(direction, kind, fields)

    def _begin(self) -> None:
        secrets = self._secrets
        self._exchange = Exchange(secrets.server_random, secrets.client_random, secrets.premaster)
        self._security: StandardSecurity | None = None
        self._method = 0
        self._io_channel = IO_CHANNEL
        self._message_channel: int | None = None

    def _read(self, data: bytes, *, from_server: bool) -> tuple[str, Fields]:
        _check_whole(data)
        if is_fast_path(data):
            return self._fast_path(data, from_server=from_server)
        code = tpdu_code(data)
        if code == CONNECTION_REQUEST:
            self._begin()
            return _connection_request(data)
        if code == CONNECTION_CONFIRM:
            return _connection_confirm(data)
        pdu = mcs.decode(data)
        if isinstance(pdu, mcs.SendDataRequest | mcs.SendDataIndication):
            return self._data(pdu.channel, pdu.data, from_server=from_server)
        if isinstance(pdu, mcs.ConnectInitial):
            return "connect_initial", _client_facts(pdu)
        if isinstance(pdu, mcs.ConnectResponse):
            return "connect_response", self._server_facts(pdu)
        return _PLAIN[type(pdu)](pdu)

    def _fast_path(self, data: bytes, *, from_server: bool) -> tuple[str, Fields]:
        """Input or a picture; looked at only for what its encryption does to the packets behind it.

        Source: [MS-RDPBCGR] 2.2.8.1.2, 2.2.9.1.2: flags in the upper two bits, a length of one or two bytes, the MAC.
        """
        fields: Fields = {"bytes": len(data)}
        if data[0] & _FAST_ENCRYPTED and self._security is not None:
            reader = Reader(data, "fast-path packet")
            salted = reader.u8("header") & _FAST_SALTED
            if reader.u8("length1") & _FAST_LONG:
                reader.u8("length2")
            flags = SecurityFlag.ENCRYPT | (SecurityFlag.SECURE_CHECKSUM if salted else SecurityFlag(0))
            header = SecurityHeader(flags, reader.take(MAC_SIZE, "dataSignature"))
            _, fields["security_mac_valid"] = self._security.open(header, reader.rest(), from_server=from_server)
        return "fast_path", fields

    def _server_facts(self, pdu: mcs.ConnectResponse) -> Fields:
        found: Fields = {}
        if (core := find(pdu.blocks, BlockKind.SC_CORE)) is not None:
            found["client_requested_protocols"] = ServerCore.decode(core.data).client_requested_protocols
        if (network := find(pdu.blocks, BlockKind.SC_NET)) is not None:
            channels = ServerNetwork.decode(network.data)
            self._io_channel = channels.io_channel
            found |= {"io_channel": channels.io_channel, "channels": list(channels.channels)}
        if (messages := find(pdu.blocks, BlockKind.SC_MCS_MSGCHANNEL)) is not None:
            self._message_channel = MessageChannel.decode(messages.data).channel
            found["message_channel"] = self._message_channel
        if (block := find(pdu.blocks, BlockKind.SC_SECURITY)) is not None:
            found |= self._note_security(ServerSecurity.decode(block.data))
        return found

    def _note_security(self, security: ServerSecurity) -> Fields:
        self._method = security.method
        random = self._secrets.rdp_client_random
        if random is not None and security.bits is not None and security.server_random:
            self._security = StandardSecurity(random, security.server_random, security.bits)
        return {
            "encryption_method": security.method,
            "encryption_level": security.level,
            "rdp_server_random": security.server_random.hex() or None,
        }

    def _data(self, channel: int, data: bytes, *, from_server: bool) -> tuple[str, Fields]:
        if not self._has_header(channel, data):
            return "data", {"channel": channel, "bytes": len(data)}
        header, content = SecurityHeader.split(data)
        fields: Fields = {"channel": channel, "security_flags": f"{header.flags & 0xFFFF:04x}"}
        if header.mac is not None:
            closed = {"carries": _carried(header.flags), "bytes": len(content)}
            if self._security is None:
                return "encrypted", {**fields, **closed, "note": CLOSED}
            content, holds = self._security.open(header, content, from_server=from_server)
            fields["security_mac_valid"] = holds
            if not holds:
                return "encrypted", {**fields, **closed, "note": NOISE}
        if header.flags & SecurityFlag.LICENSE_PKT:
            kind, found = self._exchange.read(content)
            return kind, {**fields, **found}
        return _carried(header.flags), {**fields, "bytes": len(content)}

    def _has_header(self, channel: int, data: bytes) -> bool:
        """Say whether data begin with a security header ([MS-RDPBCGR] 2.2.8.1.1.2).

        Under standard RDP security all data do, and those of the message channel always. Else only what comes before the
        end of licensing on the I/O channel does: Client Info and licensing; what else is there are share data.
        """
        if self._method or channel == self._message_channel:
            return True
        if channel != self._io_channel or self._exchange.over or _is_share_data(data):
            return False
        return bool(int.from_bytes(data[:2], "little") & _BEFORE_SHARE)


def _check_whole(data: bytes) -> None:
    """Make sure that this is one packet: neither cut nor followed by another."""
    size = packet_size(data)
    if size != len(data):
        said = "its header is cut" if size is None else f"{size} bytes are announced"
        raise RemoteProtocolError(f"{said}, the packet has {len(data)}", structure="packet", field="length")


def _is_share_data(data: bytes) -> bool:
    """Say whether data are one share PDU or more: their length, then a type of version 1 (2.2.8.1.1.1.1)."""
    return int.from_bytes(data[:2], "little") <= len(data) and int.from_bytes(data[2:4], "little") in _SHARE_TYPES


def _carried(flags: int) -> str:
    """What a packet with a security header carries, by its flags; the content, a password perhaps, is never shown."""
    for flag, kind in _CARRIED.items():
        if flags & flag:
            return kind
    return "data"


_SHARE_TYPES: Final = frozenset({0x11, 0x13, 0x16, 0x17, 0x1A})
"""Demand Active, Confirm Active, Deactivate All, Data, Server Redirection."""
_BEFORE_SHARE: Final = SecurityFlag.EXCHANGE_PKT | SecurityFlag.INFO_PKT | SecurityFlag.LICENSE_PKT
_CARRIED: Final = {
    SecurityFlag.EXCHANGE_PKT: "security_exchange",
    SecurityFlag.INFO_PKT: "client_info",
    SecurityFlag.LICENSE_PKT: "licensing",
    SecurityFlag.AUTODETECT_REQ: "autodetect_request",
    SecurityFlag.AUTODETECT_RSP: "autodetect_response",
}


def _connection_request(data: bytes) -> tuple[str, Fields]:
    request = ConnectionRequest.decode(data)
    protocols = request.requested_protocols
    token = request.token.decode("ascii", "backslashreplace").strip()
    return "connection_request", {"requested_protocols": None if protocols is None else int(protocols), "token": token}


def _connection_confirm(data: bytes) -> tuple[str, Fields]:
    confirm = decode_confirm(data)
    if isinstance(confirm, NegotiationFailure):
        return "negotiation_failure", {"failure_code": confirm.code}
    protocol = confirm.selected_protocol
    return "connection_confirm", {
        "selected_protocol": None if protocol is None else int(protocol),
        "flags": confirm.flags,
    }


def _client_facts(pdu: mcs.ConnectInitial) -> Fields:
    block = find(pdu.blocks, BlockKind.CS_CORE)
    if block is None:
        return {}
    core = ClientCore.decode(block.data)
    return {
        "client_name": core.client_name,
        "client_build": core.build,
        "rdp_version": f"{core.version:08x}",
        "server_selected_protocol": core.server_selected_protocol,
    }


_PLAIN: Final[dict[type, Callable[[Any], tuple[str, Fields]]]] = {
    mcs.ErectDomain: lambda _: ("erect_domain", {}),
    mcs.AttachUserRequest: lambda _: ("attach_user_request", {}),
    mcs.AttachUserConfirm: lambda pdu: ("attach_user_confirm", {"user": pdu.user, "result": pdu.result}),
    mcs.ChannelJoinRequest: lambda pdu: ("channel_join_request", {"user": pdu.user, "channel": pdu.channel}),
    mcs.ChannelJoinConfirm: lambda pdu: ("channel_join_confirm", {"user": pdu.user, "channel": pdu.channel}),
    mcs.DisconnectUltimatum: lambda pdu: ("disconnect", {"reason": pdu.reason}),
}
