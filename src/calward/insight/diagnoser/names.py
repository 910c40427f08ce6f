"""Is a license server that a host lists one of those in the snapshot, however its name was written?"""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from calward.insight.estate import EstateServer

__all__ = ["ServerNames", "plain_name"]

_URL: Final = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(\[[^\]]*\]|[^/:]*)(?::\d+)?(?:/.*)?", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[\d.]+|\[?[0-9a-f:]+:[0-9a-f:.]*\]?", re.IGNORECASE)


def plain_name(written: str) -> str:
    """A server's name without case, scheme, port, path and last dot; of an address the port stays, as ports tell servers apart."""
    text = written.strip()
    match = _URL.fullmatch(text)
    name = (match[1] if match else text).casefold().rstrip(".")
    if _ADDRESS.fullmatch(name):
        return text.partition("://")[2].casefold().rstrip("/") or text.casefold()
    return name or text.casefold()


class ServerNames:
    """The license servers of a snapshot by all names under which they can be listed: a short one, a whole one."""

    def __init__(self, servers: Iterable[EstateServer]) -> None:
        self._whole: dict[str, EstateServer] = {}
        short: dict[str, set[str]] = {}
        for server in servers:
            name = plain_name(server.name)
            self._whole[name] = server
            short.setdefault(name.partition(".")[0], set()).add(name)
        self._short: Mapping[str, str] = {key: min(names) for key, names in short.items() if len(names) == 1}

    def find(self, written: str) -> EstateServer | None:
        """The server that is meant; None: no server of the snapshot, or more than one could be."""
        name = plain_name(written)
        if name in self._whole:
            return self._whole[name]
        first, dot, _ = name.partition(".")
        known = self._short.get(first)
        if known is None or _ADDRESS.fullmatch(name):
            return None
        # A short name stands for a whole one and the reverse; two whole names that differ are two servers.
        return self._whole[known] if not dot or "." not in known else None
