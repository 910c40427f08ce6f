"""Is somebody who connects and does not ask sent away, and nobody else? Over real sockets, with a server of its own process."""

import asyncio
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

from calward.adapters.network.serving import serve_asgi
from calward.adapters.network.slow_peers import Patience

HEAD = b"POST / HTTP/1.1\r\nHost: ls\r\nContent-Length: 4\r\n"
SECONDS = 20
"""A test that hangs has failed."""
QUICK = "seconds=0.1, every=0.02"
NEVER = "seconds=3600, every=3600"


async def app(scope, receive, send):
    """Give the body back; a body of "wait" after half a second."""
    if scope["type"] == "lifespan":
        return
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        body, more = body + message["body"], message.get("more_body", False)
    if body == b"wait":
        await asyncio.sleep(0.5)
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", str(len(body)).encode())]}
    )
    await send({"type": "http.response.body", "body": body})


def serve_alone(unix, **patience):
    """What the other process runs."""
    place = Path(unix) if unix else None
    serve_asgi(
        app,
        "127.0.0.1",
        0,
        unix=place,
        ready=lambda url: sys.stdout.write(f"{url}\n") and sys.stdout.flush(),
        patience=Patience(**patience),
    )


@contextmanager
def serving(patience, unix=""):
    program = f"from tests.integration.test_slow_peers import serve_alone; serve_alone({str(unix)!r}, {patience})"
    server = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
    )
    try:
        yield int(server.stdout.readline().rpartition(":")[2])
    finally:
        server.terminate()
        server.stdout.close()
        assert server.wait(SECONDS) == 0


def connected(port):
    return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)


def answer(peer):
    """One answer, with its body of four bytes."""
    found = b""
    while b"\r\n\r\n" not in found[:-4] and (piece := peer.recv(65536)):
        found += piece
    return found


def all_of(peer):
    """What comes until the other side closes; a reset is an end, too."""
    found = b""
    while True:
        try:
            piece = peer.recv(65536)
        except ConnectionResetError:
            return found
        if not piece:
            return found
        found += piece


@pytest.mark.parametrize(
    ("sent", "word"),
    [
        (b"", b""),
        (b"GET / HT", b"HTTP/1.1 408 "),
        (HEAD, b"HTTP/1.1 408 "),
        (HEAD + b"\r\nab", b"HTTP/1.1 408 "),
    ],
)
def test_who_does_not_finish_a_request_is_sent_away(sent, word):
    with serving(QUICK) as port, connected(port) as peer:
        peer.sendall(sent)
        found = all_of(peer)
    assert found.startswith(word)
    assert bool(found) == bool(word)


def test_so_it_is_on_the_unix_socket(tmp_path):
    with serving(QUICK, unix=tmp_path / "s"), socket.socket(socket.AF_UNIX) as peer:
        peer.settimeout(SECONDS)
        peer.connect(str(tmp_path / "s"))
        assert all_of(peer) == b""


def test_a_byte_now_and_then_buys_no_time():
    with serving(QUICK) as port, connected(port) as peer:
        peer.settimeout(0.02)
        peer.sendall(b"GET /")
        for _ in range(1000):  # 20 seconds, a hundred times what is allowed.
            try:
                said = peer.recv(65536)
            except TimeoutError:
                peer.sendall(b"a")
            else:
                break
    assert said.startswith(b"HTTP/1.1 408 ")


def test_a_request_that_has_come_whole_has_all_the_time_it_takes():
    with serving(QUICK) as port, connected(port) as peer:
        peer.sendall(HEAD + b"\r\nwait")
        assert answer(peer).startswith(b"HTTP/1.1 200 OK")


def test_between_two_requests_nobody_is_slow():
    with serving(QUICK) as port, connected(port) as peer:
        for body in (b"abcd", b"efgh"):
            peer.sendall(HEAD + b"\r\n" + body)
            assert answer(peer).endswith(body)
            time.sleep(0.3)


def test_when_all_places_are_taken_who_has_not_asked_makes_room():
    with serving(f"{NEVER}, connections=2") as port, connected(port) as silent, connected(port) as another:
        another.sendall(HEAD + b"\r\nabcd")
        assert answer(another).endswith(b"abcd")  # Both are known to the server by now.
        with connected(port) as third:
            third.sendall(HEAD + b"\r\nefgh")
            assert answer(third).endswith(b"efgh")
            assert all_of(silent) == b""


def test_when_nobody_can_make_room_a_newcomer_hears_it():
    with serving(f"{NEVER}, connections=1") as port, connected(port) as first:
        first.sendall(HEAD + b"\r\nabcd")
        assert answer(first).endswith(b"abcd")  # It is between two requests now, and stays.
        with connected(port) as second:
            assert all_of(second).startswith(b"HTTP/1.1 503 ")
