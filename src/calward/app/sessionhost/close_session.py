"""What is done when a session closes: the host forgets that it is open. The license stays its holder's until it ends."""

from dataclasses import dataclass, replace

from calward.app.sessionhost.ports import HostMemory, Memory

__all__ = ["CloseSession", "close_session"]


@dataclass(frozen=True, slots=True)
class CloseSession:
    """A user's session at ``line`` has ended."""

    user: str
    line: str


def close_session(command: CloseSession, *, memory: HostMemory) -> None:
    """Forget the session; one that was never bound is none. Asks no server and raises nothing."""

    def forget(known: Memory) -> tuple[Memory, None]:
        return replace(known, sessions=tuple(other for other in known.sessions if other.line != command.line)), None

    memory.change(command.user, forget)
