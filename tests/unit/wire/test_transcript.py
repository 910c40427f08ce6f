"""What does a transcript make of packets: where is there a security header, and what is said where something is closed?"""

import pytest

from calward.wire.rdp import mcs
from calward.wire.rdp.client_blocks import ClientCore, ClientNetwork
from calward.wire.rdp.logon import nameless_client_info
from calward.wire.rdp.security import SecurityExchange, SecurityFlag, SecurityHeader
from calward.wire.rdp.server_blocks import MessageChannel, ServerCore, ServerNetwork, ServerSecurity
from calward.wire.rdp.x224 import ConnectionConfirm, ConnectionRequest, NegotiationFailure, Protocol
from calward.wire.rdpele.certificates import CertificateChain, ProprietaryCertificate
from calward.wire.rdpele.legacy_crypto import Rc4Stream, derive_keys, mac, mac8, rc4, rdp_security_keys
from calward.wire.rdpele.license_error import VALID_CLIENT, LicenseError
from calward.wire.rdpele.license_info import LicenseInfo
from calward.wire.rdpele.license_request import LicenseRequest
from calward.wire.rdpele.new_license import NewLicense, NewLicenseInfo
from calward.wire.rdpele.opened import CLOSED, NOISE
from calward.wire.rdpele.preamble import MessageType, frame
from calward.wire.rdpele.product_info import ProductInfo
from calward.wire.transcript import FROM_CLIENT, FROM_SERVER, Secrets, Transcript
from tests.support.vectors import block, blocks, values

IO, MESSAGES, VIRTUAL, USER = 1003, 1006, 1004, 1007
DEMAND_ACTIVE = bytes.fromhex("80001100ea03ea030100") + bytes(118)
"""128 bytes: its length reads like the flag of licensing."""
SYNCHRONIZE = bytes.fromhex("16001700ef03ea030100000108001f0000000100ea03")
LICENSED = SecurityHeader(SecurityFlag.LICENSE_PKT).encode()
END = LICENSED + frame(MessageType.ERROR_ALERT, VALID_CLIENT.encode())
NOTHING = Secrets()
SECRETS = Secrets(b"s" * 32, b"c" * 32, b"p" * 48)
KEYS = derive_keys(b"p" * 48, b"c" * 32, b"s" * 32)


def said(transcript, direction, packet):
    entry = transcript.packet(direction, packet)
    assert entry.error is None, entry
    assert entry.direction == direction
    return entry.kind, entry.fields


def from_client(transcript, data, channel=IO):
    return said(transcript, FROM_CLIENT, mcs.SendDataRequest(USER, channel, data).encode())


def from_server(transcript, data, channel=IO):
    return said(transcript, FROM_SERVER, mcs.SendDataIndication(1002, channel, data).encode())


def connected(*blocks, secrets=NOTHING):
    """A transcript that has read a Connect Response."""
    transcript = Transcript(secrets)
    transcript.packet(FROM_CLIENT, ConnectionRequest(Protocol.SSL).encode())
    response = mcs.ConnectResponse.make(one.encode() for one in (ServerCore(), *blocks)).encode()
    kind, fields = said(transcript, FROM_SERVER, response)
    assert kind == "connect_response"
    return transcript, fields


def under_tls():
    return connected(ServerSecurity(), ServerNetwork(IO, (VIRTUAL,)), MessageChannel(MESSAGES))[0]


# --- where there is a security header --------------------------------------------------------------------------------


@pytest.mark.parametrize("data", [DEMAND_ACTIVE, SYNCHRONIZE, SYNCHRONIZE + SYNCHRONIZE])
def test_share_data_are_no_security_header_even_where_the_capture_lacks_the_end_of_licensing(data):
    for transcript in (under_tls(), Transcript(Secrets())):
        assert from_server(transcript, data) == ("data", {"channel": IO, "bytes": len(data)})


@pytest.mark.parametrize("kind", [0x11, 0x13, 0x16, 0x17, 0x1A])
@pytest.mark.parametrize("size", [0x41, 0x80, 0xC1])
def test_each_kind_of_share_data_is_known_whatever_its_length_reads_like(kind, size):
    data = bytes([size, 0, kind, 0]) + bytes(size - 4)
    for whole in (data, data + data):
        assert from_server(under_tls(), whole) == ("data", {"channel": IO, "bytes": len(whole)})


