"""What do use cases about estates need from outside?"""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from calward.app.estates.found import Found, Progress
from calward.domain.ladder import Ladder
from calward.insight.estate import Estate

__all__ = ["EstateStore", "ExportReader"]


class ExportReader(Protocol):
    """Reads files of other systems."""

    def read(
        self,
        path: Path,
        ladder: Ladder,
        progress: Progress,
        *,
        label: str | None = None,
        day_first: bool = False,
    ) -> Found:
        """Read one file; raises LicensingError where there is none, or where it is nothing that is known.

        ``label``: what the file is called in problems, where not by its name. ``day_first``: what 3/4 is where the file leaves it open.
        """


class EstateStore(Protocol):
    """Keeps snapshots of estates of other systems, by the estate's name. Every method raises LicensingError."""

    def names(self) -> Sequence[str]:
        """The estates there are, in alphabetical order."""

    def newest(self, name: str) -> Estate:
        """The newest snapshot of an estate; NOT_FOUND where there is none."""

    def history(self, name: str) -> Sequence[tuple[int, Path]]:
        """When snapshots were taken, oldest first, and where each is; NOT_FOUND where there is no such estate."""

    def read(self, path: Path) -> Estate:
        """One snapshot of a history."""

    def keep(self, estate: Estate) -> Path:
        """Add a snapshot to the history of the estate whose name it bears; gives its place."""
