"""Connect Initial and Connect Response: read whole or not at all; one field of each is replaced in place."""

import pytest

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdp import mcs
from calward.wire.rdp.client_blocks import ClientCore, ClientNetwork, ClientSecurity
from calward.wire.rdp.gcc import BlockKind, find
from calward.wire.rdp.mcs_connect import (
    ConnectInitial,
    ConnectResponse,
    with_client_requested_protocols,
    with_server_selected_protocol,
)
from calward.wire.rdp.server_blocks import ServerCore, ServerNetwork, ServerSecurity
from tests.support.broken import changed, cuts, is_refused
from tests.support.vectors import blocks

INITIAL = ConnectInitial.make(
    (ClientCore("PC1", server_selected_protocol=1).encode(), ClientSecurity(0).encode(), ClientNetwork().encode())
)
RESPONSE = ConnectResponse.make(
    one.encode() for one in (ServerCore(client_requested_protocols=3), ServerSecurity(), ServerNetwork(1003, (1004,)))
)
SPECIFIED = blocks("ms-rdpbcgr-4.1-connection.hex")[2:4]
PACKETS = [
    (ConnectInitial, INITIAL.encode()),
    (ConnectResponse, RESPONSE.encode()),
    (ConnectInitial, SPECIFIED[0]),
    (ConnectResponse, SPECIFIED[1]),
]


@pytest.mark.parametrize(("form", "packet"), PACKETS)
def test_a_packet_is_kept_as_it_came_and_no_cut_of_it_is_read(form, packet):
    found = form.decode(packet)
    assert (found.encode(), mcs.decode(packet)) == (packet, found)
    assert all(packet[one.offset :].startswith(one.data) for one in found.blocks)
    assert all(is_refused(form.decode, cut) for cut in cuts(packet))
    assert is_refused(form.decode, packet + b"\0")


@pytest.mark.parametrize(("form", "packet"), PACKETS)
def test_a_cut_packet_whose_frame_says_so_is_refused_too(form, packet):
    for cut in list(cuts(packet))[7:]:
        assert is_refused(form.decode, changed(cut, 2, len(cut).to_bytes(2, "big")))


def test_one_is_not_the_other():
    assert is_refused(ConnectInitial.decode, RESPONSE.encode())
    assert is_refused(ConnectResponse.decode, INITIAL.encode())
    assert is_refused(mcs.decode, changed(INITIAL.encode(), 8, b"\x67"))


def test_a_server_that_says_no_is_refused_with_its_result():
    with pytest.raises(RemoteProtocolError, match="the server says no: result 0e"):
        ConnectResponse.decode(changed(RESPONSE.encode(), RESPONSE.encode().index(b"\x0a\x01\x00") + 2, b"\x0e"))


def test_user_data_that_end_before_the_packet_are_refused():
    packet = INITIAL.encode()
    place = packet.index(bytes.fromhex("000500147c0001")) - 2
    shorter = (int.from_bytes(packet[place : place + 2], "big") - 1).to_bytes(2, "big")
    with pytest.raises(RemoteProtocolError, match="bytes are announced"):
        ConnectInitial.decode(changed(packet, place, shorter))


def test_the_selected_protocol_is_replaced_in_place():
    packet = INITIAL.encode()
    new = with_server_selected_protocol(packet, 0x0102)
    assert len(new) == len(packet)
    core = ClientCore.decode(find(ConnectInitial.decode(new).blocks, BlockKind.CS_CORE).data)
    assert (core.server_selected_protocol, core.client_name) == (0x0102, "PC1")
    assert with_server_selected_protocol(new, 1) == packet


def test_the_requested_protocols_are_replaced_in_place():
    packet = RESPONSE.encode()
    new = with_client_requested_protocols(packet, 0x0B)
    assert len(new) == len(packet)
    core = ServerCore.decode(find(ConnectResponse.decode(new).blocks, BlockKind.SC_CORE).data)
    assert core == ServerCore(client_requested_protocols=0x0B)
    assert with_client_requested_protocols(new, 3) == packet


@pytest.mark.parametrize(
    ("rewrite", "packet"),
    [
        (with_server_selected_protocol, ConnectInitial.make(()).encode()),
        (with_client_requested_protocols, ConnectResponse.make(()).encode()),
        (with_client_requested_protocols, ConnectResponse.make((ServerCore().encode(),)).encode()),
    ],
    ids=["no client block", "no server block", "an old server"],
)
def test_an_absent_field_means_zero_and_can_be_nothing_else(rewrite, packet):
    assert rewrite(packet, 0) == packet
    with pytest.raises(LocalProtocolError, match="no such field"):
        rewrite(packet, 1)


def test_a_field_is_replaced_in_what_others_wrote_too():
    new = with_server_selected_protocol(SPECIFIED[0], 2)
    assert [place for place, pair in enumerate(zip(new, SPECIFIED[0], strict=True)) if pair[0] != pair[1]] == [0x158]
    new = with_client_requested_protocols(SPECIFIED[1], 2)
    assert [place for place, pair in enumerate(zip(new, SPECIFIED[1], strict=True)) if pair[0] != pair[1]] == [0x51]
