"""Are these the bytes? The annotated connection of [MS-RDPBCGR] section 4.1, up to the end of licensing."""

import pytest

from calward.wire.rdp import mcs, x224
from calward.wire.rdp.client_blocks import ClientCore, ClientNetwork, ClientSecurity, StaticChannel
from calward.wire.rdp.gcc import BlockKind, find
from calward.wire.rdp.security import SecurityExchange, SecurityFlag, SecurityHeader
from calward.wire.rdp.server_blocks import ServerCore, ServerNetwork, ServerSecurity
from calward.wire.rdp.tpkt import split
from calward.wire.rdpele.certificates import ProprietaryCertificate, decode_certificate
from calward.wire.rdpele.license_error import VALID_CLIENT, LicenseError
from calward.wire.rdpele.preamble import MessageType, frame, unframe
from tests.support.vectors import blocks

PACKETS = blocks("ms-rdpbcgr-4.1-connection.hex")
REQUEST, CONFIRM, INITIAL, RESPONSE, *DOMAIN, EXCHANGE, INFO, VALID = PACKETS
IO, USER = 1003, 1007
FLAG = SecurityFlag


def test_all_packets_are_found_in_the_stream():
    assert split(b"".join(PACKETS)) == (PACKETS, b"")


def test_4_1_1_connection_request():
    request = x224.ConnectionRequest(x224.Protocol.RDP, b"Cookie: mstshash=eltons\r\n")
    assert (x224.ConnectionRequest.decode(REQUEST), request.encode()) == (request, REQUEST)


def test_4_1_2_connection_confirm():
    confirm = x224.ConnectionConfirm(x224.Protocol.RDP)
    assert (x224.decode_confirm(CONFIRM), confirm.encode()) == (confirm, CONFIRM)


def test_4_1_3_connect_initial():
    initial = mcs.ConnectInitial.decode(INITIAL)
    # The five domain parameters beyond 0x7FFF are negative numbers in the specification's bytes; ours have a zero before.
    made = mcs.ConnectInitial.make(initial.blocks).encode()
    tail = INITIAL.index(bytes.fromhex("04820133"))
    assert (made[tail + 5 :], len(made)) == (INITIAL[tail:], len(INITIAL) + 5)
    assert made[12 : tail + 5].replace(b"\x02\x03\0", b"\x02\x02") == (
        INITIAL[12:tail].replace(b"\x30\x19\x02\x01\x22", b"\x30\x1a\x02\x01\x22").replace(b"\x30\x1c", b"\x30\x20")
    )
    kinds = [BlockKind.CS_CORE, BlockKind.CS_CLUSTER, BlockKind.CS_SECURITY, BlockKind.CS_NET]
    assert [one.kind for one in initial.blocks] == kinds
    core, _, security, network = initial.blocks
    assert ClientCore.decode(core.data) == ClientCore("ELTONS-DEV2", 0x00080004, 3790, 1280, 1024, 1, 0)
    offered = ClientSecurity(0x1B)
    assert (ClientSecurity.decode(security.data), offered.encode().encode()) == (offered, security.encode())
    options = {"rdpdr": 0x80800000, "cliprdr": 0xC0A00000, "rdpsnd": 0xC0000000}
    channels = ClientNetwork(tuple(StaticChannel(*one) for one in options.items()))
    assert (ClientNetwork.decode(network.data), channels.encode().encode()) == (channels, network.encode())


def test_4_1_4_connect_response():
    response = mcs.ConnectResponse.decode(RESPONSE)
    core, network, security = response.blocks
    found = (
        (ServerCore(0x00080004, 0), ServerCore, core),
        (ServerNetwork(IO, (1004, 1005, 1006)), ServerNetwork, network),
        (ServerSecurity(2, 2, *random_and_certificate(security.data)), ServerSecurity, security),
    )
    for value, form, block in found:
        assert (form.decode(block.data), value.encode().encode()) == (value, block.encode())
    # The server counts 42 bytes where 0x8118 would be right; we write what is right, in two bytes.
    right = mcs.ConnectResponse.make(response.blocks).encode()
    assert right[-len(b"".join(one.encode() for one in response.blocks)) :] == RESPONSE[-264:]
    assert mcs.ConnectResponse.decode(right).blocks == tuple(
        type(one)(one.kind, one.data, one.offset + 1) for one in response.blocks
    )


