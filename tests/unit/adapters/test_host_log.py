"""The agent's log: its own name, the level that was meant, one line a sentence."""

import syslog

import pytest

from calward.adapters.sessionhost import log as host_log
from calward.adapters.sessionhost.log import HostLog


@pytest.fixture
def written(monkeypatch):
    calls = []
    monkeypatch.setattr(host_log.syslog, "openlog", lambda *of: calls.append(of))
    monkeypatch.setattr(host_log.syslog, "syslog", lambda *of: calls.append(of))
    return calls


def test_each_level_is_the_systems(written):
    log = HostLog()
    log.debug("a")
    log.info("b")
    log.warning("c")
    assert written == [
        ("calward-agent", syslog.LOG_PID, syslog.LOG_AUTHPRIV),
        (syslog.LOG_DEBUG, "a"),
        (syslog.LOG_INFO, "b"),
        (syslog.LOG_WARNING, "c"),
    ]


def test_a_stranger_cannot_write_a_second_line_or_an_endless_one(written):
    HostLog().info("a\nb\x1b" + "x" * 1000)
    [_, (_, line)] = written
    assert line.isprintable()
    assert len(line) < 600