@pytest.mark.parametrize("garbage", [0x0017, 0x0302, 0xFFFF])
def test_a_meaningless_upper_half_of_the_flags_does_not_hide_licensing(garbage):
    header = SecurityHeader(SecurityFlag.LICENSE_PKT, None, garbage)
    assert from_server(under_tls(), header.encode() + END[4:])[0] == "error_alert"


@pytest.mark.parametrize("data", [END, b"\x80\0\0\0clipboard", b"\x40\0", b""])
def test_under_tls_virtual_channels_have_no_security_header(data):
    assert from_server(under_tls(), data, VIRTUAL) == ("data", {"channel": VIRTUAL, "bytes": len(data)})


def test_under_tls_client_info_and_licensing_have_one_until_licensing_ends():
    transcript = under_tls()
    kind, fields = from_client(transcript, nameless_client_info())
    assert (kind, fields["security_flags"]) == ("client_info", "0040")
    assert from_server(transcript, END)[0] == "error_alert"
    assert from_server(transcript, END) == ("data", {"channel": IO, "bytes": len(END)})


@pytest.mark.parametrize("data", [b"", b"\x04", b"\0\x80\x01\0"])
def test_what_announces_nothing_is_data(data):
    assert from_client(under_tls(), data)[0] == "data"


def test_the_io_channel_is_the_one_that_the_server_names():
    transcript, fields = connected(ServerSecurity(), ServerNetwork(1111, (IO,)))
    assert fields["io_channel"] == 1111
    assert from_server(transcript, END, IO)[0] == "data"
    assert from_server(transcript, END, 1111)[0] == "error_alert"


@pytest.mark.parametrize(
    ("flag", "kind"),
    [
        (SecurityFlag.AUTODETECT_REQ, "autodetect_request"),
        (SecurityFlag.AUTODETECT_RSP, "autodetect_response"),
        (SecurityFlag.HEARTBEAT, "data"),
    ],
)
def test_the_message_channel_always_has_one(flag, kind):
    transcript = under_tls()
    from_server(transcript, END)
    found, fields = from_server(transcript, SecurityHeader(flag).encode() + b"12", MESSAGES)
    assert (found, fields["security_flags"], fields["bytes"]) == (kind, f"{flag:04x}", 2)


def test_a_new_connection_begins_anew():
    transcript = under_tls()
    from_server(transcript, END)
    transcript.packet(FROM_CLIENT, ConnectionRequest(Protocol.SSL).encode())
    assert from_server(transcript, END)[0] == "error_alert"


# --- standard RDP security -------------------------------------------------------------------------------------------

CLIENT_RANDOM, SERVER_RANDOM = b"\x0a" * 32, b"\x0b" * 32


def under_standard_security(method=2, **known):
    security = ServerSecurity(method, 2, SERVER_RANDOM, b"x")
    return connected(security, ServerNetwork(), secrets=Secrets(**known))[0]


def test_under_standard_security_all_data_have_a_header():
    transcript = under_standard_security()
    exchange = SecurityHeader(SecurityFlag.EXCHANGE_PKT).encode() + SecurityExchange(b"r" * 256).encode()
    assert from_client(transcript, exchange)[0] == "security_exchange"
    assert from_server(transcript, END)[0] == "error_alert"
    kind, fields = from_server(transcript, SecurityHeader(SecurityFlag(0)).encode() + b"plain", VIRTUAL)
    assert (kind, fields["security_flags"], fields["bytes"]) == ("data", "0000", 5)


@pytest.mark.parametrize(("method", "bits"), [(1, 40), (2, 128), (8, 56)])
def test_each_length_of_key_is_opened(method, bits):
    transcript = under_standard_security(method, rdp_client_random=CLIENT_RANDOM)
    keys = rdp_security_keys(CLIENT_RANDOM, SERVER_RANDOM, bits=bits)
    stream = Rc4Stream(keys.from_client, bits=bits)
    header = SecurityHeader(SecurityFlag.ENCRYPT | SecurityFlag.INFO_PKT, mac8(keys.mac_key, b"info"))
    kind, fields = from_client(transcript, header.encode() + stream.packet(b"info"))
    assert (kind, fields["security_mac_valid"]) == ("client_info", True)


