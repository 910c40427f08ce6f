"""What does ``calward rdp decode`` print of captures: open, closed, broken, and under standard RDP security?"""

import json

import pytest

from calward.wire.rdp import mcs
from calward.wire.rdp.security import SecurityFlag, SecurityHeader
from calward.wire.rdp.server_blocks import ServerCore, ServerNetwork, ServerSecurity
from calward.wire.rdp.x224 import ConnectionRequest, Protocol
from calward.wire.rdpele.client_session import ClientSession, Deviations
from calward.wire.rdpele.legacy_crypto import Rc4Stream, mac8, rdp_security_keys
from calward.wire.rdpele.license_error import VALID_CLIENT
from calward.wire.rdpele.preamble import MessageType, frame
from calward.wire.rdpele.server_session import ServerSession
from tests.support import relayed
from tests.support.command_line import calward

SERVER_RANDOM = "f373d6c4dc213116204417c618f3cac15e17ac1d5a8239977aa08fb96151fe1e"
RDESKTOP = """
# rdesktop 1.9 over TLS, its null keys
S>C 0300003902f08068000103eb70802a 80000000 02032600 00000000 09000a00 cb9a4e1acfb8c26cc881 34c64b9e4255855388f6b8c3f0740514
C>S 0300004d02f08064001303eb70803e8000000015033a0001000a00cb9a4e1acfb8c26cc881010014009d9a0b1aeedcf3\
1fa3f57a8e8bba56f1fa8e42dac4448d475cf336407e5634b3d4d750ac
"""
VALID = frame(MessageType.ERROR_ALERT, VALID_CLIENT.encode())
NULL = ["--server-random", SERVER_RANDOM, "--client-random", "00" * 32, "--premaster", "00" * 48]


def decoded(tmp_path, text: str, *options: str):
    file = tmp_path / "capture.txt"
    file.write_text(text)
    ran = calward("rdp", "decode", str(file), *options, "--json")
    return ran.code, json.loads(ran.out)["packets"]


def line(direction: str, packet: bytes) -> str:
    return f"{direction} {packet.hex()}\n"


def test_an_exchange_whose_secrets_are_known_is_open(tmp_path):
    code, (challenge, response) = decoded(tmp_path, RDESKTOP, *NULL)
    assert code == 0
    assert (challenge["kind"], challenge["direction"], challenge["line"]) == ("platform_challenge", "S>C", 3)
    assert (challenge["fields"]["challenge"], challenge["fields"]["mac_valid"]) == ("54004500530054000000", True)
    assert response["fields"]["response"] == "54004500530054000000"
    assert response["fields"]["hardware_id"] == "02000000726465736b746f703139302d746c7300"
    assert response["fields"]["mac_valid"] is True


def test_without_its_secrets_it_is_said_to_be_closed(tmp_path):
    code, (challenge, response) = decoded(tmp_path, RDESKTOP)
    assert code == 0
    assert challenge["fields"]["challenge"].startswith("encrypted")
    assert challenge["fields"]["mac_valid"] is None
    assert response["fields"]["hardware_id"].startswith("encrypted")


def test_wrong_secrets_show_in_the_mac(tmp_path):
    _, (challenge, _) = decoded(tmp_path, RDESKTOP, *NULL[:-1], "01" * 48)
    assert challenge["fields"]["mac_valid"] is False


def test_a_whole_exchange_needs_the_premaster_secret_only_and_null_keys_not_even_that(tmp_path):
    for bare, options in ((False, ["--premaster", (b"\x03" * 48).hex()]), (True, [])):
        server = ServerSession(
            relayed.OFFER,
            server_random=bytes(range(32)),
            challenge=b"0123456789",
            decrypt_premaster=lambda _: b"\x03" * 48,
        )
        text = exchange(server, bare=bare)
        code, packets = decoded(tmp_path, text, *options)
        assert code == 0
        by_kind = {one["kind"]: one["fields"] for one in packets}
        request = by_kind["license_request"]
        assert (request["company"], request["product_version"], request["scopes"]) == ("Calward", "10.0", ["calward"])
        assert request["certificate"]["form"] == "x509-chain"
        assert by_kind["platform_challenge_response"]["mac_valid"] is True
        assert by_kind["new_license"]["license_bytes"] == len(b"a license")
        assert by_kind["new_license"]["scope"] == "calward"


