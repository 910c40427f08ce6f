"""How long is a connection waited for, in each part of its way, and who is given the time that a person needs?"""

import asyncio
from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType, TracebackType
from typing import Final, Self

from calward.entrypoints.relay.settings import Limits
from calward.wire.relay import Phase

__all__ = ["Patience"]


class _Stage(Enum):
    """A part of the way that has to end in time, however often bytes come meanwhile."""

    OPENING = auto()
    SECURING = auto()
    PERSON = auto()
    LOGON = auto()
    CONNECTING = auto()


_STAGES: Final[Mapping[Phase, _Stage]] = MappingProxyType(
    {
        Phase.REQUEST: _Stage.OPENING,
        Phase.CONFIRM: _Stage.OPENING,
        Phase.SECURING: _Stage.SECURING,
        Phase.LOGON: _Stage.LOGON,
        Phase.JOINING: _Stage.CONNECTING,
        Phase.LICENSING: _Stage.CONNECTING,
        Phase.DECIDING: _Stage.CONNECTING,
        Phase.RELEASED: _Stage.CONNECTING,
    }
)
_BEHIND_TLS: Final = frozenset({Phase.LOGON, Phase.JOINING})


class Patience:
    """A block that ends by TimeoutError when a part of the way takes too long."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._stage = _Stage.OPENING
        self._whole = asyncio.timeout(limits.request)

    async def __aenter__(self) -> Self:
        """Begin with the first part."""
        await self._whole.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Turn the cancellation by which a timeout works into TimeoutError."""
        await self._whole.__aexit__(kind, error, trace)

    def see(self, phase: Phase, *, heard: bool) -> None:
        """Note how far the connection is; ``heard``: the client has said something behind TLS, so no person is waited for."""
        stage = _Stage.PERSON if phase in _BEHIND_TLS and not heard else _STAGES.get(phase, self._stage)
        if stage is not self._stage:
            self._stage = stage
            self._whole.reschedule(asyncio.get_running_loop().time() + self._seconds())

    async def wait(self, wake: asyncio.Event) -> None:
        """Wait until something happens; TimeoutError after a pause that is too long."""
        async with asyncio.timeout(None if self._stage is _Stage.PERSON else self._limits.pause):
            await wake.wait()
        wake.clear()

    def _seconds(self) -> float:
        limits = self._limits
        return {
            _Stage.OPENING: limits.request,
            _Stage.SECURING: limits.secure,
            _Stage.PERSON: limits.person,
            _Stage.LOGON: limits.connect,
            _Stage.CONNECTING: limits.connect,
        }[self._stage]
