"""Is licensing told from all else that travels on the I/O channel, and from what only looks like it?"""

import pytest

from calward.wire.errors import RemoteProtocolError
from calward.wire.rdp.licensing_data import host_licensing, licensing_data, licensing_message
from calward.wire.rdpele.license_error import VALID_CLIENT
from calward.wire.rdpele.preamble import MessageType, frame

VALID = frame(MessageType.ERROR_ALERT, VALID_CLIENT.encode())


def test_a_message_is_written_with_one_flag_and_read_back():
    assert licensing_data(VALID) == bytes.fromhex("80000000") + VALID
    assert licensing_message(licensing_data(VALID)) == VALID


@pytest.mark.parametrize("flags", ["8000", "8002", "8082"])
def test_whatever_else_a_client_flags_it_is_licensing(flags):
    assert licensing_message(bytes.fromhex(flags) + bytes(2) + VALID) == VALID


@pytest.mark.parametrize("data", [bytes.fromhex("40000000") + VALID, bytes.fromhex("0010"), bytes(12)])
def test_what_is_flagged_as_something_else_is_none(data):
    assert licensing_message(data) is None


@pytest.mark.parametrize(
    ("data", "what"),
    [("", "2 bytes"), ("80", "2 bytes"), ("8000ab", "2 bytes"), ("88000000ff03", "encrypted beneath TLS")],
)
def test_what_ends_within_its_header_or_is_encrypted_is_refused(data, what):
    with pytest.raises(RemoteProtocolError, match=what):
        licensing_message(bytes.fromhex(data))


@pytest.mark.parametrize("header", ["80000000", "80020000", "8002cdab"])
def test_a_host_is_believed_whatever_its_other_flags_are(header):
    assert host_licensing(bytes.fromhex(header) + VALID) == (MessageType.ERROR_ALERT, 7)


def test_a_license_request_that_is_sent_before_the_body_is_right_is_one():
    assert host_licensing(bytes.fromhex("80000000 01023e01") + bytes(314)) == (MessageType.LICENSE_REQUEST, 0)


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("8001 1100 ea03").ljust(0x180, b"\1"),
        bytes.fromhex("8000 1100 ff03").ljust(0x80, b"\0"),
        bytes.fromhex("00100000") + VALID,
        bytes.fromhex("80000000 12031000") + bytes(8),
        licensing_data(VALID)[:11],
        b"",
    ],
    ids=["demand active", "as long as the flag", "auto-detection", "a client's message", "short", "nothing"],
)
def test_what_a_host_sends_behind_its_licensing_is_none(data):
    assert host_licensing(data) is None