def exchange(server: ServerSession, *, bare: bool) -> str:
    """The lines of a new license."""
    client = ClientSession(
        client_random=b"\x02" * 32,
        premaster=b"\x03" * 48,
        encrypt=lambda _premaster, _certificate: b"\x01" * 264,
        hardware_id=b"\0\0\1\4" + b"h" * 16,
        deviations=Deviations(null_keys=bare, bare_challenge=bare),
    )
    header = SecurityHeader(SecurityFlag.LICENSE_PKT).encode()
    message, text = server.start(), ""
    for _ in range(2):
        text += line("S>C", mcs.SendDataIndication(1002, 1003, header + message).encode())
        answer = client.receive(message).send
        text += line("C>S", mcs.SendDataRequest(1007, 1003, header + answer).encode())
        message = getattr(server.receive(answer), "send", b"")
    return text + line("S>C", mcs.SendDataIndication(1002, 1003, header + server.grant(b"a license")).encode())


CLIENT_RANDOM, RDP_SERVER_RANDOM = b"\x0a" * 32, b"\x0b" * 32


def under_standard_security() -> str:
    """The end of licensing twice, encrypted by the server."""
    blocks = (ServerCore(client_requested_protocols=0), ServerSecurity(2, 3, RDP_SERVER_RANDOM, b"x"), ServerNetwork())
    text = line("C>S", ConnectionRequest(Protocol.RDP).encode())
    text += line("S>C", mcs.ConnectResponse.make(one.encode() for one in blocks).encode())
    keys = rdp_security_keys(CLIENT_RANDOM, RDP_SERVER_RANDOM, bits=128)
    stream = Rc4Stream(keys.from_server, bits=128)
    flags = SecurityFlag.LICENSE_PKT | SecurityFlag.ENCRYPT | SecurityFlag.LICENSE_ENCRYPT
    for _ in range(2):
        sealed = SecurityHeader(flags, mac8(keys.mac_key, VALID)).encode() + stream.packet(VALID)
        text += line("S>C", mcs.SendDataIndication(1002, 1003, sealed).encode())
    return text


def test_standard_rdp_security_is_opened_by_the_clients_random(tmp_path):
    code, packets = decoded(tmp_path, under_standard_security(), "--rdp-client-random", CLIENT_RANDOM.hex())
    assert code == 0
    assert packets[1]["fields"]["rdp_server_random"] == RDP_SERVER_RANDOM.hex()
    assert [one["kind"] for one in packets[2:]] == ["error_alert"] * 2
    assert all(one["fields"]["error_code"] == "VALID_CLIENT" for one in packets[2:])
    assert all(one["fields"]["security_mac_valid"] for one in packets[2:])


@pytest.mark.parametrize("salted", [False, True])
@pytest.mark.parametrize("size", [20, 300])
def test_an_encrypted_fast_path_packet_does_not_close_what_follows_it(tmp_path, salted, size):
    keys = rdp_security_keys(CLIENT_RANDOM, RDP_SERVER_RANDOM, bits=128)
    stream, text = (
        Rc4Stream(keys.from_server, bits=128),
        "".join(under_standard_security().splitlines(keepends=True)[:2]),
    )
    picture = b"p" * size
    mac = mac8(keys.mac_key, picture, count=0 if salted else None)
    whole = 1 + (1 if size == 20 else 2) + 8 + size
    length = bytes([whole]) if size == 20 else (0x8000 | whole).to_bytes(2, "big")
    text += line("S>C", bytes([0xC0 if salted else 0x80]) + length + mac + stream.packet(picture))
    flags = SecurityFlag.LICENSE_PKT | SecurityFlag.ENCRYPT
    sealed = SecurityHeader(flags, mac8(keys.mac_key, VALID)).encode() + stream.packet(VALID)
    text += line("S>C", mcs.SendDataIndication(1002, 1003, sealed).encode())
    code, packets = decoded(tmp_path, text, "--rdp-client-random", CLIENT_RANDOM.hex())
    assert (code, packets[2]["kind"], packets[2]["fields"]["security_mac_valid"]) == (0, "fast_path", True)
    assert (packets[3]["kind"], packets[3]["fields"]["security_mac_valid"]) == ("error_alert", True)


