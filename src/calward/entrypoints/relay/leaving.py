"""What is the log told of a side that has left before the client was let through? What it may mean, as far as can be told."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from calward.wire.rdp.x224 import Protocol
from calward.wire.relay import Phase

__all__ = ["left", "without_tls"]

_NLA: Final = Protocol.HYBRID | Protocol.HYBRID_EX
_UNTOLD: Final = frozenset({Phase.REQUEST, Phase.SPLICED, Phase.CLOSED})
"""Who connects and says nothing looks whether the port is open; and an end that is one is told by itself."""
_MEANING: Final[Mapping[tuple[Phase, str], str]] = MappingProxyType(
    {
        (Phase.CONFIRM, "host"): "the host has left instead of answering",
        (Phase.LOGON, "client"): "the client has left during the logon (NLA), as after a wrong password",
        (Phase.LOGON, "host"): "the host has left during the logon (NLA), as after a wrong password",
        (Phase.JOINING, "host"): "the host has left before the client said who it is",
    }
)
_SAW_CERTIFICATE: Final = (
    "the client has left behind TLS without a word, as where somebody does not trust the relay's certificate"
)


def left(phase: Phase, side: str, *, heard: bool) -> str:
    """Say it of the ``side`` client or host; "" where nobody wants to know. ``heard``: the client has spoken behind TLS."""
    if phase in _UNTOLD:
        return ""
    if phase is Phase.JOINING and side == "client" and not heard:
        return _SAW_CERTIFICATE
    return _MEANING.get((phase, side), f"the {side} has left in phase {phase.name}")


def without_tls(offered: Protocol, *, nla: bool, error: OSError) -> str:
    """Say that a client has not come through TLS; ``nla``: it was to log on behind it, as it had ``offered``."""
    failed = f"the client has not set up TLS ({str(error) or type(error).__name__})"
    if nla or not offered & _NLA:
        return failed
    return (
        f"{failed}: it was offered TLS without NLA, and one that insists on NLA (xfreerdp /sec:nla) leaves then. "
        "Let it use TLS, or put a host that has NLA behind the relay (host_security)"
    )
