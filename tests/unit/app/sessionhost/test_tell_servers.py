"""A heartbeat to each server: what is told, what is handed on, and whose word says what this host is."""

from calward.app.sessionhost.heartbeats import HeartbeatAnswer, HeartbeatReport, LiveSession
from calward.app.sessionhost.live_sessions import live_sessions
from calward.app.sessionhost.ports import BoundSession, HostPolicy, Memory
from calward.app.sessionhost.server_health import ServerHealth, WatchedServer
from calward.app.sessionhost.tell_servers import tell_servers
from calward.domain.errors import LicensingError, Problem
from tests.support.journals import Lines
from tests.support.session_host import NOW, FakeServer, MemoryInMemory, trouble

REPORT = HeartbeatReport("1.0", (LiveSession(":10", "alice", NOW, "L1", "ff"),))


class Server(FakeServer):
    def __init__(self, name: str, version: str, error: LicensingError | None = None):
        super().__init__(name=name)
        self.answer = HeartbeatAnswer(HostPolicy(version, "per-user", 120, NOW), (), "1" * 32, frozenset())
        self.error = error
        self.told: list[HeartbeatReport] = []

    def heartbeat(self, report, *, seconds, now):
        self.told.append(report)
        if self.error:
            raise self.error
        return self.answer


def tell(*servers: Server):
    memory, health, heard = MemoryInMemory(), ServerHealth(Lines(), lambda: 0.0), []
    watched = [WatchedServer(one, health) for one in servers]
    tell_servers(
        REPORT, servers=watched, memory=lambda: memory, health=health, heard=lambda *of: heard.append(of), now=NOW
    )
    return memory.host.policy, health, [(server.name, answer) for server, answer in heard]


def test_each_server_is_told_and_the_first_that_answers_says_what_this_host_is():
    down, one, two = Server("down", "2016", trouble()), Server("one", "2019"), Server("two", "2022")
    policy, health, heard = tell(down, one, two)
    assert [server.told for server in (down, one, two)] == [[REPORT]] * 3
    assert policy == one.answer.policy
    assert heard == [("one", one.answer), ("two", two.answer)]
    assert [health.trouble(name) for name in ("down", "one", "two")] == [trouble().detail, "", ""]


def test_where_none_answers_what_was_heard_before_stays():
    policy, health, heard = tell(Server("one", "2019", trouble(Problem.UNAUTHORIZED)))
    assert (policy, heard) == (None, [])
    assert health.trouble("one") == trouble(Problem.UNAUTHORIZED).detail


def test_sessions_are_told_with_their_devices_and_without_those_that_are_gone():
    class Users:
        def holders(self):
            here, gone = BoundSession(":10", NOW, "L1", "ff"), BoundSession(":11", NOW, None)
            yield "alice", Memory(sessions=(gone, here))
            yield "bob", Memory()

    found = list(live_sessions(Users(), lambda session: session.line == ":11"))
    assert found == [LiveSession(":10", "alice", NOW, "L1", "ff")]