@pytest.mark.parametrize("options", [[], ["--rdp-client-random", "01" * 32]], ids=["not known", "a wrong one"])
def test_without_the_right_random_standard_rdp_security_is_said_to_be_closed(tmp_path, options):
    code, packets = decoded(tmp_path, under_standard_security(), *options)
    assert code == 0
    assert [one["kind"] for one in packets[2:]] == ["encrypted"] * 2
    assert not any(one["fields"].get("security_mac_valid") for one in packets[2:])


def test_a_password_is_not_shown(tmp_path):
    text = line("C>S", relayed.client_info())
    code, [info] = decoded(tmp_path, text)
    assert (code, info["kind"]) == (0, "client_info")
    assert info["fields"].keys() == {"channel", "security_flags", "bytes"}
    assert not any(shown in json.dumps(info) for shown in ("secret", relayed.PASSWORD.hex()))


def test_what_is_malformed_is_named_with_its_line_and_the_rest_goes_on(tmp_path):
    broken = "S>C 0300003902f080\nX>Y 00\nC>S zz\n"
    code, packets = decoded(tmp_path, broken + RDESKTOP, *NULL)
    assert code == 7
    assert [(one["line"], one["kind"]) for one in packets[:3]] == [(1, "malformed"), (2, "malformed"), (3, "malformed")]
    assert all(one["error"] for one in packets[:3])
    assert packets[-1]["fields"]["mac_valid"] is True


def test_people_read_a_field_a_line(tmp_path):
    file = tmp_path / "capture.txt"
    file.write_text(RDESKTOP)
    ran = calward("rdp", "decode", str(file), *NULL)
    assert ran.code == 0
    assert "hardware id" in ran.out
    assert "02000000726465736b746f703139302d746c7300" in ran.out


def test_a_random_of_the_wrong_length_and_a_missing_file_are_usage_and_not_found(tmp_path):
    assert calward("rdp", "decode", "-", "--premaster", "00").code == 2
    assert calward("rdp", "decode", str(tmp_path / "none")).code == 3


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("X>Y 00", "C>S or S>C, a space and the packet in hex are expected"),
        ("C>S 0300zz", "'z' in column 9 is no hex"),
        ("C>S 03000", "5 hex digits are half a byte too many or too few"),
        ("S>C", "nothing follows S>C"),
        ("S>C 16030102", "begins neither a TPKT nor a fast-path packet"),
        ("S>C 030000", "its header is cut"),
        ("S>C 03000008 02f080", "8 bytes are announced, the packet has 7"),
    ],
)
def test_a_line_that_is_no_packet_is_named_with_its_number_and_what_is_wrong(tmp_path, line, words):
    file = tmp_path / "capture.txt"
    file.write_text(f"# a comment\n\n{line}\n")
    ran = calward("rdp", "decode", str(file))
    assert ran.code == 7
    assert ran.lines[0].split()[0] == "3"
    assert words in ran.lines[-1]


def test_a_file_without_packets_is_said_to_be_empty(tmp_path):
    file = tmp_path / "capture.txt"
    file.write_text("# nothing\n\n")
    ran = calward("rdp", "decode", str(file))
    assert (ran.code, ran.out) == (0, "")
    assert "holds no packet" in ran.err


def test_a_binary_capture_is_refused_at_once(tmp_path):
    file = tmp_path / "capture.pcap"
    file.write_bytes(b"\xd4\xc3\xb2\xa1\2\0\4\0" * 9)
    ran = calward("rdp", "decode", str(file))
    assert (ran.code, ran.out) == (2, "")
    assert "is no text" in ran.err


def test_what_comes_after_licensing_is_no_licensing_even_if_it_looks_like_it(tmp_path):
    share = bytes.fromhex("80001100ea03ea030100") + bytes(118)
    code, [entry] = decoded(tmp_path, line("S>C", mcs.SendDataIndication(1002, 1003, share).encode()))
    assert (code, entry["kind"], entry["fields"]) == (0, "data", {"channel": 1003, "bytes": 128})
