"""Security headers: where there is a MAC it is read, and a Security Exchange holds what it says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdp.security import BASIC_HEADER_SIZE, SecurityExchange, SecurityFlag, SecurityHeader
from tests.support.broken import cuts, is_refused

HEADERS = st.one_of(
    st.builds(
        lambda flags, hi: SecurityHeader(SecurityFlag(flags & ~SecurityFlag.ENCRYPT), None, hi),
        st.integers(0, 0xFFFF),
        st.integers(0, 0xFFFF),
    ),
    st.builds(
        lambda flags, mac, hi: SecurityHeader(SecurityFlag(flags) | SecurityFlag.ENCRYPT, mac, hi),
        st.integers(0, 0xFFFF),
        st.binary(min_size=8, max_size=8),
        st.integers(0, 0xFFFF),
    ),
)


@given(header=HEADERS, payload=st.binary(max_size=50))
def test_a_header_is_read_as_it_was_written(header, payload):
    assert SecurityHeader.split(header.encode() + payload) == (header, payload)
    assert len(header.encode()) == BASIC_HEADER_SIZE + (0 if header.mac is None else 8)


@pytest.mark.parametrize("mac", [None, b"12345678"])
def test_no_cut_header_is_read(mac):
    header = SecurityHeader(SecurityFlag.LICENSE_PKT | (SecurityFlag.ENCRYPT if mac else SecurityFlag(0)), mac)
    assert all(is_refused(SecurityHeader.split, cut) for cut in cuts(header.encode()))


def test_a_mac_of_another_length_is_our_own_mistake():
    with pytest.raises(LocalProtocolError, match="dataSignature"):
        SecurityHeader(SecurityFlag.ENCRYPT, b"1234567").encode()


@given(st.binary(max_size=512))
def test_an_exchange_is_read_as_it_was_written(encrypted):
    data = SecurityExchange(encrypted).encode()
    assert SecurityExchange.decode(data) == SecurityExchange(encrypted)
    assert data.endswith(bytes(8))


def test_no_cut_exchange_is_read_and_none_with_more_behind_it():
    data = SecurityExchange(b"r" * 64).encode()
    assert all(is_refused(SecurityExchange.decode, cut) for cut in cuts(data))
    assert is_refused(SecurityExchange.decode, data + b"\0")


def test_an_exchange_without_room_for_its_padding_is_refused():
    with pytest.raises(RemoteProtocolError, match="7 bytes are fewer than the padding"):
        SecurityExchange.decode(b"\7\0\0\0" + bytes(7))
