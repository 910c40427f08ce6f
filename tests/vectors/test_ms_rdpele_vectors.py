"""Are these the bytes? The examples of [MS-RDPELE] section 4.

They come from several runs, so that keys of one do not open another. 4.7 is left out: 7,061 bytes that nothing is known of.
"""

import hashlib

import pytest

from calward.wire.rdpele.blobs import BlobType
from calward.wire.rdpele.certificates import CertificateChain, decode_certificate
from calward.wire.rdpele.challenge_response import ChallengeResponse, ClientType, DetailLevel, ResponseData
from calward.wire.rdpele.hardware_id import HardwareId
from calward.wire.rdpele.license_info import LicenseInfo
from calward.wire.rdpele.license_request import LicenseRequest
from calward.wire.rdpele.new_license import NewLicense, NewLicenseInfo
from calward.wire.rdpele.new_license_request import NewLicenseRequest
from calward.wire.rdpele.platform_challenge import PlatformChallenge
from calward.wire.rdpele.preamble import EXTENDED_ERRORS, MessageType, frame, unframe
from calward.wire.rdpele.product_info import ProductInfo
from tests.support.vectors import block

VERSION_3 = 3
FROM_CLIENT = EXTENDED_ERRORS | VERSION_3
MESSAGES = {
    "4.1-license-request": (MessageType.LICENSE_REQUEST, VERSION_3, LicenseRequest),
    "4.2-new-license-request": (MessageType.NEW_LICENSE_REQUEST, FROM_CLIENT, NewLicenseRequest),
    "4.3-license-info": (MessageType.LICENSE_INFO, FROM_CLIENT, LicenseInfo),
    "4.4-platform-challenge": (MessageType.PLATFORM_CHALLENGE, VERSION_3, PlatformChallenge),
    "4.5-challenge-response": (MessageType.PLATFORM_CHALLENGE_RESPONSE, FROM_CLIENT, ChallengeResponse),
    "4.6-new-license": (MessageType.NEW_LICENSE, VERSION_3, NewLicense),
}


def message(name):
    _, body = unframe(block(f"ms-rdpele-{name}.hex"))
    return MESSAGES[name][2].decode(body)


@pytest.mark.parametrize("name", MESSAGES)
def test_each_message_is_read_and_written_again(name):
    data = block(f"ms-rdpele-{name}.hex")
    kind, flags, form = MESSAGES[name]
    preamble, body = unframe(data)
    assert (preamble.type, preamble.flags, preamble.size) == (kind, flags, len(data))
    written = frame(kind, form.decode(body).encode(), flags=flags)
    # One client sends its hardware id in a blob of a type that is not the specified one, and which nobody reads.
    different = [place for place, pair in enumerate(zip(written, data, strict=True)) if pair[0] != pair[1]]
    assert different == ([0x8D5] if name == "4.3-license-info" else [])


def test_4_1_the_server_says_for_which_product_it_wants_a_license():
    request = message("4.1-license-request")
    assert request.server_random.hex() == "84efae20b1d59e36491ae82e0a9989ac49a6474f339b5ab99503a6c6c23c3f61"
    assert request.product == ProductInfo(0x00060000, "Microsoft Corporation", "A02")
    assert request.scopes == ("microsoft.com",)
    assert len(request.certificate) == 0x812


def test_4_1_the_certificate_is_a_temporary_chain_whose_signatures_hold():
    chain = decode_certificate(message("4.1-license-request").certificate)
    assert isinstance(chain, CertificateChain)
    assert (chain.temporary, [len(one) for one in chain.certificates]) == (True, [757, 1277])
    assert chain.encode() == message("4.1-license-request").certificate
    for certificate in chain.certificates:
        assert holds(certificate, modulus(chain.certificates[0]))


def test_4_2_a_client_without_a_license_names_itself():
    request = message("4.2-new-license-request")
    assert (request.platform_id, request.user_name, request.machine_name) == (0x04010000, "Administrator", "RODENT")
    assert request.client_random.hex() == "dc73a0c869256b18af0b947aa9a520af8bbc0dcca395b7b9eb815dbe0a109cd8"
    assert (len(request.encrypted_premaster), request.encrypted_premaster[-8:]) == (0x108, bytes(8))


