"""Can any two peers, with any bytes in any order, get more than the declared error out of the relay?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp.gcc import Block, BlockKind
from calward.wire.rdp.mcs import (
    AttachUserConfirm,
    ChannelJoinRequest,
    ConnectInitial,
    ConnectResponse,
    DisconnectUltimatum,
    SendDataIndication,
    SendDataRequest,
)
from calward.wire.rdp.x224 import ConnectionConfirm, ConnectionRequest, NegotiationFailure, Protocol
from calward.wire.rdpele.client_session import Answered, ClientSession
from calward.wire.relay import Act, Ask, HostSecurity, Phase, Relay, Secure, Verdict
from tests.support import relayed
from tests.support.relay_in_memory import CANNED, SELECTED, a_relay, answer, to_client, to_host

LET_THROUGH = {Phase.RELEASED, Phase.SPLICED}
KEPT = 3 << 18
"""Three buffers of 256 KiB at most."""


class Pair:
    """A client and a host that say what they are told to; does what the relay's acts ask for, as its entry point does."""

    def __init__(self, security: HostSecurity, verdicts: list[Verdict], client: ClientSession) -> None:
        self.relay: Relay = a_relay(security)
        self.verdicts = verdicts
        self.client = client
        self.told = b""

    def say(self, *, by_client: bool, data: bytes) -> None:
        acts = self.relay.from_client(data) if by_client else self.relay.from_host(data)
        self._do(acts)

    def _do(self, acts: list[Act]) -> None:
        self.told += to_client(acts)
        assert relayed.PASSWORD not in to_host(acts) or self.relay.phase in LET_THROUGH
        assert self.relay.kept <= KEPT
        for act in acts:
            if isinstance(act, Secure):
                self._do(self.relay.secured())
            if isinstance(act, Ask):
                self._do(self.relay.decided(self.verdicts.pop() if self.verdicts else Verdict(granted=False)))

    def licensed(self) -> bytes:
        """What the client answers to the last that it was told, where that was of licensing."""
        try:
            step = self.client.receive(relayed.message_of(relayed.packets(self.told)[-1]))
        except (AssertionError, IndexError, RemoteProtocolError):
            return b""
        return answer(step.send) if isinstance(step, Answered) else b""


def begun(security: HostSecurity) -> list[tuple[bool, bytes]]:
    """A connection as it should begin: who says what."""
    return [
        (True, relayed.CR),
        (False, relayed.confirm(SELECTED[security])),
        (True, relayed.connect_initial()),
        (False, relayed.connect_response()),
        (True, relayed.ERECT + relayed.ATTACH + relayed.JOIN),
        (False, relayed.ATTACHED + relayed.JOINED),
        (True, relayed.client_info()),
    ]


PROTOCOLS = st.integers(0, 0xFFFFFFFF).map(Protocol)
GOOD_BLOCKS = [
    Block(BlockKind.CS_CORE, bytes(128)),
    Block(BlockKind.SC_CORE, bytes(4)),
    Block(BlockKind.SC_CORE, bytes(12)),
    Block(BlockKind.SC_SECURITY, bytes(8)),
    Block(BlockKind.SC_NET, bytes.fromhex("eb030000")),
]
"""Well-formed, but not all of them belong together: some are missing, some come twice."""
BLOCKS = st.lists(
    st.sampled_from(GOOD_BLOCKS)
    | st.builds(Block, st.sampled_from(BlockKind) | st.integers(0, 0xFFFF), st.binary(max_size=220)),
    max_size=5,
)
OURS = [pair[1] for pair in begun(HostSecurity.PLAIN)]
PIECES = st.one_of(
    st.binary(max_size=300),
    st.sampled_from([*OURS, relayed.DISCONNECT, relayed.from_host(relayed.DEMAND_ACTIVE)]),
    st.sampled_from([relayed.from_host(relayed.licensing(one)) for one in (relayed.VALID, CANNED)]),
    st.binary(max_size=200).map(lambda data: relayed.send(relayed.USER, relayed.IO, relayed.licensing(data))),
    st.binary(max_size=200).map(relayed.from_host),
    st.builds(relayed.send, st.integers(1001, 66000), st.integers(0, 0xFFFF), st.binary(max_size=40)),
    st.builds(ConnectionRequest, PROTOCOLS).map(ConnectionRequest.encode),
    st.builds(ConnectionConfirm, PROTOCOLS, st.integers(0, 255)).map(ConnectionConfirm.encode),
    st.integers(0, 0xFFFFFFFF).map(lambda code: NegotiationFailure(code).encode()),
    BLOCKS.map(lambda blocks: ConnectInitial.make(blocks).encode()),
    BLOCKS.map(lambda blocks: ConnectResponse.make(blocks).encode()),
    st.integers(0, 7).map(lambda reason: DisconnectUltimatum(reason).encode()),
    st.builds(AttachUserConfirm, st.none() | st.integers(1001, 66000), st.integers(0, 15)).map(
        AttachUserConfirm.encode
    ),
)
TURNS = st.lists(st.tuples(st.booleans(), st.none() | PIECES, st.integers(0, 400)), max_size=12)
"""Who speaks, what (None: the client's answer to the relay's licensing), and where it is cut in two."""
VERDICTS = st.lists(
    st.builds(Verdict, granted=st.booleans(), token=st.none() | st.binary(max_size=64), no_server=st.booleans()),
    max_size=3,
)
CLIENTS = st.builds(relayed.licensing_client, bare=st.booleans(), stored=st.none() | st.binary(max_size=64))