@pytest.mark.parametrize(
    ("method", "known", "note"),
    [(2, {}, CLOSED), (16, {"rdp_client_random": CLIENT_RANDOM}, CLOSED), (2, {"rdp_client_random": b"z" * 32}, NOISE)],
    ids=["no random", "FIPS", "a wrong random"],
)
def test_what_cannot_be_decrypted_is_said_to_be_closed_and_why(method, known, note):
    sealed = SecurityHeader(SecurityFlag.ENCRYPT, bytes(8)).encode() + b"secret"
    kind, fields = from_server(under_standard_security(method, **known), sealed)
    assert (kind, fields["note"], fields["bytes"]) == ("encrypted", note, 6)


@pytest.mark.parametrize("salted", [False, True])
@pytest.mark.parametrize("size", [20, 300])
def test_an_encrypted_fast_path_packet_takes_its_part_of_the_stream(salted, size):
    transcript = under_standard_security(rdp_client_random=CLIENT_RANDOM)
    keys = rdp_security_keys(CLIENT_RANDOM, SERVER_RANDOM)
    stream = Rc4Stream(keys.from_server)
    picture = b"p" * size
    head = 2 if size == 20 else 3
    length = (head + 8 + size).to_bytes(1, "big") if head == 2 else (0x8000 | head + 8 + size).to_bytes(2, "big")
    sealed = mac8(keys.mac_key, picture, count=0 if salted else None) + stream.packet(picture)
    kind, fields = said(transcript, FROM_SERVER, bytes([0xC0 if salted else 0x80]) + length + sealed)
    assert (kind, fields["security_mac_valid"]) == ("fast_path", True)
    header = SecurityHeader(SecurityFlag.ENCRYPT, mac8(keys.mac_key, b"next"))
    assert from_server(transcript, header.encode() + stream.packet(b"next"))[1]["security_mac_valid"] is True


# --- packets around --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet", "kind", "fields"),
    [
        (
            ConnectionRequest(Protocol.SSL, b"Cookie: mstshash=\xffa\r\n").encode(),
            "connection_request",
            {"requested_protocols": 1, "token": "Cookie: mstshash=\\xffa"},
        ),
        (ConnectionRequest(None).encode(), "connection_request", {"requested_protocols": None, "token": ""}),
        (ConnectionConfirm(Protocol.HYBRID, 1).encode(), "connection_confirm", {"selected_protocol": 2, "flags": 1}),
        (ConnectionConfirm(None).encode(), "connection_confirm", {"selected_protocol": None, "flags": 0}),
        (NegotiationFailure(5).encode(), "negotiation_failure", {"failure_code": 5}),
        (mcs.ErectDomain().encode(), "erect_domain", {}),
        (mcs.AttachUserRequest().encode(), "attach_user_request", {}),
        (mcs.AttachUserConfirm(USER).encode(), "attach_user_confirm", {"user": USER, "result": 0}),
        (mcs.ChannelJoinRequest(USER, IO).encode(), "channel_join_request", {"user": USER, "channel": IO}),
        (mcs.ChannelJoinConfirm(USER, IO, IO).encode(), "channel_join_confirm", {"user": USER, "channel": IO}),
        (mcs.DisconnectUltimatum().encode(), "disconnect", {"reason": 3}),
        (b"\x00\x04ab", "fast_path", {"bytes": 4}),
        (b"\x80\x04ab", "fast_path", {"bytes": 4}),
        (mcs.ConnectInitial.make(()).encode(), "connect_initial", {}),
        (mcs.ConnectResponse.make(()).encode(), "connect_response", {}),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_each_packet_is_named(packet, kind, fields):
    assert said(Transcript(Secrets()), FROM_CLIENT, packet) == (kind, fields)


def test_a_client_is_described_by_what_it_says_of_itself():
    blocks = (ClientCore("PC1", server_selected_protocol=2).encode(), ClientNetwork().encode())
    kind, fields = said(Transcript(Secrets()), FROM_CLIENT, mcs.ConnectInitial.make(blocks).encode())
    assert (kind, fields["client_name"], fields["server_selected_protocol"]) == ("connect_initial", "PC1", 2)
    assert (fields["rdp_version"], fields["client_build"]) == ("00080004", 2600)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x16\x03\x01\x02\0",
        b"\x03\0\0\x04",
        b"\x03\0",
        mcs.AttachUserRequest().encode()[:-1],
        mcs.AttachUserRequest().encode() + b"\0",
        b"\x00\x05ab",
    ],
    ids=["nothing", "TLS", "no TPDU", "half a header", "cut", "two packets", "fast-path cut"],
)
def test_what_is_no_whole_packet_is_malformed(packet):
    entry = Transcript(Secrets()).packet(FROM_SERVER, packet)
    assert (entry.kind, entry.fields) == ("malformed", {"bytes": len(packet)})
    assert entry.error