def test_4_3_a_client_presents_its_license_in_clear():
    info = message("4.3-license-info")
    assert (info.platform_id, len(info.license), len(info.encrypted_hardware_id)) == (0x04010000, 0x799, 20)
    assert info.mac.hex() == "42a213c754aeb5d5246654f31baf8dfb"
    server, client = info.license[0x2D:][:757], info.license[0x322:][:1141]
    for certificate in (server, client):
        assert holds(certificate, modulus(server))


def test_4_4_and_4_5_the_keystream_begins_anew_for_each_blob():
    response = message("4.5-challenge-response")
    data = ResponseData(bytes.fromhex("54004500530054000000"), ClientType.WIN32, DetailLevel.DETAIL)
    assert data.encode().hex() == "000100010300" + "0a00" + "54004500530054000000"
    assert ResponseData.decode(data.encode()) == data
    hardware_id = bytes.fromhex("02000000f159873ec9d898af2402f8f3293af026")
    streams = [
        bytes(one ^ other for one, other in zip(plain, sealed, strict=True))
        for plain, sealed in (
            (data.encode(), response.encrypted_response),
            (hardware_id, response.encrypted_hardware_id),
        )
    ]
    assert streams[1].startswith(streams[0])
    assert streams[0].hex().startswith("fab5e825cc56b84ed402f8b632fc8be96c44")
    assert (message("4.4-platform-challenge").connect_flags, response.blob_types) == (0xFFFFFFFF, (1, 1))


def test_4_5_the_hardware_id_is_a_platform_and_four_numbers():
    data = bytes.fromhex("02000000f159873ec9d898af2402f8f3293af026")
    assert HardwareId.decode(data) == HardwareId(2, data[4:])
    assert HardwareId(2, data[4:]).encode() == data


def test_4_6_a_new_license_has_the_names_under_which_it_is_filed():
    sealed = message("4.6-new-license")
    assert sealed.mac.hex() == "ede8bfd613a0f5804ae5ff8516facb1f"
    # The license that this message gives is the one that 4.3 presents.
    license_ = message("4.3-license-info").license
    info = NewLicenseInfo(0x00060000, "microsoft.com", "Microsoft Corporation", "A02", license_)
    plain = info.encode()
    assert len(plain) == len(sealed.encrypted_info) == 0x7EF
    assert plain.hex().startswith("00000600" + "0e000000" + b"microsoft.com\0".hex() + "2c000000" + b"M\0i\0".hex())
    assert plain[:-0x799].hex().endswith("08000000" + "4100300032000000" + "99070000")
    assert NewLicenseInfo.decode(plain) == info


def test_blobs_have_the_specified_types():
    data = block("ms-rdpele-4.1-license-request.hex")
    places = {0x64: BlobType.KEY_EXCHANGE, 0x6C: BlobType.CERTIFICATE, 0x886: BlobType.SCOPE}
    assert {place: int.from_bytes(data[place : place + 2], "little") for place in places} == places


# --- as much of X.509 as shows that the bytes are those that were signed ---------------------------------------------


def element(data, start):
    """Where the content of a DER element begins and ends."""
    size, begin = data[start + 1], start + 2
    if size & 0x80:
        size, begin = int.from_bytes(data[begin : begin + (size & 0x7F)], "big"), begin + (size & 0x7F)
    return begin, begin + size


def holds(certificate, key):
    """Whether the SHA-1 signature of a certificate was made with a key whose exponent is 65537."""
    start, _ = element(certificate, 0)
    _, signed_end = element(certificate, start)
    number = int.from_bytes(certificate[-256:], "big")
    digest = hashlib.sha1(certificate[start:signed_end]).digest()
    return pow(number, 65537, key).to_bytes(256, "big").endswith(digest)


def modulus(certificate):
    """The 2048-bit modulus: behind the only integer of 257 bytes."""
    start = certificate.index(bytes.fromhex("0282010100")) + 5
    return int.from_bytes(certificate[start : start + 256], "big")
