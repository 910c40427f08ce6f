"""A relay in memory: brought to where a test begins, and played to its end by a client's licensing session."""

from collections.abc import Iterable
from dataclasses import dataclass

from calward.wire.rdp.x224 import Protocol
from calward.wire.rdpele.client_session import Answered, ClientSession, Step
from calward.wire.rdpele.preamble import MessageType, unframe
from calward.wire.relay import Act, Ask, HostSecurity, Relay, ToClient, ToHost, Verdict
from tests.support import relayed

GRANTED, REFUSED = Verdict(granted=True), Verdict(granted=False)
SELECTED = {HostSecurity.PLAIN: Protocol.RDP, HostSecurity.TLS: Protocol.SSL, HostSecurity.NLA: Protocol.HYBRID}
CANNED = bytes.fromhex("01023e01") + bytes(314)
"""Begins as the license request of an old xrdp."""


def a_relay(security: HostSecurity = HostSecurity.PLAIN, *, exchange: bool = True) -> Relay:
    return Relay(relayed.terms(security, exchange=exchange), server_random=b"\x01" * 32, challenge=b"0123456789")


def secured(security: HostSecurity = HostSecurity.PLAIN, *, exchange: bool = True) -> Relay:
    """A relay behind TLS."""
    relay = a_relay(security, exchange=exchange)
    relay.from_client(relayed.CR)
    relay.from_host(relayed.confirm(SELECTED[security]))
    relay.secured()
    return relay


def connected(
    security: HostSecurity = HostSecurity.PLAIN,
    *,
    build: int = 18363,
    exchange: bool = True,
    logon: bytes = b"",
    logon_answer: bytes = b"",
) -> tuple[Relay, list[Act]]:
    """A relay up to Client Info, and the acts that this gave; ``logon`` and its answer come before, where there is NLA."""
    relay = secured(security, exchange=exchange)
    if logon:
        relay.from_client(logon)
    if logon_answer:
        relay.from_host(logon_answer)
    relay.from_client(relayed.connect_initial("PC1", build))
    relay.from_host(relayed.connect_response())
    relay.from_client(relayed.ERECT + relayed.ATTACH)
    relay.from_host(relayed.ATTACHED)
    relay.from_client(relayed.JOIN)
    relay.from_host(relayed.JOINED)
    return relay, relay.from_client(relayed.client_info())


def released() -> Relay:
    """A relay whose client was let through."""
    relay, acts = connected()
    play(relay, acts, relayed.licensing_client())
    relay.decided(GRANTED)
    return relay


@dataclass
class Talk:
    """How it went: the acts of the last step, what the client was told, and what it made of that."""

    acts: list[Act]
    heard: list[MessageType]
    step: Step | None = None


def play(relay: Relay, acts: list[Act], client: ClientSession) -> Talk:
    """Let a client answer until something is asked or it has nothing more to say."""
    talk = Talk(acts, [])
    while message := next(messages(talk.acts), None):
        talk.heard.append(unframe(message)[0].type)
        talk.step = client.receive(message)
        if not isinstance(talk.step, Answered):
            break
        talk.acts = relay.from_client(answer(talk.step.send))
        if any(isinstance(act, Ask) for act in talk.acts):
            break
    return talk


def answer(message: bytes) -> bytes:
    """The packet of a client's licensing message; the flags are those that clients send."""
    return relayed.send(relayed.USER, relayed.IO, relayed.licensing(message, 0x280))


def messages(acts: Iterable[Act]) -> Iterable[bytes]:
    """The licensing messages for the client."""
    return (relayed.message_of(packet) for packet in relayed.packets(to_client(acts)))


def to_host(acts: Iterable[Act]) -> bytes:
    return b"".join(act.data for act in acts if isinstance(act, ToHost))


def to_client(acts: Iterable[Act]) -> bytes:
    return b"".join(act.data for act in acts if isinstance(act, ToClient))