SENT = st.builds(relayed.licensing, st.binary(max_size=60), st.integers(0, 0xFFFF))
ODD = [
    st.builds(ConnectionRequest, st.none() | PROTOCOLS, st.just(b"") | st.just(b"Cookie: a\r\n"), st.integers(0, 255)),
    st.builds(ConnectionConfirm, st.none() | PROTOCOLS, st.integers(0, 255))
    | st.builds(NegotiationFailure, st.integers(0, 0xFFFFFFFF)),
    BLOCKS.map(ConnectInitial.make),
    BLOCKS.map(ConnectResponse.make),
    st.builds(ChannelJoinRequest, st.integers(1001, 66000), st.integers(0, 0xFFFF)),
    st.builds(AttachUserConfirm, st.none() | st.integers(1001, 66000), st.integers(0, 15)),
    st.builds(SendDataRequest, st.integers(1001, 66000), st.just(relayed.IO) | st.integers(0, 0xFFFF), SENT),
]
"""For each turn of a connection's beginning: well-formed, but not always what is due."""


@pytest.mark.parametrize("turn", range(len(ODD)))
@given(st.data())
def test_a_well_formed_message_that_is_not_what_is_due_is_no_more_than_the_peers_mistake(turn, data):
    security = data.draw(st.sampled_from(HostSecurity))
    pair = Pair(security, [Verdict(granted=True)], relayed.licensing_client())
    story = begun(security)
    story[turn] = story[turn][0], data.draw(ODD[turn]).encode()
    say_all(pair, story)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(1001, 1009), SENT), max_size=5), VERDICTS, CLIENTS)
def test_no_word_of_a_host_behind_licensing_is_more_than_its_mistake(words, verdicts, client):
    pair = Pair(HostSecurity.PLAIN, verdicts, client)
    say_all(pair, begun(HostSecurity.PLAIN))
    while said := pair.licensed():
        say_all(pair, [(True, said)])
    say_all(pair, [(False, SendDataIndication(user + 1001, channel, data).encode()) for user, channel, data in words])


def say_all(pair: Pair, story: list[tuple[bool, bytes]]) -> None:
    """Let both speak until one makes a mistake. Any other exception, LocalProtocolError above all, would be ours."""
    try:
        for by_client, data in story:
            pair.say(by_client=by_client, data=data)
    except RemoteProtocolError:
        assert pair.relay.phase is Phase.CLOSED
        assert pair.relay.kept == 0


@given(st.sampled_from(HostSecurity), st.integers(0, 7), TURNS, VERDICTS, CLIENTS)
def test_no_bytes_in_any_order_are_more_than_the_peers_own_mistake(security, start, turns, verdicts, client):
    pair = Pair(security, verdicts, client)
    say_all(pair, begun(security)[:start])
    for by_client, piece, cut in turns:
        data = pair.licensed() if piece is None else piece
        say_all(pair, [(by_client or piece is None, part) for part in (data[:cut], data[cut:])])


@given(st.sampled_from([1, 7, 1 << 16]), VERDICTS, CLIENTS)
def test_a_client_that_keeps_to_the_protocol_is_let_through_or_refused_as_was_decided(size, verdicts, client):
    """However small the pieces are in which its bytes come; the relay never ends such a connection by itself."""
    pair = Pair(HostSecurity.PLAIN, [*verdicts], client)
    for by_client, data in begun(HostSecurity.PLAIN):
        for at in range(0, len(data), size):
            pair.say(by_client=by_client, data=data[at : at + size])
    while said := pair.licensed():
        pair.say(by_client=True, data=said)
    granted = bool(verdicts) and verdicts[-1].granted
    assert pair.relay.phase is (Phase.RELEASED if granted else Phase.CLOSED)
