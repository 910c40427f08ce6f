"""What do client and server tell each other of themselves? The blocks in GCC's conference create request and response.

Source: [MS-RDPBCGR] 2.2.1.3, 2.2.1.4; T.124 section 8.7 for what stands before the blocks.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from calward.wire.rdp.asn1 import per_length, per_length_bytes
from calward.wire.reader import Reader
from calward.wire.writer import Writer

__all__ = ["Block", "BlockKind", "find", "read_blocks", "request", "response"]

CLIENT_KEY: Final = b"Duca"
SERVER_KEY: Final = b"McDn"

_CONNECT_DATA: Final = bytes.fromhex("000500147c0001")
"""T.124: the key is the object identifier 0.0.20.124.0.1."""
_REQUEST: Final = bytes.fromhex("000800100001c000")
"""conferenceCreateRequest named "1", one set of user data, under a key of our own choice."""
_RESPONSE: Final = bytes.fromhex("14760a01010001c000")
"""conferenceCreateResponse: node id 31219, tag 1, success, one set of user data."""
_H221_KEY: Final = b"\xc0\x00"
_FURTHEST_KEY: Final = 64
"""Bytes: the key stands near the front; nobody makes us search a long packet."""
_BLOCK_HEADER: Final = 4


class BlockKind(IntEnum):
    """The blocks that are known by name ([MS-RDPBCGR] 2.2.1.3.1)."""

    CS_CORE = 0xC001
    CS_SECURITY = 0xC002
    CS_NET = 0xC003
    CS_CLUSTER = 0xC004
    CS_MONITOR = 0xC005
    CS_MCS_MSGCHANNEL = 0xC006
    CS_MONITOR_EX = 0xC008
    CS_MULTITRANSPORT = 0xC00A
    SC_CORE = 0x0C01
    SC_SECURITY = 0x0C02
    SC_NET = 0x0C03
    SC_MCS_MSGCHANNEL = 0x0C04
    SC_MULTITRANSPORT = 0x0C08


@dataclass(frozen=True, slots=True)
class Block:
    """One block; ``kind`` is a BlockKind or a number that we do not know, ``data`` what follows its header."""

    kind: int
    data: bytes
    offset: int = 0
    """Where ``data`` begins in the packet that it was read from."""

    def encode(self) -> bytes:
        """Give the block with its header."""
        writer = Writer("TS_UD_HEADER").u16(self.kind, "type")
        return writer.u16(_BLOCK_HEADER + len(self.data), "length").put(self.data).done()


def find(blocks: Iterable[Block], kind: BlockKind) -> Block | None:
    """Give the first block of a kind."""
    return next((block for block in blocks if block.kind == kind), None)


def read_blocks(reader: Reader, key: bytes) -> tuple[Block, ...]:
    """Read the blocks from a reader that stands at GCC's ConnectData and ends with it; ``key`` says whose they are."""
    if (found := reader.take(len(_CONNECT_DATA), "GCC ConnectData")) != _CONNECT_DATA:
        raise reader.error(f"{found.hex()} is not T.124's key", "GCC ConnectData")
    # This length is wrong in what many servers send, and no client looks at it.
    per_length(reader, "GCC ConnectPDU")
    _skip_to(reader, _H221_KEY + key)
    size = per_length(reader, "GCC userData")
    behind = reader.remaining - size
    if behind < 0:
        raise reader.error(f"{size} bytes are announced, {reader.remaining} are left", "GCC userData")
    blocks = []
    while reader.remaining > behind:
        blocks.append(_read_block(reader, reader.remaining - behind))
    return tuple(blocks)


def request(blocks: Iterable[Block]) -> bytes:
    """Make the GCC ConnectData of a client; LocalProtocolError where it is too long."""
    return _connect_data(_REQUEST + CLIENT_KEY, blocks)


def response(blocks: Iterable[Block]) -> bytes:
    """Make the GCC ConnectData of a server; LocalProtocolError where it is too long."""
    return _connect_data(_RESPONSE + SERVER_KEY, blocks)


def _connect_data(head: bytes, blocks: Iterable[Block]) -> bytes:
    data = b"".join(block.encode() for block in blocks)
    connect = head + per_length_bytes(len(data)) + data
    return _CONNECT_DATA + per_length_bytes(len(connect)) + connect


def _skip_to(reader: Reader, key: bytes) -> None:
    """Read up to the end of ``key``: what stands before it differs from one implementation to the next."""
    seen = b""
    while not seen.endswith(key):
        if len(seen) == _FURTHEST_KEY:
            raise reader.error(f"the key {key[len(_H221_KEY) :].decode()} is missing", "GCC h221NonStandard")
        seen += reader.take(1, "GCC h221NonStandard")


def _read_block(reader: Reader, room: int) -> Block:
    kind = reader.u16("block.type")
    size = reader.u16("block.length")
    if not _BLOCK_HEADER <= size <= room:
        raise reader.error(f"a block of {size} bytes does not fit into {room}", "block.length")
    offset = reader.offset
    return Block(kind, reader.take(size - _BLOCK_HEADER, "block"), offset)
