"""In how many pieces does an answer leave?"""

import asyncio

import pytest
import uvicorn
from uvicorn.server import ServerState

from calward.adapters.network.bounded_http import IN_ONE_PIECE, BoundedProtocol

REQUEST = b"GET / HTTP/1.1\r\nHost: ls\r\n\r\n"


class Wire:
    """A transport that keeps what is written, piece by piece."""

    def __init__(self):
        self.pieces = []

    def write(self, data):
        self.pieces.append(bytes(data))

    def get_extra_info(self, _name):
        return None

    def is_closing(self):
        return False


def answering(*, in_one_piece):
    async def app(scope, _receive, send):
        if in_one_piece:
            scope["state"][IN_ONE_PIECE]()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    return app


async def pieces_of(app, requests=1):
    """What is written for each of so many requests on one connection."""
    config = uvicorn.Config(app, http=BoundedProtocol, lifespan="off", access_log=False)
    config.load()
    wire, found = Wire(), []
    protocol = BoundedProtocol(config, ServerState(), {})
    protocol.connection_made(wire)
    for _ in range(requests):
        protocol.data_received(REQUEST)
        await asyncio.gather(*protocol.tasks)
        found.append(wire.pieces)
        wire.pieces = []
    protocol._unset_keepalive_if_required()
    return found


def test_an_answer_that_asks_for_it_leaves_in_one_piece_time_after_time():
    one, another = asyncio.run(pieces_of(answering(in_one_piece=True), requests=2))
    assert [len(one), len(another)] == [1, 1]
    assert one[0].startswith(b"HTTP/1.1 200 OK\r\n")
    assert one[0].endswith(b"\r\n\r\nok")


@pytest.mark.parametrize("in_one_piece", [True, False])
def test_the_bytes_are_the_same_either_way(in_one_piece):
    [pieces] = asyncio.run(pieces_of(answering(in_one_piece=in_one_piece)))
    [plain] = asyncio.run(pieces_of(answering(in_one_piece=False)))
    assert b"".join(pieces) == b"".join(plain)


def test_any_other_answer_is_never_held_back():
    [pieces] = asyncio.run(pieces_of(answering(in_one_piece=False)))
    assert len(pieces) == 2
