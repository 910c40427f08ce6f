"""What the helper asks of its operating system."""

import threading

import pytest

from calward.adapters.sessionhost import process as host_process
from calward.adapters.sessionhost.process import age_seconds, groups_of, log_to_administrator, set_alarm


def test_a_process_knows_how_long_it_lives():
    first = age_seconds()
    assert 0 < first < 3600 * 24
    assert age_seconds() >= first


def test_without_proc_the_age_is_guessed_on_the_long_side(monkeypatch):
    monkeypatch.setattr(host_process, "Path", type("NoProc", (), {"__init__": lambda *_: None, "read_text": _no_proc}))
    assert age_seconds() == pytest.approx(0.2)


def _no_proc(*_: object, **__: object) -> str:
    raise FileNotFoundError


def test_an_alarm_wakes_whoever_waits():
    set_alarm(0)
    with pytest.raises(TimeoutError):
        threading.Event().wait(10)


def test_groups_have_names_and_a_stranger_has_none():
    assert "root" in groups_of("root")
    assert groups_of("nobody-of-that-name") == frozenset()
    assert groups_of("a\x00b") == frozenset()


def test_a_group_without_a_name_is_left_out(monkeypatch):
    monkeypatch.setattr(host_process.os, "getgrouplist", lambda *_: [0, 4_000_000_000])
    assert groups_of("root") == {"root"}


def test_a_log_line_is_one_line(monkeypatch):
    lines = []
    monkeypatch.setattr(host_process.syslog, "syslog", lambda _, line: lines.append(line))
    log_to_administrator("a\nb\x1b" + "x" * 1000)
    assert len(lines) == 1
    assert lines[0].isprintable()
