"""How long may somebody be connected without having asked anything, and how many may be connected at once?

uvicorn closes a connection that idles between requests. One that sends nothing, half a head or half a body it would keep for ever.
Looked at from outside, now and then: a request that comes at once, as all but these do, costs nothing more.
"""

import asyncio
import resource
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from calward.adapters.network.bounded_http import BoundedProtocol

__all__ = ["CrowdedProtocol", "Patience", "SlowPeers", "usual_patience"]

_SPARE_FILES: Final = 128
"""Open files for everything that is not a connection."""
_MOST: Final = 8192
_FEWEST: Final = 64
_SOCKETS: Final = 2
"""One of the network, and one of this machine's own."""
_LATE: Final = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"  # No body: who is late reads none.
_FULL: Final = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
_PLAIN_BODY: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Patience:
    """``seconds``: for a whole request, from the first sight of it; ``bytes_per_second``: at least, of a body larger than 64 KiB.

    ``every``: seconds between two looks. ``connections``: at once, on one socket.
    """

    seconds: float = 30.0
    every: float = 5.0
    bytes_per_second: int = 16 * 1024
    connections: int = _MOST


def usual_patience() -> Patience:
    """As many connections as one process serves well, and as files may be open: as many as this process may allow itself."""
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _SOCKETS * _MOST + _SPARE_FILES
    if most != resource.RLIM_INFINITY:
        wanted = min(wanted, most)
    if files < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, most))
    return Patience(connections=max(_FEWEST, min(_MOST, (max(files, wanted) - _SPARE_FILES) // _SOCKETS)))


class CrowdedProtocol(BoundedProtocol):
    """HTTP for so many at once. Who comes when all places are taken gets that of somebody who has not asked anything yet."""

    def __init__(self, *args: Any, most: int, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's own
        super().__init__(*args, **kwargs)
        self._most = most

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody connects."""
        if len(self.connections) >= self._most and not self._make_room():
            transport.write(_FULL)
            transport.close()
        super().connection_made(transport)

    def _make_room(self) -> bool:
        silent = next(
            (one for one in self.connections if isinstance(one, CrowdedProtocol) and one.waits_for_peer()), None
        )
        if silent is None:
            return False
        silent.transport.abort()
        return True

    def waits_for_peer(self) -> bool:
        """Whether a request is expected of which not all has come; not while an answer is made, or between two requests."""
        if self.transport.is_closing():
            return False
        cycle: Any = self.cycle  # None until the first head has ended, whatever uvicorn's types say.
        if cycle is None or self._in_head:
            return True
        return bool(cycle.more_body) and not self.flow.read_paused

    def seconds_for(self, patience: Patience) -> float:
        """How long the request may take that is coming: a long body that says its length has its time."""
        headers: Any = self.headers  # None until there is a request.
        said = next((value for name, value in headers or () if name == b"content-length"), b"0")
        size = int(said) if said.isdigit() else 0
        return patience.seconds + (size / patience.bytes_per_second if size > _PLAIN_BODY else 0.0)

    def give_up(self) -> None:
        """Close: with a word, where half a request has come and nothing of an answer has been sent."""
        cycle: Any = self.cycle
        scope: Any = self.scope
        begun = cycle is not None and cycle.response_started and not cycle.response_complete
        if scope is not None and not begun:
            self.transport.write(_LATE)
            self.transport.close()
        else:
            self.transport.abort()


class SlowPeers:
    """Who is waited for, and since when. ``clock``: seconds that only go on."""

    def __init__(
        self, connections: Callable[[], Iterable[object]], patience: Patience, clock: Callable[[], float]
    ) -> None:
        self._connections = connections
        self._patience = patience
        self._clock = clock
        self._since: dict[CrowdedProtocol, tuple[object, float]] = {}

    def look(self) -> int:
        """Close what has taken too long, and give how many.

        A request is known by the scope that it got as it began: a peer that is seen twice in the middle of one has not stood still
        if it is another one.
        """
        now = self._clock()
        seen: dict[CrowdedProtocol, tuple[object, float]] = {}
        for one in list(self._connections()):
            if isinstance(one, CrowdedProtocol) and one.waits_for_peer():
                request, since = self._since.get(one, (None, now))
                seen[one] = (one.scope, since if request is one.scope else now)
        late = [one for one, (_, since) in seen.items() if now - since >= one.seconds_for(self._patience)]
        for one in late:
            del seen[one]
            one.give_up()
        self._since = seen
        return len(late)

    async def watch(self) -> None:
        """Look now and then, for ever."""
        while True:
            await asyncio.sleep(self._patience.every)
            self.look()
