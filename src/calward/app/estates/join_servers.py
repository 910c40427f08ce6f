"""Whose is a row? Each license server of an import under one name, however it is written.

A name is compared without case; a short one is the only whole one that begins with it.
"""

from collections.abc import Sequence
from dataclasses import replace

from calward.app.estates.found import Found
from calward.insight.estate import EstateServer, ImportProblem

__all__ = ["UNNAMED", "Files", "Servers", "unnamed_files"]

UNNAMED = "license-server"
"""What a license server is called that no file names."""
Files = Sequence[tuple[Found, str | None]]
"""Files of one import, beside each the license server that was named for it."""


class Servers:
    """The license servers of an import, each under one name however it is written."""

    def __init__(self, files: Files) -> None:
        self._spelling: dict[str, str] = {}
        for found, own in files:
            rows = (*found.servers, *found.packs, *found.licenses, *found.summaries, *found.failures)
            for name in {_named(row) for row in rows} | {own or ""}:
                if name:
                    self._spelling.setdefault(name.casefold(), name)
        self._whole = self._whole_names()
        self.used: dict[str, None] = {}
        self.several = len(set(self._whole.values())) > 1
        self._only = next(iter(self._whole.values())) if len(set(self._whole.values())) == 1 else None
        self._known: dict[str, EstateServer] = {}
        for found, own in files:
            for server in found.servers:
                self._known.setdefault(self.of(server.name, own), server)

    def _whole_names(self) -> dict[str, str]:
        """From a name without case to the name by which the server goes."""
        found: dict[str, str] = {}
        for plain, name in self._spelling.items():
            longer = [other for other in self._spelling if other.startswith(plain + ".")]
            found[plain] = self._spelling[longer[0]] if "." not in plain and len(longer) == 1 else name
        return found

    def of(self, said: str, own: str | None) -> str:
        """The server of a row: as the row says, else as was named for its file, else the only one there is."""
        name = said or own or self._only or UNNAMED
        whole = self._whole.get(name.casefold(), name)
        self.used.setdefault(whole)
        return whole

    def all(self) -> list[EstateServer]:
        """Every server that a row or a file names."""
        names = dict.fromkeys([*self.used, *self._whole.values()])
        return [replace(self._known.get(name, EstateServer(name)), name=name) for name in names]


def unnamed_files(files: Files, servers: Servers) -> list[ImportProblem]:
    """Files of which nobody can say whose they are, although several license servers are named."""
    if not servers.several:
        return []
    reason = f"does not name its license server, and there are several: its rows are those of {UNNAMED}; name it as SERVER=FILE"
    return [
        ImportProblem(found.file, 0, reason)
        for found, own in files
        if own is None
        and any(
            not _named(row)
            for rows in (found.servers, found.packs, found.licenses, found.summaries, found.failures)
            for row in rows
        )
    ]


def _named(row: object) -> str:
    return str(getattr(row, "server", None) or getattr(row, "name", ""))