def random_and_certificate(data):
    return data[16:48], data[48:]


def test_4_1_4_the_certificate_is_a_proprietary_one():
    security = ServerSecurity.decode(find(mcs.ConnectResponse.decode(RESPONSE).blocks, BlockKind.SC_SECURITY).data)
    assert security.bits == 128
    certificate = decode_certificate(security.certificate)
    assert isinstance(certificate, ProprietaryCertificate)
    assert (certificate.modulus.bit_length(), certificate.exponent, certificate.temporary) == (512, 65537, False)
    assert certificate.modulus.to_bytes(64, "little").hex().startswith("cb81feba6d61c355")
    assert certificate.encode() == security.certificate


JOINING = {
    "4.1.5": mcs.ErectDomain(),
    "4.1.6": mcs.AttachUserRequest(),
    "4.1.7": mcs.AttachUserConfirm(USER),
    "4.1.8.1.1": mcs.ChannelJoinRequest(USER, USER),
    "4.1.8.1.2": mcs.ChannelJoinConfirm(USER, USER, USER),
    "4.1.8.2.1": mcs.ChannelJoinRequest(USER, IO),
}


@pytest.mark.parametrize(("packet", "pdu"), list(zip(DOMAIN, JOINING.values(), strict=True)), ids=list(JOINING))
def test_channels_are_joined(packet, pdu):
    assert (mcs.decode(packet), pdu.encode()) == (pdu, packet)


@pytest.mark.parametrize(
    ("packet", "form", "flags", "mac"),
    [
        (EXCHANGE, mcs.SendDataRequest, FLAG.EXCHANGE_PKT | FLAG.LICENSE_ENCRYPT, None),
        (INFO, mcs.SendDataRequest, FLAG.INFO_PKT | FLAG.ENCRYPT, "45ca46fa5ea7bebc"),
        (VALID, mcs.SendDataIndication, FLAG.LICENSE_PKT | FLAG.LICENSE_ENCRYPT | FLAG.ENCRYPT, "8d439aabd52a3139"),
    ],
    ids=["4.1.9", "4.1.10", "4.1.11"],
)
def test_data_have_a_security_header(packet, form, flags, mac):
    pdu = mcs.decode(packet)
    assert (type(pdu), pdu.user, pdu.channel) == (form, 1002 if form is mcs.SendDataIndication else USER, IO)
    header, content = SecurityHeader.split(pdu.data)
    assert (header.flags, header.mac and header.mac.hex()) == (flags, mac)
    assert header.encode() + content == pdu.data
    again = pdu.encode()
    assert mcs.decode(again) == pdu
    # We write the length of the data in two bytes always; the specification's server writes short ones in one.
    short = len(pdu.data) < 0x80
    assert again[-len(pdu.data) :] == packet[-len(pdu.data) :]
    assert len(again) - len(packet) == short


def test_4_1_9_the_clients_random_is_encrypted_for_512_bits():
    data = SecurityHeader.split(mcs.decode(EXCHANGE).data)[1]
    exchange = SecurityExchange.decode(data)
    assert (len(exchange.encrypted_random), exchange.encode()) == (64, data)


def test_4_1_11_decrypted_it_says_that_the_client_is_valid():
    data = bytes.fromhex("ff031000070000000200000004000000")
    assert len(SecurityHeader.split(mcs.decode(VALID).data)[1]) == len(data)
    preamble, body = unframe(data)
    assert (preamble.type, LicenseError.decode(body)) == (MessageType.ERROR_ALERT, VALID_CLIENT)
    assert frame(MessageType.ERROR_ALERT, VALID_CLIENT.encode()) == data
