"""How does one connection go through the relay, from its first byte until there is nothing left to do but copy?

Source: [MS-RDPBCGR] 1.3.1.1 (the order of a connection); [MS-RDPELE] 1.3.3 (where licensing stands in it).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final, TypeAlias

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdp.tpkt import is_fast_path, packet_size
from calward.wire.rdp.x224 import NegotiationFailure
from calward.wire.rdpele.server_session import (
    Challenged,
    Client,
    Ended,
    Offer,
    Presented,
    Proven,
    ServerSession,
)
from calward.wire.relay import host_licensing, negotiation
from calward.wire.relay.acts import Act, Ask, Close, OpenHost, Secure, Splice, ToClient, ToHost
from calward.wire.relay.credssp import Logon
from calward.wire.relay.facts import Facts
from calward.wire.relay.frames import (
    PacketKind,
    is_client_info,
    kind_of,
    licensing_of,
    note_initial,
    note_response,
    send_data_of,
    to_client,
    to_host,
)
from calward.wire.relay.host_licensing import ANSWER, HostSays
from calward.wire.relay.negotiation import HostSecurity
from calward.wire.relay.refusal import NO_LICENSE, NO_LICENSE_SERVER, VALID, refusal

__all__ = ["MAX_HELD", "Phase", "Relay", "Terms", "Verdict"]

MAX_HELD: Final = 1 << 18
"""Bytes that are kept at most for one side of one connection: what came too early for its turn."""
_MAX_PACKETS: Final = 512
"""Of both sides together, until the client may connect; a client has 31 static channels to join, and all else is a dozen."""
_PASSING: Final = frozenset({PacketKind.ERECT_DOMAIN, PacketKind.ATTACH_USER_REQUEST, PacketKind.JOIN_REQUEST})
"""What of a client's packets reaches the host before it may connect, beside its Connect Initial."""
_RDESKTOP_BUILD: Final = 2600
"""The build that rdesktop names, and FreeRDP does not."""


Step: TypeAlias = Callable[[], list[Act] | None]
"""Takes what it can from a side's buffer; None where it has to wait for more. In a phase without a step, bytes wait."""


class Phase(Enum):
    """How far a connection is."""

    REQUEST = auto()
    """The client's Connection Request is awaited."""
    CONFIRM = auto()
    """The host's answer to it."""
    SECURING = auto()
    """TLS is set up; no bytes come in."""
    LOGON = auto()
    """CredSSP passes."""
    CONNECTING = auto()
    """MCS passes, until the client's Client Info comes, which is held."""
    LICENSING = auto()
    """The client's licensing; the host hears nothing."""
    DECIDING = auto()
    """Somebody decides whether the client may connect."""
    RELEASED = auto()
    """The host's own licensing is answered; all else passes."""
    SPLICED = auto()
    CLOSED = auto()


