"""Which device did this user come with? Joins what the relay knows with what PAM knows, by the address of their connection."""

from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Final

from calward.app.sessionhost.check_device import DeviceVerdict

__all__ = ["Joined", "Joins"]

_USERS_KEPT: Final = 10_000
"""Users whose last logon is remembered until their session opens; one that never opens is said by nobody."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A device behind a connection, and how it was admitted."""

    verdict: DeviceVerdict
    name: str
    since: datetime


class Joins:
    """The running connections, by address; used by several threads. Forgotten when the agent stops: so are its connections.

    What must outlive them, the device of a session, is kept with the session (``BoundSession``).
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._connections: dict[str, Joined] = {}
        self._users: dict[str, Joined] = {}

    def connected(self, connection: str, joined: Joined) -> None:
        """Note a device's connection."""
        if connection:
            with self._lock:
                self._connections[connection] = joined

    def ended(self, connection: str) -> None:
        """Forget it; the session that was opened through it may go on."""
        with self._lock:
            self._connections.pop(connection, None)

    def logged_on(self, user: str, connection: str | None) -> Joined | None:
        """Find the device of a user who logs on now."""
        with self._lock:
            found = self._connections.get(connection or "")
            self._users.pop(user, None)
            if found is not None:
                self._users[user] = found
            while len(self._users) > _USERS_KEPT:
                del self._users[next(iter(self._users))]
            return found

    def opened(self, user: str, connection: str | None) -> Joined | None:
        """Find the device of a session that opens: by its connection, else by the logon just before."""
        with self._lock:
            return self._connections.get(connection or "") or self._users.get(user)

    def count(self) -> int:
        """How many connections there are."""
        with self._lock:
            return len(self._connections)
