"""What do all parts of a connection's way share? Its phase, what is known of it, and the bytes that wait for their turn."""

from dataclasses import dataclass
from typing import Final, TypeAlias

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdp.licensing_data import licensing_data
from calward.wire.rdp.mcs import SERVER_USER, SendDataIndication
from calward.wire.rdp.tpkt import packet_size
from calward.wire.rdp.x224 import Protocol
from calward.wire.relay.acts import Act, Close, ToClient
from calward.wire.relay.phases import TRANSITIONS, Event, Phase
from calward.wire.relay.terms import Terms

__all__ = ["MAX_HELD", "Course", "Facts", "Found", "check_held", "out_of_order"]

MAX_HELD: Final = 1 << 18
"""Bytes that are kept at most for one side of one connection: what came too early for its turn."""
_MAX_PACKETS: Final = 512
"""Of both sides together, until the client may connect; a client has 31 static channels to join, and all else is a dozen."""

Found: TypeAlias = list[Act] | None
"""What a step gives that takes what it can from a side's buffer; None where it has to wait for more."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a connection; of the client's part nothing is proven.

    ``offered``: the protocols that the client asked for. ``io_channel`` None: not yet known.
    """

    offered: Protocol = Protocol.RDP
    name: str = ""
    user: str = ""
    """As whom the client wants to log on."""
    build: int = 0
    io_channel: int | None = None
    user_channel: int = SERVER_USER
    """The client's own; a number that no client has until it has named its own."""
    nla: bool = False
    """A logon by CredSSP was agreed on."""
    credssp: bool = False
    """The client has come to its first packet by CredSSP messages, as the host had asked."""

    @property
    def logged_on(self) -> bool:
        """Whether the host has accepted somebody's logon: behind CredSSP it names its channels to nobody else.

        Source: [MS-RDPBCGR] 5.4.5.2 (CredSSP comes to its end before the connection goes on); [MS-CSSP] 3.1.5.
        """
        return self.credssp and self.io_channel is not None


class Course:
    """One connection on its way; the parts of the way read and change it."""

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        self.facts = Facts()
        self.client = bytearray()
        self.host = bytearray()
        self.held = bytearray()
        """What the host gets once the client is let through; begins with its Client Info, and may hold a password."""
        self._phase = Phase.REQUEST
        self._packets = 0

    @property
    def phase(self) -> Phase:
        """How far it is."""
        return self._phase

    def move(self, event: Event) -> None:
        """Go on by the table; LocalProtocolError, and nothing has changed, where the event is out of turn."""
        if (following := TRANSITIONS[self._phase].get(event)) is None:
            raise LocalProtocolError(f"out of turn ({self._phase.name}): {event.value}", structure="relay")
        self._phase = following

    def take(self, buffer: bytearray) -> bytes | None:
        """Take the first whole packet off a buffer; None where there is none yet."""
        size = packet_size(buffer)
        if size is None or size > len(buffer):
            return None
        packet = bytes(buffer[:size])
        del buffer[:size]
        return packet

    def take_counted(self, buffer: bytearray) -> bytes | None:
        """Take a packet while channels are joined or licensing runs, where few are needed."""
        if (packet := self.take(buffer)) is not None:
            self._packets += 1
            if self._packets > _MAX_PACKETS:
                raise out_of_order(f"more than {_MAX_PACKETS} packets and no connection")
        return packet

    def hold(self, packet: bytes) -> None:
        """Keep what is for the host until it is let through: nothing of a client that is refused reaches it."""
        check_held(len(self.held) + len(packet))
        self.held += packet

    def told(self, message: bytes) -> ToClient:
        """Give a licensing message to the client."""
        return self.indicated(licensing_data(message))

    def indicated(self, data: bytes) -> ToClient:
        """Give data to the client as if the host had sent it on the I/O channel."""
        return ToClient(SendDataIndication(SERVER_USER, self.io_channel, data).encode())

    @property
    def io_channel(self) -> int:
        """The channel of input, output and licensing; no way leads beyond JOINING without it."""
        if self.facts.io_channel is None:
            raise LocalProtocolError(f"the I/O channel is not known in {self._phase.name}", structure="relay")
        return self.facts.io_channel

    def end(self, why: str) -> Close:
        """Forget all that was held: it may hold a password."""
        self.move(Event.ENDED)
        for buffer in (self.client, self.host, self.held):
            buffer.clear()
        return Close(why)


def check_held(size: int) -> None:
    """Make sure that no more bytes are kept than may be."""
    if size > MAX_HELD:
        raise out_of_order(f"more than {MAX_HELD} bytes came before their turn")


def out_of_order(what: str) -> RemoteProtocolError:
    """Make the error for a peer that does what has no place in a connection, or not now."""
    return RemoteProtocolError(what, structure="relay")
