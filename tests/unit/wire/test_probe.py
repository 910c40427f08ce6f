"""What does the probe make of hosts? The generator is played a host's packets, one after another."""

import pytest

from calward.wire.errors import RemoteProtocolError
from calward.wire.probe import Findings, Outcome, Receive, Send, StartTls, probe
from calward.wire.rdp import mcs
from calward.wire.rdp.client_blocks import ClientCore
from calward.wire.rdp.gcc import BlockKind, find
from calward.wire.rdp.security import SecurityFlag, SecurityHeader
from calward.wire.rdp.server_blocks import ServerCore, ServerNetwork, ServerSecurity
from calward.wire.rdp.x224 import (
    ConnectionConfirm,
    ConnectionRequest,
    FailureCode,
    NegotiationFailure,
    Protocol,
)
from calward.wire.rdpele.client_session import ClientSession
from calward.wire.rdpele.license_error import VALID_CLIENT, LicenseError
from calward.wire.rdpele.preamble import MessageType, frame
from calward.wire.rdpele.server_session import ServerSession
from tests.support.wire_targets import OFFER, PREMASTER, SERVER_RANDOM

USER, IO = 1007, 1003
LICENSED = SecurityHeader(SecurityFlag.LICENSE_PKT).encode()
TLS, BARE = ConnectionConfirm(Protocol.SSL).encode(), ConnectionConfirm(None).encode()
RESPONSE = mcs.ConnectResponse.make(one.encode() for one in (ServerCore(), ServerSecurity(), ServerNetwork())).encode()
JOINED = [
    mcs.AttachUserConfirm(USER).encode(),
    mcs.ChannelJoinConfirm(USER, USER, USER).encode(),
    mcs.ChannelJoinConfirm(USER, IO, IO).encode(),
]
OPENING = [TLS, RESPONSE, *JOINED]
CLOSED = b""


def from_host(data, channel=IO):
    return mcs.SendDataIndication(1002, channel, data).encode()


def alert(error):
    return from_host(LICENSED + frame(MessageType.ERROR_ALERT, error.encode()))


VALID = alert(VALID_CLIENT)
LEFT = mcs.DisconnectUltimatum().encode()


def error_info(code):
    """[MS-RDPBCGR] 2.2.5.1.1: both share headers, then the code."""
    return bytes.fromhex("1600 1700 ea03 ea030100 00 01 0400 2f 00 0000") + code.to_bytes(4, "little")


def a_session():
    return ClientSession(
        client_random=b"c" * 32,
        premaster=PREMASTER,
        encrypt=lambda premaster, _certificate: premaster + bytes(8),
        hardware_id=bytes(20),
    )


def play(answers, license_host=None):
    """Play packets to the probe; what it sends goes to ``license_host``, whose answers come when the packets have ended."""
    findings, sent, acts, waiting = Findings(), [], [], list(answers)
    steps = probe(findings, a_session, "probe")
    try:
        act = next(steps)
        while True:
            acts.append(type(act))
            if isinstance(act, Send):
                sent.append(act.data)
            heard = (waiting.pop(0) if waiting else license_host(sent[-1])) if isinstance(act, Receive) else None
            act = steps.send(heard)
    except StopIteration:
        assert not waiting
        return findings, sent, acts


class LicensingHost:
    """Our server's side of licensing, in packets."""

    def __init__(self):
        self.session = ServerSession(
            OFFER, server_random=SERVER_RANDOM, challenge=b"0123456789", decrypt_premaster=lambda blob: blob[:48]
        )

    def request(self):
        return from_host(LICENSED + self.session.start())

    def __call__(self, packet):
        _, message = SecurityHeader.split(mcs.decode(packet).data)
        step = self.session.receive(message)
        return from_host(LICENSED + (step.send if hasattr(step, "send") else self.session.grant(b"a license")))


def test_a_host_that_licenses_is_seen_whole():
    host = LicensingHost()
    findings, sent, acts = play([*OPENING, host.request()], host)
    assert (findings.outcome, findings.security, findings.error_code) == (Outcome.LICENSED, "tls", None)
    assert findings.request.product == OFFER.product
    assert findings.license.license == b"a license"
    assert acts[:3] == [Send, Receive, StartTls]
    assert sent[0] == ConnectionRequest(Protocol.SSL).encode()
    core = find(mcs.ConnectInitial.decode(sent[1]).blocks, BlockKind.CS_CORE)
    assert ClientCore.decode(core.data).client_name == "probe"
    assert ClientCore.decode(core.data).server_selected_protocol == Protocol.SSL
    assert sent[-1] == LEFT


