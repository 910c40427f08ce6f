"""Blocks of both sides: all are found, each stays within what was announced, and a missing key is given up on early."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calward.wire.errors import LocalProtocolError, RemoteProtocolError
from calward.wire.rdp import gcc
from calward.wire.rdp.gcc import Block, BlockKind
from calward.wire.reader import Reader
from tests.support.broken import changed, cuts, is_refused

BLOCKS = (Block(BlockKind.CS_CORE, b"core"), Block(0x1234, b""), Block(BlockKind.CS_NET, b"net"))
SIDES = {"client": (gcc.request, gcc.CLIENT_KEY), "server": (gcc.response, gcc.SERVER_KEY)}
REQUEST = gcc.request(BLOCKS)
KEY_AT = REQUEST.index(gcc.CLIENT_KEY)


def read(data, key=gcc.CLIENT_KEY):
    return gcc.read_blocks(Reader(data, "MCS"), key)


def plain(blocks):
    return [(one.kind, one.data) for one in blocks]


@pytest.mark.parametrize("side", SIDES)
@given(blocks=st.lists(st.builds(Block, st.integers(0, 0xFFFF), st.binary(max_size=300)), max_size=6))
def test_blocks_are_read_as_they_were_written(side, blocks):
    make, key = SIDES[side]
    data = make(blocks)
    found = read(data, key)
    assert plain(found) == plain(blocks)
    assert all(data[one.offset :].startswith(one.data) for one in found)


def test_no_cut_is_read():
    assert all(is_refused(read, cut) for cut in cuts(REQUEST))


def test_the_key_of_the_other_side_is_missing():
    with pytest.raises(RemoteProtocolError, match="the key McDn is missing"):
        read(REQUEST + bytes(100), gcc.SERVER_KEY)


def test_nobody_makes_us_search_a_long_packet():
    reader = Reader(REQUEST[:KEY_AT] + bytes(60_000), "MCS")
    with pytest.raises(RemoteProtocolError, match="missing"):
        gcc.read_blocks(reader, gcc.CLIENT_KEY)
    assert reader.offset < 100


@pytest.mark.parametrize(
    ("place", "new", "words"),
    [
        (0, b"\1", "is not T.124's key"),
        (KEY_AT + 4, b"\x80\xff", "255 bytes are announced"),
        (KEY_AT + 8, b"\x03\0", "a block of 3 bytes does not fit"),
        (KEY_AT + 8, b"\xff\xff", "a block of 65535 bytes does not fit"),
        (KEY_AT + 4, b"\x80\x0a", "2 bytes are announced|does not fit"),
    ],
)
def test_wrong_numbers_are_named(place, new, words):
    with pytest.raises(RemoteProtocolError, match=words):
        read(changed(REQUEST, place, new))


def test_a_block_does_not_reach_beyond_the_user_data_even_where_more_follows():
    wrong = changed(REQUEST, KEY_AT + 4, b"\x80\x07")
    assert is_refused(read, wrong)


def test_what_follows_the_user_data_is_left_alone():
    assert plain(read(REQUEST + b"more")) == plain(BLOCKS)


def test_the_first_block_of_a_kind_is_found():
    assert gcc.find(BLOCKS, BlockKind.CS_NET) is BLOCKS[2]
    assert gcc.find(BLOCKS, BlockKind.SC_NET) is None


def test_a_block_that_is_too_long_is_our_own_mistake():
    with pytest.raises(LocalProtocolError):
        Block(BlockKind.CS_CORE, bytes(0xFFFC)).encode()
    with pytest.raises(LocalProtocolError, match="fragments"):
        gcc.request([Block(BlockKind.CS_CORE, bytes(0x4000))])
