"""A server that does not answer is asked after the others, told of once, and comes back with its next answer."""

import pytest

from calward.app.sessionhost.server_health import ServerHealth, WatchedServer
from calward.domain.errors import LicensingError, Problem
from tests.support.journals import Lines
from tests.support.session_host import GRANTED, FakeServer, trouble

DOWN = trouble()


class Host:
    def __init__(self, *servers: FakeServer):
        self.now = 1000.0
        self.lines = Lines()
        self.health = ServerHealth(self.lines, lambda: self.now)
        self.servers = [WatchedServer(one, self.health) for one in servers]

    def ask(self, number: int, seconds: float = 1.0) -> bool:
        try:
            self.servers[number].request_for_user("alice", "R1", full_only=False, seconds=seconds)
        except LicensingError:
            return False
        return True

    @property
    def order(self) -> list[str]:
        return [one.name for one in self.health.in_order(self.servers)]


def two(*answers) -> Host:
    return Host(FakeServer(*answers, name="one"), FakeServer(GRANTED, name="two"))


def test_without_trouble_the_order_is_the_lists():
    host = two(GRANTED)
    assert host.ask(0)
    assert host.order == ["one", "two"]


@pytest.mark.parametrize("problem", [Problem.UNREACHABLE, Problem.UNAVAILABLE])
def test_one_question_without_an_answer_puts_a_server_last_at_once(problem):
    host = two(trouble(problem))
    assert not host.ask(0)
    assert host.order == ["two", "one"]


@pytest.mark.parametrize("problem", [Problem.UNAUTHORIZED, Problem.CONFLICT, Problem.MALFORMED, Problem.NOT_FOUND])
def test_an_unwelcome_answer_is_an_answer(problem):
    host = two(trouble(problem))
    assert not host.ask(0)
    assert host.order == ["one", "two"]


def test_after_half_a_minute_it_is_tried_in_its_place_again():
    host = two(DOWN)
    host.ask(0)
    host.now += 29.9
    assert host.order == ["two", "one"]
    host.now += 0.2
    assert host.order == ["one", "two"]


def test_each_failure_begins_the_half_minute_anew():
    host = two(DOWN)
    host.ask(0)
    host.now += 20
    host.ask(0)
    host.now += 20
    assert host.order == ["two", "one"]


def test_the_next_success_brings_it_back_at_once():
    host = two(DOWN, GRANTED)
    host.ask(0)
    host.ask(0)
    assert host.order == ["one", "two"]


def test_a_server_that_had_no_time_to_answer_is_not_called_down():
    host = two(DOWN)
    host.ask(0, seconds=0.1)
    assert host.order == ["one", "two"]


def test_going_down_is_one_warning_and_coming_back_one_line():
    host = two(DOWN, DOWN, DOWN, GRANTED)
    for _ in range(4):
        host.ask(0)
    assert [line.partition(":")[0] for line in host.lines.of("warning")] == ["license server one is unreachable"]
    assert host.lines.of("info") == ["license server one answers again"]
    assert host.lines.of("debug") == []


def test_what_a_heartbeat_is_answered_is_told_when_it_changes():
    host = two(GRANTED)
    stranger = trouble(Problem.UNAUTHORIZED)
    assert host.health.trouble("one") is None
    for error in (stranger, stranger, None, None):
        host.health.heartbeat("one", error)
    assert host.lines.of("warning") == [stranger.detail]
    assert host.health.trouble("one") == ""


def test_a_heartbeat_without_an_answer_is_no_heartbeat():
    host = two(DOWN)
    host.ask(0)
    host.health.heartbeat("one", DOWN)
    assert host.health.trouble("one") == DOWN.detail
    host.health.answered("one")
    assert host.health.trouble("one") is None


def test_every_question_is_watched():
    server = FakeServer(GRANTED)
    server.refuses_to_confirm = True
    host = Host(server)
    with pytest.raises(LicensingError):
        host.servers[0].confirm("L1", seconds=1)
    assert host.servers[0].policy(seconds=1, now=None).grace_days == 120
    assert host.servers[0].request_for_device("PC", "ff", "R1", full_only=True, seconds=1) == GRANTED
    assert server.asked == [("ff", "R1", True)]