def test_a_host_without_tls_is_spoken_to_in_clear():
    findings, sent, acts = play([BARE, RESPONSE, *JOINED, VALID, CLOSED])
    assert (findings.outcome, findings.security) == (Outcome.ACCEPTED, "rdp")
    assert StartTls not in acts
    core = find(mcs.ConnectInitial.decode(sent[1]).blocks, BlockKind.CS_CORE)
    assert ClientCore.decode(core.data).server_selected_protocol == Protocol.RDP


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (FailureCode.HYBRID_REQUIRED_BY_SERVER, Outcome.NEEDS_NLA),
        (FailureCode.SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER, Outcome.NEEDS_NLA),
        (FailureCode.SSL_NOT_ALLOWED_BY_SERVER, Outcome.STANDARD_SECURITY),
        (FailureCode.SSL_CERT_NOT_ON_SERVER, Outcome.NOT_NEGOTIATED),
        (99, Outcome.NOT_NEGOTIATED),
    ],
)
def test_a_host_that_takes_no_tls_says_why(code, outcome):
    findings, _, _ = play([NegotiationFailure(code).encode()])
    assert (findings.outcome, findings.error_code, findings.security) == (outcome, code, None)


def test_a_host_that_encrypts_in_the_old_way_is_left():
    security = ServerSecurity(2, 2, bytes(32), b"c").encode()
    findings, _, _ = play([BARE, mcs.ConnectResponse.make((security,)).encode()])
    assert findings.outcome is Outcome.STANDARD_SECURITY


def test_a_host_that_names_no_channels_has_the_usual_one():
    findings, _, _ = play([TLS, mcs.ConnectResponse.make(()).encode(), *JOINED, VALID, CLOSED])
    assert findings.outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("place", range(len(OPENING)))
def test_a_host_that_closes_before_licensing_has_ended_is_said_to_have_left(place):
    findings, _, _ = play([*OPENING[:place], CLOSED])
    assert findings.outcome is Outcome.DISCONNECTED


def test_a_host_that_says_goodbye_has_left_too():
    assert play([*OPENING, LEFT])[0].outcome is Outcome.DISCONNECTED


def test_a_refusal_has_its_code():
    findings, sent, _ = play([*OPENING, alert(LicenseError(6, 1))])
    assert (findings.outcome, findings.error_code, sent[-1]) == (Outcome.REFUSED, 6, LEFT)


@pytest.mark.parametrize(
    ("after", "outcome", "code"),
    [
        ([from_host(error_info(0x102))], Outcome.REFUSED, 0x102),
        ([from_host(error_info(0))], Outcome.ACCEPTED, None),
        ([from_host(bytes(30))], Outcome.ACCEPTED, None),
        ([from_host(b"elsewhere", 1004), LEFT, from_host(error_info(0x102))], Outcome.REFUSED, 0x102),
        ([from_host(b"elsewhere", 1004)] * 64, Outcome.ACCEPTED, None),
        ([CLOSED], Outcome.ACCEPTED, None),
    ],
    ids=["refused after all", "no error", "a picture", "elsewhere", "elsewhere for ever", "closed"],
)
def test_what_follows_licensing_is_looked_at_once(after, outcome, code):
    findings, _, _ = play([*OPENING, VALID, *after])
    assert (findings.outcome, findings.error_code) == (outcome, code)


def test_other_packets_between_are_passed_over():
    between = [from_host(LICENSED + b"no message", 1004), mcs.ErectDomain().encode(), from_host(b"\0\x10\0\0detect")]
    assert play([*OPENING, *between, VALID, CLOSED])[0].outcome is Outcome.ACCEPTED


@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ([ConnectionConfirm(Protocol.HYBRID).encode()], "was not offered"),
        ([TLS, RESPONSE, mcs.AttachUserConfirm(None, 3).encode()], "no user id was given"),
        ([TLS, RESPONSE, LEFT], "no user id was given"),
        ([TLS, RESPONSE, JOINED[0], LEFT], "channel 1007 cannot be joined"),
        ([TLS, RESPONSE, *JOINED[:2], mcs.ChannelJoinConfirm(USER, IO, None, 1).encode()], "channel 1003 cannot be"),
        (
            [*OPENING, from_host(SecurityHeader(SecurityFlag.ENCRYPT, bytes(8)).encode())],
            "encrypted although nothing else is",
        ),
        ([*OPENING, *[from_host(b"detect", 1004)] * 64], "licensing has not ended after 64 packets"),
        ([b"HTTP/1.1 400"], "X.224 Connection Confirm|TPKT"),
    ],
)
def test_what_a_host_may_not_do_is_its_mistake(answers, words):
    with pytest.raises(RemoteProtocolError, match=words):
        play(answers)
