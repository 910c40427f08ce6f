"""Is the terminal of a session still there? One whose leader was killed never says that it closed."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from calward.app.sessionhost.ports import BoundSession

__all__ = ["is_gone"]

_NEW: Final = timedelta(minutes=1)
"""A session that has just opened may have no terminal yet."""
_X_SOCKETS: Final = Path("/tmp/.X11-unix")  # noqa: S108 - where X servers listen.
_DEVICES: Final = Path("/dev")


def is_gone(session: BoundSession, now: datetime, *, x_sockets: Path = _X_SOCKETS, devices: Path = _DEVICES) -> bool:
    """Look for an X server or a terminal of that name; of any other line nobody can tell, so it is still there."""
    line = session.line
    if now - session.opened_at < _NEW:
        return False
    if line.startswith(":"):
        return not (x_sockets / f"X{line[1:].partition('.')[0]}").exists()
    return line.startswith(("pts/", "tty")) and not (devices / line).exists()
