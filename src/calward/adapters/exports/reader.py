"""What do all rows have in common: their license server, version, dates and counts, and how they are told when they cannot be read?

A value that cannot be read is told with its line; the row goes on without it where it can, and is left out, told as well, where it cannot.
"""

from collections.abc import Callable, Mapping

from calward.adapters.exports.columns import server_names
from calward.adapters.exports.moments import Moments
from calward.adapters.exports.values import count, shown, text
from calward.adapters.exports.versions import Versions
from calward.adapters.exports.wmi import NEVER
from calward.app.estates.found import Found

__all__ = ["Cells", "Reader", "end_of"]

Cells = Mapping[str, object]
"""The cells of one row by the names of its shape."""


class Reader:
    """Turns the rows of one file into what they mean, and gathers it in ``found``."""

    def __init__(self, found: Found, versions: Versions, moments: Moments) -> None:
        self.found = found
        self.versions = versions
        self.moments = moments

    def leave_out(self, line: int, reason: str) -> None:
        """Tell that a row is not in the estate."""
        self.found.complain(line, f"{reason}: the row is left out")

    def server(self, cells: Cells) -> str:
        """The license server that a row names; "" where it names none."""
        for name in server_names:
            if name in cells and (found := text(cells[name])):
                return found
        return ""

    def moment(self, line: int, cells: Cells, name: str) -> int | None:
        """A date; one that cannot be read is told and counts as none."""
        return self._tried(line, cells, name, self.moments.read)

    def count(self, line: int, cells: Cells, name: str) -> int | None:
        """A count, ``ENDLESS`` or none; one that cannot be read is told and counts as none."""
        return self._tried(line, cells, name, count)

    def _tried(self, line: int, cells: Cells, name: str, read: Callable[[object], int | None]) -> int | None:
        value = cells.get(name)
        if value is None or value == "":
            return None
        try:
            return read(value)
        except ValueError as error:
            self.found.complain(line, f"{name} {shown(value)} {error}")
            return None

    def version(self, line: int, cells: Cells) -> str | None:
        """The version that a row means; one that the ladder lacks is told."""
        wanted = cells.get("ProductVersionID"), cells.get("ProductVersion"), cells.get("Description")
        found = self.versions.of(*wanted)
        said = [shown(value) for value in wanted if text(value)]
        if found is None and said:
            self.found.complain(
                line, f"names a version that the ladder {self.versions.ladder.name} lacks: {', '.join(said)}"
            )
        return found


def end_of(moment: int | None, *, built_in: bool = False) -> int | None:
    """An end, None where it is one of the dates that stand for "never"."""
    never = NEVER[0] if built_in else NEVER[1]
    return None if moment is None or moment >= never else moment
