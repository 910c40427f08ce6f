"""Which sessions are open on this host now, as far as PAM has said and the host can see?"""

from collections.abc import Callable, Iterator

from calward.app.sessionhost.heartbeats import LiveSession
from calward.app.sessionhost.ports import BoundSession, HolderShelf

__all__ = ["live_sessions"]


def live_sessions(users: HolderShelf, is_gone: Callable[[BoundSession], bool]) -> Iterator[LiveSession]:
    """Give those whose terminal is still there; a session whose leader was killed never says that it closed."""
    for user, known in users.holders():
        for one in known.sessions:
            if not is_gone(one):
                yield LiveSession(one.line, user, one.opened_at, one.license, one.device)
