"""Who is taken for slow, and how long may who take?"""

import resource

from calward.adapters.network.slow_peers import CrowdedProtocol, Patience, SlowPeers, usual_patience


class Peer(CrowdedProtocol):
    """A connection of which it is set whether it is waited for."""

    def __init__(self, scope, length=None):
        self.scope, self.closed, self.waiting = scope, 0, True
        self.headers = [(b"content-length", str(length).encode())] if length is not None else None

    def waits_for_peer(self):
        return self.waiting

    def give_up(self):
        self.closed += 1


def test_a_new_request_on_the_same_connection_has_its_own_time():
    now = [0.0]
    one = Peer({"request": 1})
    peers = SlowPeers(lambda: {one}, Patience(seconds=10), lambda: now[0])
    assert peers.look() == 0
    now[0], one.scope = 9.0, {"request": 2}
    assert peers.look() == 0
    now[0] = 18.0
    assert peers.look() == 0
    now[0] = 19.0
    assert (peers.look(), one.closed) == (1, 1)


def test_who_was_not_waited_for_in_between_begins_anew():
    now = [0.0]
    one = Peer({"request": 1})
    peers = SlowPeers(lambda: {one}, Patience(seconds=10), lambda: now[0])
    peers.look()
    now[0], one.waiting = 5.0, False
    peers.look()
    now[0], one.waiting = 11.0, True
    assert peers.look() == 0


def test_a_long_body_that_says_its_length_has_the_time_it_needs():
    now = [0.0]
    long, short = Peer({}, 1024 * 1024), Peer({}, 100)
    peers = SlowPeers(lambda: {long, short}, Patience(seconds=10, bytes_per_second=1024), lambda: now[0])
    peers.look()
    now[0] = 11.0
    assert (peers.look(), long.closed, short.closed) == (1, 0, 1)
    now[0] = 10.0 + 1024 + 1
    assert (peers.look(), long.closed) == (1, 1)


def test_the_usual_number_of_connections_leaves_files_for_the_rest():
    kept = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        found = usual_patience()
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert 64 <= found.connections <= files
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, kept)