# --- licensing, opened -----------------------------------------------------------------------------------------------


def licensing(kind, body, secrets=SECRETS):
    return from_server(Transcript(secrets), LICENSED + frame(kind, body))[1]


INFO = NewLicenseInfo(0x00060001, "example", "Company", "A02", b"license").encode()
NEW = NewLicense(rc4(KEYS.licensing_key, INFO), mac(KEYS, INFO)).encode()


def test_a_license_is_opened():
    fields = licensing(MessageType.UPGRADE_LICENSE, NEW)
    assert (fields["product_version"], fields["scope"], fields["company"]) == ("6.1", "example", "Company")
    assert (fields["product"], fields["license_bytes"], fields["mac_valid"]) == ("A02", 7, True)


@pytest.mark.parametrize(
    ("secrets", "content", "valid", "note"),
    [
        (Secrets(), CLOSED, None, None),
        (Secrets(b"s" * 32, b"c" * 32), CLOSED, None, None),
        (Secrets(b"s" * 32, b"x" * 32, b"p" * 48), "not opened", False, NOISE),
    ],
    ids=["nothing", "no premaster", "wrong"],
)
def test_a_license_that_cannot_be_opened_is_said_to_be_closed(secrets, content, valid, note):
    fields = licensing(MessageType.NEW_LICENSE, NEW, secrets)
    assert (fields["license"], fields["encrypted_bytes"]) == (content, len(INFO))
    assert (fields["mac_valid"], fields.get("note")) == (valid, note)


@pytest.mark.parametrize(
    ("blob", "premaster", "opened"),
    [(bytes(72), bytes(48), True), (b"\x01" * 72, b"p" * 48, True), (b"\x01" * 72, None, False)],
    ids=["null keys need no key", "known", "not known"],
)
def test_a_presented_license_shows_the_hardware_id_where_it_can_be_read(blob, premaster, opened):
    keys = derive_keys(premaster or bytes(48), b"c" * 32, b"s" * 32)
    hardware_id = bytes(range(20))
    sealed = rc4(keys.licensing_key, hardware_id), mac(keys, hardware_id)
    body = LicenseInfo(0x04010000, b"c" * 32, blob, b"stored", *sealed).encode()
    known = premaster if any(blob) else None
    fields = licensing(MessageType.LICENSE_INFO, body, Secrets(b"s" * 32, None, known))
    assert (fields["platform_id"], fields["license_bytes"]) == ("04010000", 6)
    assert fields["client_random"] == (b"c" * 32).hex()
    assert fields["null_premaster"] is not any(blob)
    assert fields["hardware_id"] == (hardware_id.hex() if opened else CLOSED)
    assert fields["mac_valid"] is (True if opened else None)


@pytest.mark.parametrize(
    ("blob", "shown"),
    [
        (b"", {"form": "none"}),
        (CertificateChain((b"root", b"host!")).encode(), {"form": "x509-chain", "certificates": [4, 5]}),
        (
            ProprietaryCertificate((1 << 511) + 1, 65537, bytes(72)).encode(),
            {"form": "proprietary", "key_bits": 512},
        ),
    ],
)
def test_the_form_of_a_certificate_is_shown(blob, shown):
    request = LicenseRequest(bytes(32), ProductInfo(0x000A0000, "Example", "A02"), blob, ("one", "two"))
    fields = licensing(MessageType.LICENSE_REQUEST, request.encode())
    assert (fields["certificate"], fields["scopes"], fields["product_version"]) == (shown, ["one", "two"], "10.0")


