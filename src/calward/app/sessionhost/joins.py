"""Which device did this user come with? Joins what the relay knows with what PAM knows, by the address of their connection."""

from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Final

from calward.app.sessionhost.check_device import DeviceVerdict

__all__ = ["Callers", "Joined", "Joins"]

_USERS_KEPT: Final = 10_000
"""Users whose last logon is remembered until their session opens; one that never opens is said by nobody."""


@dataclass(frozen=True, slots=True)
class Callers:
    """The addresses from which the user may have come for whom PAM asks; more than one where several log on at a time.

    ``once``: each of these connections logs on once, at its beginning, so that those that have are somebody else's.
    """

    addresses: frozenset[str] = frozenset()
    once: bool = False


@dataclass(frozen=True, slots=True)
class Joined:
    """A device behind a connection, and how it was admitted.

    ``user``: as whom the client wanted to log on.
    ``certain`` False: it is one of several that were all let in, and nobody can say which; none of them is proven by it.
    """

    verdict: DeviceVerdict
    name: str
    since: datetime
    user: str = ""
    certain: bool = True


class Joins:
    """The running connections, by address; used by several threads. Forgotten when the agent stops: so are its connections.

    What must outlive them, the device of a session, is kept with the session (``BoundSession``).
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._connections: dict[str, Joined] = {}
        self._logged_on: set[str] = set()
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
            self._logged_on.discard(connection)

    def host_accepted(self, connection: str) -> Joined | None:
        """Find the device of a connection on which the host itself has accepted a logon."""
        with self._lock:
            found = self._connections.get(connection)
            if found is not None:
                self._logged_on.add(connection)
            return found

    def logged_on(self, user: str, callers: Callers) -> Joined | None:
        """Find the device of a user who logs on now."""
        with self._lock:
            found = self._find(user, callers)
            self._users.pop(user, None)
            if found is not None and found.certain:
                self._users[user] = found
            while len(self._users) > _USERS_KEPT:
                del self._users[next(iter(self._users))]
            return found

    def opened(self, user: str, callers: Callers) -> Joined | None:
        """Find the device of a session that opens: by its connection, else by the logon just before."""
        with self._lock:
            known = [self._connections.get(one) for one in callers.addresses]
            return (known[0] if len(known) == 1 else None) or self._users.get(user)

    def count(self) -> int:
        """How many connections there are."""
        with self._lock:
            return len(self._connections)

    def _find(self, user: str, callers: Callers) -> Joined | None:
        """The one connection that it must be; one of several, where each of them was let in; None where it may be another.

        Who asks PAM for each connection once asks for the user whom its client had named: any other proves nothing.
        """
        open_ = callers.addresses - self._logged_on if callers.once else callers.addresses
        known = {one: self._connections[one] for one in open_ if one in self._connections}
        if not known or len(known) < len(open_):
            return None
        likely = {one: joined for one, joined in known.items() if joined.user == user} if callers.once else known
        if len(likely) != 1:
            return replace(next(iter(known.values())), certain=False)
        [(address, found)] = likely.items()
        self._logged_on.add(address)
        return found
