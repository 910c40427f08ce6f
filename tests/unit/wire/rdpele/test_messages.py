"""Every licensing message: read as it was written, never read if it is cut or has more behind it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdpele.challenge_response import ChallengeResponse, ResponseData
from calward.wire.rdpele.license_error import ErrorCode, LicenseError, StateTransition
from calward.wire.rdpele.license_info import LicenseInfo
from calward.wire.rdpele.license_request import LicenseRequest
from calward.wire.rdpele.new_license import NewLicense, NewLicenseInfo
from calward.wire.rdpele.new_license_request import NewLicenseRequest
from calward.wire.rdpele.platform_challenge import PlatformChallenge
from calward.wire.rdpele.preamble import MessageType, frame, unframe
from calward.wire.rdpele.product_info import ProductInfo
from tests.support.broken import changed, cuts, is_refused

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF)
DATA = st.binary(max_size=60)
MAC = st.binary(min_size=16, max_size=16)
RANDOM = st.binary(min_size=32, max_size=32)
TEXT = st.text(st.characters(min_codepoint=1, exclude_categories=["Cs"]), max_size=20)
PRODUCT = st.builds(ProductInfo, U32, TEXT, TEXT)
MESSAGES = {
    "license request": st.builds(LicenseRequest, RANDOM, PRODUCT, DATA, st.lists(TEXT, max_size=4).map(tuple)),
    "new license request": st.builds(NewLicenseRequest, U32, RANDOM, DATA, TEXT, TEXT),
    "license info": st.builds(LicenseInfo, U32, RANDOM, DATA, DATA, DATA, MAC),
    "platform challenge": st.builds(PlatformChallenge, DATA, MAC, U32, U16),
    "challenge response": st.builds(ChallengeResponse, DATA, DATA, MAC, st.tuples(U16, U16)),
    "response data": st.builds(ResponseData, DATA, U16, U16, U16),
    "new license": st.builds(NewLicense, DATA, MAC),
    "new license info": st.builds(NewLicenseInfo, U32, TEXT, TEXT, TEXT, DATA),
    "license error": st.builds(LicenseError, U32, U32, DATA),
}


@pytest.mark.parametrize("name", MESSAGES)
@given(data=st.data())
def test_a_message_is_read_as_it_was_written_whole_or_not_at_all(name, data):
    message = data.draw(MESSAGES[name])
    body = message.encode()
    assert type(message).decode(body) == message
    assert all(is_refused(type(message).decode, cut) for cut in cuts(body))
    assert is_refused(type(message).decode, body + b"\0")


@given(st.sampled_from(list(MessageType)), st.integers(0, 255), DATA)
def test_a_preamble_says_what_follows(kind, flags, body):
    preamble, found = unframe(frame(kind, body, flags=flags))
    assert (preamble.type, preamble.flags, preamble.size, found) == (kind, flags, len(body) + 4, body)


@pytest.mark.parametrize(
    ("pdu", "words"),
    [
        ("05030400", "unknown type 0x05"),
        ("ff030500", "says 5 bytes, there are 4"),
        ("ff03040000", "says 4 bytes, there are 5"),
        ("ff030000", "says 0 bytes"),
        ("ff03", "wMsgSize at byte 2"),
        ("", "bMsgType at byte 0"),
    ],
)
def test_a_preamble_that_does_not_fit_is_refused(pdu, words):
    with pytest.raises(RemoteProtocolError, match=words):
        unframe(bytes.fromhex(pdu))


def test_a_message_that_is_too_long_is_our_own_mistake():
    assert len(frame(MessageType.NEW_LICENSE, bytes(0xFFFB))) == 0xFFFF
    with pytest.raises(LocalProtocolError, match="wMsgSize"):
        frame(MessageType.NEW_LICENSE, bytes(0xFFFC))


@pytest.mark.parametrize(
    ("sent", "read"),
    [(b"desk\0", "desk"), (b"desk", "desk"), (b"desk\0rest\0", "desk"), (b"", ""), (b"b\xfcro\0", "b\u00fcro")],
    ids=["with its NUL", "without", "more behind it", "nothing", "of another code page"],
)
def test_names_are_read_as_clients_write_them(sent, read):
    request = NewLicenseRequest(1, bytes(32), b"", "", "").encode()[:-5]
    body = request + b"\x10\0" + len(sent).to_bytes(2, "little") + sent
    assert NewLicenseRequest.decode(body).machine_name == read


def test_a_product_is_utf_16_and_an_odd_number_of_bytes_is_not():
    body = LicenseRequest(bytes(32), ProductInfo(1, "ab", "c"), b"", ()).encode()
    with pytest.raises(RemoteProtocolError, match=r"cbCompanyName at byte 40: 5 bytes are no UTF-16"):
        LicenseRequest.decode(changed(body, 36, b"\5"))
    assert LicenseRequest.decode(changed(body, 40, b"\x00\xd8")).product.company == "\ufffdb"


def test_more_scopes_than_there_are_bytes_are_refused_at_the_first_that_is_missing():
    body = LicenseRequest(bytes(32), ProductInfo(1, "", ""), b"", ()).encode()
    with pytest.raises(RemoteProtocolError, match="Scope"):
        LicenseRequest.decode(body[:-4] + b"\xff\xff\xff\xff")


def test_numbers_of_an_error_get_their_names_where_they_have_one():
    found = LicenseError.decode(LicenseError(6, 1).encode())
    assert (found.code, found.transition) == (ErrorCode.NO_LICENSE_SERVER, StateTransition.TOTAL_ABORT)
    assert isinstance(found.code, ErrorCode)
    unknown = LicenseError.decode(LicenseError(5, 9).encode())
    assert (type(unknown.code), type(unknown.transition)) == (int, int)


def test_what_is_secret_or_long_is_not_shown_by_accident():
    info = LicenseInfo(1, b"random!" * 4 + bytes(4), b"encrypted", b"a license", b"hwid", bytes(16))
    new = NewLicenseInfo(1, "scope", "company", "product", b"a license")
    assert b"license" not in (repr(info) + repr(new)).encode()
    assert "random!" not in repr(info)