def test_an_unreadable_certificate_is_no_end():
    request = LicenseRequest(bytes(32), ProductInfo(0x000A0000, "Example", "A02"), b"\x07\0\0\0", ())
    shown = licensing(MessageType.LICENSE_REQUEST, request.encode())["certificate"]
    assert shown["form"] == "unreadable"
    assert "unknown version 7" in shown["detail"]


def test_numbers_without_a_name_stay_numbers():
    fields = licensing(MessageType.ERROR_ALERT, LicenseError(99, 7).encode())
    assert (fields["error_code"], fields["state_transition"]) == (99, 7)


def test_a_refusal_does_not_end_licensing_for_the_reader():
    transcript = under_tls()
    assert from_server(transcript, LICENSED + frame(MessageType.ERROR_ALERT, LicenseError(6, 1).encode()))
    assert from_server(transcript, END)[0] == "error_alert"


def test_the_premaster_secret_is_not_shown_by_accident():
    assert "premaster" not in repr(Secrets(premaster=b"p" * 48))


# --- recorded connections --------------------------------------------------------------------------------------------


def test_the_specifications_connection_is_named_packet_by_packet():
    transcript, kinds, carried = Transcript(Secrets()), [], []
    for packet in blocks("ms-rdpbcgr-4.1-connection.hex"):
        entry = transcript.packet(FROM_SERVER, packet)
        assert entry.error is None
        kinds.append(entry.kind)
        carried.append(entry.fields.get("carries"))
    assert kinds[:4] == ["connection_request", "connection_confirm", "connect_initial", "connect_response"]
    assert kinds[4:7] == ["erect_domain", "attach_user_request", "attach_user_confirm"]
    assert kinds[7:10] == ["channel_join_request", "channel_join_confirm", "channel_join_request"]
    assert kinds[10:] == ["security_exchange", "encrypted", "encrypted"]
    assert carried[10:] == [None, "client_info", "licensing"]


@pytest.mark.parametrize("name", ["freerdp-3-over-tls", "rdesktop-1.9-over-tls"])
def test_a_recorded_exchange_is_opened_by_its_secrets(name):
    known = values(f"{name}.json")
    transcript = Transcript(Secrets(known["server_random"], known["client_random"], known["premaster"]))
    challenge, response = blocks(f"{name}.hex")
    if response[0] != 3:
        response = mcs.SendDataRequest(USER, IO, response).encode()
    _, fields = said(transcript, FROM_SERVER, challenge)
    assert (fields["challenge"], fields["mac_valid"]) == (known["challenge_plain"].hex(), True)
    _, fields = said(transcript, FROM_CLIENT, response)
    assert (fields["hardware_id"], fields["mac_valid"]) == (known["hardware_id"].hex(), True)
    assert fields["response"].endswith(known["challenge_plain"].hex())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("4.1-license-request", {"company": "Microsoft Corporation", "product": "A02", "product_version": "6.0"}),
        ("4.2-new-license-request", {"user_name": "Administrator", "machine_name": "RODENT"}),
        ("4.3-license-info", {"license_bytes": 0x799, "hardware_id": CLOSED, "platform_id": "04010000"}),
        ("4.4-platform-challenge", {"challenge": CLOSED, "mac_valid": None}),
        ("4.5-challenge-response", {"response": CLOSED, "hardware_id": CLOSED, "flags": 0x83}),
        ("4.6-new-license", {"license": CLOSED, "encrypted_bytes": 0x7EF, "flags": 3}),
    ],
)
def test_the_specifications_messages_are_shown_as_far_as_they_are_in_clear(name, expected):
    _, fields = from_server(Transcript(Secrets()), LICENSED + block(f"ms-rdpele-{name}.hex"))
    assert {key: fields[key] for key in expected} == expected
