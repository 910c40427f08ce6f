"""Whatever comes from outside is read or is a RemoteProtocolError, nothing else; and it is read in bounded memory."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp import mcs, tpkt, x224
from calward.wire.rdp.client_blocks import ClientCore, ClientNetwork, ClientSecurity
from calward.wire.rdp.security import SecurityExchange, SecurityHeader
from calward.wire.rdp.server_blocks import MessageChannel, ServerCore, ServerNetwork, ServerSecurity
from calward.wire.rdpele.certificates import CertificateChain, ProprietaryCertificate, decode_certificate
from calward.wire.rdpele.challenge_response import ChallengeResponse, ResponseData
from calward.wire.rdpele.license_error import LicenseError
from calward.wire.rdpele.license_info import LicenseInfo
from calward.wire.rdpele.license_request import LicenseRequest
from calward.wire.rdpele.new_license import NewLicense, NewLicenseInfo
from calward.wire.rdpele.new_license_request import NewLicenseRequest
from calward.wire.rdpele.platform_challenge import PlatformChallenge
from calward.wire.rdpele.preamble import unframe
from calward.wire.transcript import FROM_CLIENT, FROM_SERVER, Secrets, Transcript

DECODERS = [
    tpkt.split,
    x224.ConnectionRequest.decode,
    x224.decode_confirm,
    x224.tpdu_code,
    mcs.decode,
    ClientCore.decode,
    ClientSecurity.decode,
    ClientNetwork.decode,
    ServerCore.decode,
    ServerSecurity.decode,
    ServerNetwork.decode,
    MessageChannel.decode,
    SecurityHeader.split,
    SecurityExchange.decode,
    unframe,
    LicenseRequest.decode,
    NewLicenseRequest.decode,
    LicenseInfo.decode,
    PlatformChallenge.decode,
    ChallengeResponse.decode,
    ResponseData.decode,
    NewLicense.decode,
    NewLicenseInfo.decode,
    LicenseError.decode,
    decode_certificate,
]
SEEDS = [
    x224.ConnectionRequest(x224.Protocol.SSL, b"Cookie: mstshash=a\r\n").encode(),
    x224.ConnectionConfirm(x224.Protocol.SSL).encode(),
    mcs.ConnectInitial.make((ClientCore("PC1").encode(), ClientNetwork().encode())).encode(),
    mcs.ConnectResponse.make((ServerCore().encode(), ServerNetwork().encode())).encode(),
    mcs.SendDataRequest(1020, 1003, bytes.fromhex("80000000ff03100007000000020000000400" + "0000")).encode(),
    CertificateChain((b"root", b"host")).encode(),
    ProprietaryCertificate((1 << 511) + 1, 65537, bytes(72)).encode(),
]


@st.composite
def nearly_right(draw: st.DrawFn) -> bytes:
    """Something right with some of its bytes changed, cut or doubled."""
    data = bytearray(draw(st.sampled_from(SEEDS)))
    for _ in range(draw(st.integers(1, 4))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(1, len(data)))])


@pytest.mark.parametrize("decode", DECODERS, ids=lambda one: one.__qualname__)
@given(data=st.one_of(st.binary(max_size=200), nearly_right()))
def test_any_bytes_are_read_or_refused(decode, data):
    with suppress(RemoteProtocolError):
        decode(data)


@given(
    packets=st.lists(
        st.tuples(st.sampled_from([FROM_CLIENT, FROM_SERVER]), st.one_of(st.binary(max_size=80), nearly_right()))
    )
)
def test_a_transcript_never_raises(packets):
    transcript = Transcript(Secrets(b"\1" * 32, b"\2" * 32, b"\3" * 48, b"\4" * 32))
    for direction, data in packets:
        entry = transcript.packet(direction, data)
        assert (entry.kind == "malformed") == (entry.error is not None)


def test_a_chain_is_padded_by_its_length_and_has_the_root_first():
    blob = CertificateChain((b"root", b"host")).encode()
    assert blob.endswith(bytes(8 + 4 * 2))
    assert blob.index(b"root") < blob.index(b"host")
    assert decode_certificate(blob) == CertificateChain((b"root", b"host"))


@pytest.mark.parametrize("change", [lambda blob: blob[:-1], lambda blob: blob + b"\0", lambda blob: b"\3" + blob[1:]])
def test_a_chain_that_is_not_whole_is_refused(change):
    with pytest.raises(RemoteProtocolError):
        decode_certificate(change(CertificateChain((b"root", b"host")).encode()))


def test_a_proprietary_certificate_is_read_as_it_was_written():
    certificate = ProprietaryCertificate((1 << 511) + 1, 65537, bytes(72), temporary=True)
    assert decode_certificate(certificate.encode()) == certificate


@pytest.mark.parametrize(
    ("rewrite", "packet"),
    [
        (x224.with_requested_protocols, SEEDS[0]),
        (x224.with_selected_protocol, SEEDS[1]),
        (mcs.with_server_selected_protocol, SEEDS[2]),
        (
            mcs.with_client_requested_protocols,
            mcs.ConnectResponse.make((ServerCore(client_requested_protocols=3).encode(),)).encode(),
        ),
    ],
    ids=["requested", "selected", "server selected", "client requested"],
)
def test_a_rewrite_changes_one_field_and_no_length(rewrite, packet):
    changed = rewrite(packet, 11)
    assert len(changed) == len(packet)
    assert sum(one != other for one, other in zip(changed, packet, strict=True)) <= 4
    assert rewrite(changed, 11) == changed
