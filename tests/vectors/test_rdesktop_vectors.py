"""Are these the bytes? An exchange that rdesktop took part in; its null keys make all of it public."""

from calward.wire.rdp import mcs
from calward.wire.rdp.security import SecurityFlag, SecurityHeader
from calward.wire.rdpele.challenge_response import ChallengeResponse
from calward.wire.rdpele.client_session import ClientSession, Deviations
from calward.wire.rdpele.legacy_crypto import derive_keys, mac, rc4
from calward.wire.rdpele.license_request import LicenseRequest
from calward.wire.rdpele.platform_challenge import PlatformChallenge
from calward.wire.rdpele.preamble import MessageType, frame, unframe
from calward.wire.rdpele.product_info import ProductInfo
from tests.support.vectors import blocks, values

VALUES = values("rdesktop-1.9-over-tls.json")
CHALLENGE, RESPONSE = blocks("rdesktop-1.9-over-tls.hex")
KEYS = derive_keys(VALUES["premaster"], VALUES["client_random"], VALUES["server_random"])


def test_the_keys_are_derived():
    assert KEYS.mac_salt_key == VALUES["session_key_blob"][:16]
    assert KEYS.licensing_key == VALUES["licensing_key"]


def test_the_challenge_is_read_and_written_again():
    pdu = mcs.decode(CHALLENGE)
    assert isinstance(pdu, mcs.SendDataIndication)
    header, pdu_data = SecurityHeader.split(pdu.data)
    preamble, body = unframe(pdu_data)
    message = PlatformChallenge.decode(body)
    plain = rc4(KEYS.licensing_key, message.encrypted_challenge)
    assert (plain, mac(KEYS, plain)) == (VALUES["challenge_plain"], message.mac)
    again = header.encode() + frame(
        preamble.type, PlatformChallenge(rc4(KEYS.licensing_key, plain), mac(KEYS, plain)).encode()
    )
    assert mcs.SendDataIndication(pdu.user, pdu.channel, again).encode() == CHALLENGE


def test_the_response_is_the_bare_challenge_and_is_written_again():
    header, pdu = SecurityHeader.split(RESPONSE)
    assert header.flags == SecurityFlag.LICENSE_PKT
    message = ChallengeResponse.decode(unframe(pdu)[1])
    plain = rc4(KEYS.licensing_key, message.encrypted_response)
    hardware_id = rc4(KEYS.licensing_key, message.encrypted_hardware_id)
    assert (plain, hardware_id) == (VALUES["challenge_plain"], VALUES["hardware_id"])
    assert hardware_id[4:].rstrip(b"\0") == b"rdesktop190-tls"
    assert (message.mac, message.blob_types) == (mac(KEYS, plain + hardware_id), (1, 1))
    assert header.encode() + frame(MessageType.PLATFORM_CHALLENGE_RESPONSE, message.encode()) == RESPONSE


def test_our_client_answers_as_rdesktop_does():
    client = ClientSession(
        client_random=b"r" * 32,
        premaster=b"p" * 48,
        encrypt=lambda _premaster, _certificate: b"never asked",
        hardware_id=VALUES["hardware_id"],
        deviations=Deviations(null_keys=True, bare_challenge=True),
    )
    request = LicenseRequest(VALUES["server_random"], ProductInfo(0x000A0000, "Example", "A02"), b"", ())
    client.receive(frame(MessageType.LICENSE_REQUEST, request.encode()))
    challenge = SecurityHeader.split(mcs.decode(CHALLENGE).data)[1]
    assert client.receive(challenge).send == SecurityHeader.split(RESPONSE)[1]
