"""What passes between client and host until the client says who it is, and what is read and changed in it?

Only what belongs here passes, and lengths never change: no packet slips through that a host reads more generously than we do.
Source: [MS-RDPBCGR] 2.2.1.3 to 2.2.1.11.
"""

from dataclasses import replace

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp import mcs
from calward.wire.rdp.client_blocks import ClientCore
from calward.wire.rdp.gcc import Block, BlockKind, find
from calward.wire.rdp.logon import user_of
from calward.wire.rdp.mcs import ConnectInitial, ConnectResponse
from calward.wire.rdp.security import SecurityFlag, SecurityHeader
from calward.wire.rdp.server_blocks import ServerCore, ServerNetwork, ServerSecurity
from calward.wire.relay.acts import ToClient, ToHost
from calward.wire.relay.course import Course, Found, out_of_order
from calward.wire.relay.negotiation import HostSecurity

__all__ = ["Joining"]


class Joining:
    """The part of a connection's way in which channels are joined; ``from_client`` gives no acts for the Client Info."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._initial_seen = False
        self._response_seen = False

    def from_client(self, packet: bytes) -> Found:
        """Pass what may pass; None: this was the Client Info, which is held now. RemoteProtocolError for all else."""
        match mcs.decode(packet):
            case mcs.ErectDomain() | mcs.AttachUserRequest() | mcs.ChannelJoinRequest():
                return [ToHost(packet)]
            case ConnectInitial() as initial if not self._initial_seen:
                self._initial_seen = True
                return [ToHost(self._initial(initial))]
            case mcs.DisconnectUltimatum():
                return [self._course.end("the client left before licensing")]
            case mcs.SendDataRequest() as sent if self._is_client_info(sent):
                self._course.facts = replace(self._course.facts, user_channel=sent.user, user=_user_of(sent))
                self._course.hold(packet)
                return None
        raise out_of_order("the client sends something before its Client Info")

    def from_host(self) -> Found:
        """Pass the host's packets, and read its Connect Response."""
        course = self._course
        if (packet := course.take_counted(course.host)) is None:
            return None
        pdu = mcs.decode(packet)
        if isinstance(pdu, ConnectInitial):
            raise out_of_order("the host sends what only clients send")
        return [ToClient(self._response(pdu) if isinstance(pdu, ConnectResponse) else packet)]

    def _initial(self, initial: ConnectInitial) -> bytes:
        """Read who the client says it is; where the host is plain, its copy of what was selected becomes 0 (none)."""
        if (block := find(initial.blocks, BlockKind.CS_CORE)) is not None:
            core = ClientCore.decode(block.data)
            self._course.facts = replace(self._course.facts, build=core.build, name=core.client_name)
        if self._course.terms.host_security is HostSecurity.PLAIN:
            return mcs.with_server_selected_protocol(initial.raw, 0)
        return initial.raw

    def _response(self, response: ConnectResponse) -> bytes:
        """Read the I/O channel, and have the host repeat the protocols that the client had asked the relay for."""
        if not self._initial_seen or self._response_seen:
            raise out_of_order("the host answers what it was not asked")
        self._response_seen = True
        _check_security(find(response.blocks, BlockKind.SC_SECURITY))
        if (block := find(response.blocks, BlockKind.SC_NET)) is None:
            raise RemoteProtocolError("names no I/O channel", structure="MCS Connect Response", field="SC_NET")
        facts = replace(self._course.facts, io_channel=ServerNetwork.decode(block.data).io_channel)
        self._course.facts = facts
        core = find(response.blocks, BlockKind.SC_CORE)
        if core is None or ServerCore.decode(core.data).client_requested_protocols is None:
            return response.raw
        return mcs.with_client_requested_protocols(response.raw, facts.offered)

    def _is_client_info(self, sent: mcs.SendDataRequest) -> bool:
        if sent.channel != self._course.facts.io_channel:
            return False
        header, packet = SecurityHeader.split(sent.data)
        return bool(header.flags & SecurityFlag.INFO_PKT) and header.mac is None and bool(packet)


def _user_of(sent: mcs.SendDataRequest) -> str:
    return user_of(SecurityHeader.split(sent.data)[1])


def _check_security(block: Block | None) -> None:
    """Refuse a host that encrypts by itself: the relay could read nothing."""
    if block is not None and ServerSecurity.decode(block.data).method:
        raise RemoteProtocolError(
            "the host encrypts by itself: let its RDP encryption be off (xrdp: crypt_level=none)",
            structure="SC_SECURITY",
            field="encryptionMethod",
        )
