"""What does a step of a scenario do, in words?"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from calward.app.scenarios.story import (
    Act,
    Change,
    Connect,
    Free,
    Install,
    Look,
    Move,
    Rebuild,
    Remove,
    SetHost,
    SetServer,
    Switch,
)
from calward.domain.pack_requests import SourceState

__all__ = ["what"]


def what(act: Act) -> str:
    """Say it on one line."""
    return _WORDS[type(act)](act)


def _connect(act: Connect) -> str:
    who = " and ".join(x for x in (act.device, act.user) if x) or "an administrator"
    return f"connect {who} to {act.host}{' as administrator' if act.admin else ''}{'' if act.logon else ', no logon'}"


def _install(act: Install) -> str:
    pack = act.pack
    return f"install {pack.id} on {pack.server}: {pack.total} of {pack.version}/{pack.type}"


def _remove(act: Remove) -> str:
    return f"remove {act.pack} from {act.server}"


def _move(act: Move) -> str:
    state = "" if act.state is SourceState.CONNECTED else f", {act.source} is {act.state}"
    return f"move {act.pack} from {act.source} to {act.target}{state}"


def _change(act: Change) -> str:
    part = "" if act.count is None else f", {act.count} CALs as {act.part}"
    return f"{act.kind} {act.pack} to {act.to}{part}"


def _rebuild(act: Rebuild) -> str:
    return f"rebuild {act.server}"


def _free(act: Free) -> str:
    return f"{act.verb} the license of {act.key} on {act.server}"


def _switch(act: Switch) -> str:
    return f"{act.server} goes {act.verb}" if act.verb in {"down", "up"} else f"{act.verb} {act.server}"


def _set_server(act: SetServer) -> str:
    values = dict(act.values) | ({"version": act.version} if act.version else {})
    shown = (f"{key} = {str(x).lower() if isinstance(x, bool) else x}" for key, x in values.items())
    return f"set {act.server}: {', '.join(shown)}"


def _set_host(act: SetHost) -> str:
    host = act.host
    return f"set {host.name}: {host.version}, {host.mode}, asks {', '.join(host.servers) or 'nobody'}"


def _look(act: Look) -> str:
    return f"look at {act.server}{''.join(f', {x}' for x in (act.pack, act.version, act.type) if x)}"


_WORDS: Final[Mapping[type, Callable[[Any], str]]] = MappingProxyType(
    {
        Connect: _connect,
        Install: _install,
        Remove: _remove,
        Move: _move,
        Change: _change,
        Rebuild: _rebuild,
        Free: _free,
        Switch: _switch,
        SetServer: _set_server,
        SetHost: _set_host,
        Look: _look,
    }
)
