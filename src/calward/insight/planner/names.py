"""Which license servers does a host ask? Lists are written by hand: other case, with or without domain, as an address."""

from collections.abc import Mapping
from typing import Final

from calward.domain.cals import CalType
from calward.insight.estate import Estate, EstateHost

__all__ = ["ServerNames"]

_SCHEME: Final = "://"


class ServerNames:
    """Names of the license servers of an estate, as they are written in it and elsewhere."""

    def __init__(self, estate: Estate) -> None:
        listed = [server.name for server in estate.servers] + [pack.server for pack in estate.packs]
        self.all: frozenset[str] = frozenset(listed)
        self._known: dict[str, str] = {}
        for name in dict.fromkeys(listed):
            self._known.setdefault(_bare(name), name)
        for name in dict.fromkeys(listed):
            self._known.setdefault(_bare(name).partition(".")[0], name)
        self._beside = self._neighbors(estate)
        self._usual: dict[tuple[str, CalType], frozenset[str]] = {}

    def canonical(self, written: str) -> str:
        """The server's name in the estate; as it was written where the estate does not have it."""
        bare = _bare(written)
        return self._known.get(bare) or self._known.get(bare.partition(".")[0]) or written

    def of_host(self, host: EstateHost) -> frozenset[str]:
        """The servers that a host asks; all where none of those it lists is known."""
        listed = frozenset(map(self.canonical, host.servers)) & self.all
        return listed or self.all

    def beside(self, written: str, type_: CalType) -> frozenset[str]:
        """The servers that hosts ask which ask this one; itself alone where no host lists it."""
        key = (written, type_)
        if key not in self._usual:
            name = self.canonical(written)
            self._usual[key] = self._beside.get((name, type_)) or frozenset({name})
        return self._usual[key]

    def _neighbors(self, estate: Estate) -> Mapping[tuple[str, CalType], frozenset[str]]:
        found: dict[tuple[str, CalType], frozenset[str]] = {}
        for servers, type_ in {(self.of_host(host), host.mode) for host in estate.hosts if host.mode is not None}:
            for name in servers:
                found[name, type_] = found.get((name, type_), frozenset()) | servers
        return found


def _bare(name: str) -> str:
    """Without scheme, port, path and case."""
    rest = name.casefold().partition(_SCHEME)[2] or name.casefold()
    return rest.partition("/")[0].partition(":")[0]