@dataclass(frozen=True, slots=True)
class Terms:
    """What is the same for all connections to one host.

    ``exchange`` False: nobody asks for licenses on the wire (per-user mode); a client is told "valid" at once, or refused.
    """

    host_security: HostSecurity
    offer: Offer
    decrypt_premaster: Callable[[bytes], bytes]
    exchange: bool = True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided: ``token`` is to be stored on the client, None: nothing is; ``no_server`` is the reason of a refusal."""

    granted: bool
    token: bytes | None = None
    no_server: bool = False


class Relay:
    """One connection; bytes in, acts out.

    ``server_random``: 32 random bytes, ``challenge``: 10, both for this connection alone. Every method gives acts to be carried
    out in order, and raises RemoteProtocolError where a peer breaks the protocol; the connection is over then.
    """

    def __init__(self, terms: Terms, *, server_random: bytes, challenge: bytes) -> None:
        self._terms = terms
        self._session = ServerSession(
            terms.offer,
            server_random=server_random,
            challenge=challenge,
            decrypt_premaster=terms.decrypt_premaster,
        )
        self._phase = Phase.REQUEST
        self._facts = Facts()
        self._logon = Logon()
        self._client = bytearray()
        self._host = bytearray()
        self._held = bytearray()
        self._nla = False
        self._initial_seen = False
        self._logon_bytes = 0
        self._packets = 0
        self._asked: Client | None = None
        self._proven = False
        self._verdict: Verdict | None = None
        self._client_steps: Mapping[Phase, Step] = {
            Phase.REQUEST: self._request,
            Phase.CONFIRM: self._too_early,
            Phase.SECURING: self._too_early,
            Phase.LOGON: self._client_logon,
            Phase.CONNECTING: self._client_connecting,
            Phase.LICENSING: self._client_licensing,
            Phase.RELEASED: self._client_passes,
            Phase.SPLICED: self._client_passes,
        }
        self._host_steps: Mapping[Phase, Step] = {
            Phase.CONFIRM: self._confirm,
            Phase.LOGON: self._host_logon,
            Phase.CONNECTING: self._host_connecting,
            Phase.RELEASED: self._host_released,
            Phase.SPLICED: self._host_passes,
        }

    @property
    def phase(self) -> Phase:
        """How far the connection is."""
        return self._phase

    @property
    def facts(self) -> Facts:
        """What is known of it."""
        return self._facts

    def from_client(self, data: bytes) -> list[Act]:
        """Take what the client has sent."""
        return self._take(self._client, data, self._client_steps)

    def from_host(self, data: bytes) -> list[Act]:
        """Take what the host has sent."""
        return self._take(self._host, data, self._host_steps)

    def secured(self) -> None:
        """Go on after the handshakes that Secure asked for."""
        if self._phase is not Phase.SECURING:
            raise self._out_of_turn("TLS was not asked for")
        self._phase = Phase.LOGON if self._nla else Phase.CONNECTING

    def decided(self, verdict: Verdict) -> list[Act]:
        """Go on after the decision that Ask asked for."""
        if self._phase is not Phase.DECIDING:
            raise self._out_of_turn("no decision was asked for")
        if not verdict.granted:
            return self._refuse(verdict)
        if self._asked is None:
            return self._release(VALID)
        if verdict.token is None:
            return self._release(self._session.accept())
        if self._proven:
            return self._release(self._session.grant(verdict.token))
        self._verdict = verdict
        self._phase = Phase.LICENSING
        return [self._licensing(self._session.challenge()), *self.from_client(b"")]

    # --- taking bytes -------------------------------------------------------------------------------------------------

    def _take(self, buffer: bytearray, data: bytes, steps: Mapping[Phase, Step]) -> list[Act]:
        """Add to a side's buffer, and go on with it as long as its phase has use for what is there."""
        buffer += data
        acts: list[Act] = []
        try:
            while buffer and (step := steps.get(self._phase)) and (found := step()) is not None:
                acts += found
        except RemoteProtocolError:
            self._close()
            raise
        if len(buffer) > MAX_HELD:
            self._close()
            raise _error(f"more than {MAX_HELD} bytes came before their turn")
        return acts

    @staticmethod
    def _next(buffer: bytearray) -> bytes | None:
        """Take the first whole packet off a buffer; None where there is none yet."""
        size = packet_size(buffer)
        if size is None or size > len(buffer):
            return None
        packet = bytes(buffer[:size])
        del buffer[:size]
        return packet

    # --- the client -----------------------------------------------------------------------------------------------------

    def _request(self) -> list[Act] | None:
        if (packet := self._next(self._client)) is None:
            return None
        answer = negotiation.request(packet, self._terms.host_security)
        if isinstance(answer, NegotiationFailure):
            self._close()
            return [ToClient(answer.encode()), Close("the client knows classic RDP security only")]
        self._facts = replace(self._facts, offered=answer.protocols)
        self._phase = Phase.CONFIRM
        return [OpenHost(), ToHost(answer.to_host)]

    def _too_early(self) -> list[Act] | None:
        raise _error("the client sends before it is its turn")

    def _client_logon(self) -> list[Act] | None:
        passing, rest = self._logon.feed(bytes(self._client))
        self._client[:] = rest or b""
        if rest is not None:
            self._phase = Phase.CONNECTING
        return [ToHost(passing)] if passing else []

    def _client_connecting(self) -> list[Act] | None:
        if (packet := self._packet(self._client)) is None:
            return None
        kind = kind_of(packet)
        if kind in _PASSING:
            return [ToHost(packet)]
        if kind is PacketKind.CONNECT and not self._initial_seen:
            self._initial_seen = True
            plain = self._terms.host_security is HostSecurity.PLAIN
            self._facts, packet = note_initial(packet, self._facts, host_plain=plain)
            return [ToHost(packet)]
        if kind is PacketKind.DISCONNECT:
            self._close()
            return [Close("the client left before licensing")]
        return self._client_info(packet)

    def _client_info(self, packet: bytes) -> list[Act]:
        sent = send_data_of(packet) if kind_of(packet) is PacketKind.SEND_REQUEST else None
        if sent is None or sent.channel != self._facts.io_channel or not is_client_info(sent.data):
            raise _error("the client sends something before its Client Info")
        self._facts = replace(self._facts, user_channel=sent.initiator)
        self._held += packet
        return self._begin_licensing()

    def _client_licensing(self) -> list[Act] | None:
        if (packet := self._packet(self._client)) is None:
            return None
        sent = None if is_fast_path(packet) else send_data_of(packet)
        message = licensing_of(sent.data) if sent and sent.channel == self._facts.io_channel else None
        if message is None:
            return self._hold(packet)
        match self._session.receive(message):
            case Challenged(send):
                return [self._licensing(send)]
            case Presented(client):
                return self._ask(client, proven=False)
            case Proven(client):
                return self._ask(client, proven=True)
            case Ended(send, why):
                self._close()
                closing = Close(f"licensing ended: {why}")
                return [self._licensing(send), closing] if send else [closing]

    def _client_passes(self) -> list[Act]:
        data = bytes(self._client)
        self._client.clear()
        return [ToHost(data)]

    # --- the host -------------------------------------------------------------------------------------------------------

    def _confirm(self) -> list[Act] | None:
        if (packet := self._next(self._host)) is None:
            return None
        if self._host:
            raise _error("the host sends before TLS is set up")
        answer = negotiation.confirm(packet, self._facts.offered, self._terms.host_security)
        if isinstance(answer, NegotiationFailure):
            self._close()
            return [ToClient(packet), Close(f"the host refuses this client's security (failure {answer.code})")]
        self._nla = answer.nla
        self._phase = Phase.SECURING
        return [ToClient(answer.to_client), Secure(host=self._terms.host_security is not HostSecurity.PLAIN)]

    def _host_logon(self) -> list[Act] | None:
        self._logon_bytes += len(self._host)
        if self._logon_bytes > MAX_HELD:
            raise _error(f"the host's part of the logon has more than {MAX_HELD} bytes")
        return self._host_passes()

    def _host_connecting(self) -> list[Act] | None:
        if (packet := self._packet(self._host)) is None:
            return None
        if kind_of(packet) is PacketKind.CONNECT:
            self._facts, packet = note_response(packet, self._facts)
        return [ToClient(packet)]

    def _host_released(self) -> list[Act] | None:
        if (packet := self._next(self._host)) is None:
            return None
        match host_licensing.listen(packet, self._io_channel):
            case HostSays.REQUEST:
                return [ToHost(to_host(ANSWER, self._io_channel, self._user_channel))]
            case HostSays.VALID:
                return self._splice(b"")
            case HostSays.BEYOND:
                return self._splice(packet)
            case HostSays.OTHER:
                return [ToClient(packet)]

    def _host_passes(self) -> list[Act]:
        data = bytes(self._host)
        self._host.clear()
        return [ToClient(data)]

    # --- steps of both --------------------------------------------------------------------------------------------------

    def _packet(self, buffer: bytearray) -> bytes | None:
        """Take a packet while channels are joined or licensing runs, where few are needed."""
        if (packet := self._next(buffer)) is not None:
            self._packets += 1
            if self._packets > _MAX_PACKETS:
                raise _error(f"more than {_MAX_PACKETS} packets and no connection")
        return packet

    def _hold(self, packet: bytes) -> list[Act]:
        """Keep what is for the host until it is let through: nothing of a client that is refused reaches it."""
        if kind_of(packet) is PacketKind.DISCONNECT:
            self._close()
            return [Close("the client left while its license was asked for")]
        if len(self._held) + len(packet) > MAX_HELD:
            raise _error(f"more than {MAX_HELD} bytes came before their turn")
        self._held += packet
        return []

    def _begin_licensing(self) -> list[Act]:
        if not self._terms.exchange:
            self._phase = Phase.DECIDING
            return [Ask(None, self._facts.name)]
        self._phase = Phase.LICENSING
        return [self._licensing(self._session.start())]

    def _ask(self, client: Client, *, proven: bool) -> list[Act]:
        """Ask for a decision, unless the one that was made for a presented license holds for who has answered the challenge."""
        before, verdict = self._asked, self._verdict
        self._asked, self._proven, self._verdict = client, proven, None
        if verdict and verdict.token is not None and before and before.hardware_id == client.hardware_id:
            return self._release(self._session.grant(verdict.token))
        self._phase = Phase.DECIDING
        return [Ask(client, self._facts.name or client.machine_name)]

    def _release(self, message: bytes) -> list[Act]:
        """End the client's licensing well, and hand over to the host what was held."""
        self._phase = Phase.RELEASED
        held = bytes(self._held)
        self._held.clear()
        return [self._licensing(message), ToHost(held), *self.from_client(b""), *self.from_host(b"")]

    def _refuse(self, verdict: Verdict) -> list[Act]:
        self._close()
        reason = NO_LICENSE_SERVER if verdict.no_server else NO_LICENSE
        null_keys = self._asked is not None and self._asked.null_keys
        rdesktop = null_keys or self._facts.build == _RDESKTOP_BUILD
        return [ToClient(refusal(reason, self._io_channel, rdesktop=rdesktop)), Close("refused")]

    def _splice(self, passing: bytes) -> list[Act]:
        """Give what is left in the buffers, and say that it was the last to be looked at."""
        self._phase = Phase.SPLICED
        rest = passing + bytes(self._host)
        self._host.clear()
        return [ToClient(rest), Splice()] if rest else [Splice()]

    def _licensing(self, message: bytes) -> ToClient:
        return ToClient(to_client(message, self._io_channel))

    @property
    def _io_channel(self) -> int:
        if self._facts.io_channel is None:
            raise self._out_of_turn("the I/O channel is not known")
        return self._facts.io_channel

    @property
    def _user_channel(self) -> int:
        if self._facts.user_channel is None:
            raise self._out_of_turn("the client's channel is not known")
        return self._facts.user_channel

    def _close(self) -> None:
        """Forget all that was held: it may hold a password."""
        self._phase = Phase.CLOSED
        for buffer in (self._client, self._host, self._held):
            buffer.clear()

    def _out_of_turn(self, message: str) -> LocalProtocolError:
        return LocalProtocolError(f"{message} in phase {self._phase.name}", structure="relay")


def _error(message: str) -> RemoteProtocolError:
    return RemoteProtocolError(message, structure="relay")
