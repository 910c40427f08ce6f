"""What does a short-lived helper need from its operating system: its own age, an alarm, a log, a user's groups?"""

import grp
import os
import pwd
import signal
import syslog
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

__all__ = ["age_seconds", "alarm_within", "groups_of", "log_to_administrator", "set_alarm"]

_START_TIME: Final = 19
"""Place of ``starttime`` among the fields of /proc/PID/stat that follow the program's name; see proc(5)."""
_AGE_GUESSED: Final = 0.2
"""Seconds, where /proc is not mounted."""
_LINE: Final = 500
"""Characters of a log line: a user name may come from a stranger."""


def age_seconds() -> float:
    """Say how long this process lives: the time to load it is part of what its user waits."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        started = int(fields[_START_TIME]) / os.sysconf("SC_CLK_TCK")
        return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - started)
    except (OSError, ValueError, IndexError):
        return _AGE_GUESSED


def set_alarm(seconds: float) -> None:
    """Raise TimeoutError, an OSError, in the main thread after so many seconds, wherever it waits then."""
    signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, max(0.001, seconds))


@contextmanager
def alarm_within(seconds: float) -> Iterator[None]:
    """Do the same for a block, and take the alarm back behind it; an earlier alarm is gone."""
    set_alarm(seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _ring(_signal: int, _frame: FrameType | None) -> None:
    raise TimeoutError("the time for this logon is up")


def log_to_administrator(sentence: str) -> None:
    """Write one line to the system's log of authentication; without a log daemon it is lost."""
    line = sentence[:_LINE]
    syslog.openlog("calward-pam", syslog.LOG_PID, syslog.LOG_AUTHPRIV)
    syslog.syslog(syslog.LOG_WARNING, line if line.isprintable() else ascii(line))


def groups_of(user: str) -> frozenset[str]:
    """Name all groups of a user; none for a user that this machine does not know. May wait for a directory."""
    try:
        numbers = os.getgrouplist(user, pwd.getpwnam(user).pw_gid)
    except (KeyError, ValueError):
        return frozenset()
    return frozenset(name for number in numbers if (name := _group_name(number)) is not None)


def _group_name(number: int) -> str | None:
    try:
        return grp.getgrgid(number).gr_name
    except KeyError:
        return None
