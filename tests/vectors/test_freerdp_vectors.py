"""Are these the bytes? An exchange that FreeRDP 3 took part in, with all its secrets."""

from calward.wire.rdp import mcs
from calward.wire.rdp.security import SecurityHeader
from calward.wire.rdpele.challenge_response import ChallengeResponse, ResponseData
from calward.wire.rdpele.legacy_crypto import derive_keys, mac, name_hash, rc4
from calward.wire.rdpele.platform_challenge import PlatformChallenge
from calward.wire.rdpele.preamble import MessageType, frame, unframe
from tests.support.vectors import blocks, values

VALUES = values("freerdp-3-over-tls.json")
KEYS = derive_keys(VALUES["premaster"], VALUES["client_random"], VALUES["server_random"])
CHALLENGE, RESPONSE = blocks("freerdp-3-over-tls.hex")


def opened(packet: bytes):
    pdu = mcs.decode(packet)
    header, message = SecurityHeader.split(pdu.data)
    return pdu, header, *unframe(message)


def test_the_keys_are_derived() -> None:
    assert (KEYS.mac_salt_key, KEYS.licensing_key) == (VALUES["mac_salt_key"], VALUES["licensing_key"])


def test_the_challenge_is_read_and_written_again() -> None:
    pdu, header, preamble, body = opened(CHALLENGE)
    assert (pdu.user, pdu.channel, preamble.type, preamble.flags) == (1002, 1003, MessageType.PLATFORM_CHALLENGE, 3)
    message = PlatformChallenge.decode(body)
    plain = rc4(KEYS.licensing_key, message.encrypted_challenge)
    assert plain == VALUES["challenge_plain"]
    assert mac(KEYS, plain) == message.mac
    again = PlatformChallenge(rc4(KEYS.licensing_key, plain), mac(KEYS, plain))
    data = header.encode() + frame(MessageType.PLATFORM_CHALLENGE, again.encode())
    assert mcs.SendDataIndication(1002, 1003, data).encode() == CHALLENGE


def test_the_response_is_read_and_written_again_with_the_keystream_begun_anew_for_each_blob() -> None:
    pdu, header, preamble, body = opened(RESPONSE)
    assert (pdu.user, preamble.type, preamble.flags) == (1020, MessageType.PLATFORM_CHALLENGE_RESPONSE, 0x83)
    message = ChallengeResponse.decode(body)
    plain, hardware_id = (
        rc4(KEYS.licensing_key, one) for one in (message.encrypted_response, message.encrypted_hardware_id)
    )
    assert (plain, hardware_id) == (VALUES["response_plain"], VALUES["hardware_id"])
    assert hardware_id[4:] == name_hash("freerdp3103-tls")
    assert mac(KEYS, plain + hardware_id) == message.mac
    assert plain.endswith(VALUES["challenge_plain"])
    again = ChallengeResponse(
        rc4(KEYS.licensing_key, plain), rc4(KEYS.licensing_key, hardware_id), mac(KEYS, plain + hardware_id)
    )
    data = header.encode() + frame(MessageType.PLATFORM_CHALLENGE_RESPONSE, again.encode(), flags=0x83)
    assert mcs.SendDataRequest(1020, 1003, data).encode() == RESPONSE


def test_the_response_data_has_its_header() -> None:
    data = ResponseData.decode(VALUES["response_plain"])
    assert (data.challenge, data.client_type, data.detail_level) == (VALUES["challenge_plain"], 0xFF00, 3)
