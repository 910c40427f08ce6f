"""Where does the agent of a session host write its log? Into the system's log of authentication, under a name of its own."""

import syslog
from typing import Final

__all__ = ["HostLog"]

_LINE: Final = 500
"""Characters of a log line: names in it may come from strangers."""


class HostLog:
    """A ``Journal`` over syslog, ``calward-agent`` unless it is told otherwise; without a log daemon its lines are lost.

    May be used by several threads. One for each process: the name belongs to the process.
    """

    def __init__(self, name: str = "calward-agent") -> None:
        syslog.openlog(name, syslog.LOG_PID, syslog.LOG_AUTHPRIV)

    def debug(self, sentence: str) -> None:
        """What is done a thousand times a day."""
        self._write(syslog.LOG_DEBUG, sentence)

    def info(self, sentence: str) -> None:
        """What has happened and is as it should be."""
        self._write(syslog.LOG_INFO, sentence)

    def warning(self, sentence: str) -> None:
        """What somebody should look at."""
        self._write(syslog.LOG_WARNING, sentence)

    def _write(self, level: int, sentence: str) -> None:
        line = sentence[:_LINE]
        syslog.syslog(level, line if line.isprintable() else ascii(line))
