"""The Client Info of a client without an account, as long as it says and empty in every text; and who another wants to be."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.rdp.logon import nameless_client_info, user_of
from calward.wire.rdp.security import SecurityFlag, SecurityHeader
from calward.wire.reader import Reader

UNICODE = 0x10


def test_it_is_a_client_info_with_nothing_in_it():
    header, data = SecurityHeader.split(nameless_client_info())
    assert (header.flags, header.mac) == (SecurityFlag.INFO_PKT, None)
    reader = Reader(data, "TS_INFO_PACKET")
    assert reader.u32("CodePage") == 0
    assert reader.u32("flags") & UNICODE
    sizes = [reader.u16("size") for _ in range(5)]
    # These five lengths leave out the terminator, which is there all the same ([MS-RDPBCGR] 2.2.1.11.1.1).
    assert sizes == [0] * 5
    assert reader.take(10, "five texts") == bytes(10)
    assert reader.u16("clientAddressFamily") == 2
    for _ in range(2):  # These two lengths count it.
        assert reader.take(reader.u16("size"), "text") == b"\0\0"
    reader.take(172, "clientTimeZone")
    assert (reader.u32("clientSessionId"), reader.u32("performanceFlags")) == (0, 0)
    assert [reader.u16("field") for _ in range(5)] == [0] * 5
    reader.end()


def an_info(domain: str, user: str, *, unicode: bool = True) -> bytes:
    """[MS-RDPBCGR] 2.2.1.11.1.1, up to the password."""
    coding, end = ("utf-16-le", bytes(2)) if unicode else ("latin-1", bytes(1))
    texts = [text.encode(coding) for text in (domain, user, "secret", "", "")]
    head = struct.pack("<II5H", 0, UNICODE * unicode, *map(len, texts))
    return head + b"".join(text + end for text in texts)


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize(("domain", "user"), [("", "alice"), ("OFFICE", "bjørn"), ("", "")])
def test_the_user_is_read_behind_the_domain(domain, user, unicode):
    assert user_of(an_info(domain, user, unicode=unicode)) == user


@given(st.binary(max_size=80))
def test_what_cannot_be_read_names_nobody(packet):
    assert isinstance(user_of(packet), str)


def test_a_packet_that_ends_too_early_names_nobody():
    whole = an_info("", "alice")
    assert {user_of(whole[:size]) for size in range(28)} == {""}
